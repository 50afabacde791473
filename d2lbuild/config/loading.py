"""Finds a book's configuration and reads it, whichever of the two kinds it is."""

import os
from pathlib import Path

from d2lbuild.config.types import Config
from d2lbuild.errors import SetupError, UsageError

__all__ = ["config_files", "default_frameworks", "find_book", "find_source", "load_config"]

_NEW = Path("conf", "book.toml")
_OLD = Path("config.ini")


def default_frameworks() -> Path:
    """Return the folder of the definitions that come with d2lbuild, in a wheel or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "frameworks", package.parent / "frameworks"):
        if folder.is_dir():
            return folder
    raise SetupError(
        "the framework definitions that belong to d2lbuild are missing",
        hint=f"reinstall d2lbuild; they are expected in {package / 'frameworks'}",
    )


def config_files(folder: Path) -> tuple[Path, ...]:
    """Return the files that may configure a book in `folder`; the first that is there does."""
    return folder / _NEW, folder / _OLD


def find_book(start: Path) -> Path:
    """Return the nearest folder with a configuration, from `start` upwards; UsageError if there is none."""
    start = _plain(start)
    for folder in (start, *start.parents):
        if _source(folder):
            return folder
    raise UsageError(
        f"there is no book in {start} or above it",
        hint=f"a book is a folder with {_NEW} or {_OLD}; name it with --book",
    )


def find_source(book: Path) -> tuple[Path, Path]:
    """Return a book's root and its configuration file, from one of the two; UsageError where there is none."""
    book = _plain(book)
    if book.is_file():
        return book.parents[1] if book.parent.name == _NEW.parent.name else book.parent, book
    if source := _source(book):
        return book, source
    missing = "is not a book" if book.is_dir() else "does not exist"
    raise UsageError(f"{book} {missing}", hint=f"a book is a folder with {_NEW} or {_OLD}")


def load_config(book: Path, *, defaults: Path | None = None) -> Config:
    """Return the configuration of the book in the folder `book`, or of that configuration file.

    `defaults` is the folder with the framework definitions for books that bring none. Raises ConfigError with all that
    is wrong, UsageError where there is no configuration.
    """
    root, source = find_source(book)
    # Both readers take pydantic, which takes a while to import; finding a book need not wait for it.
    if source.suffix == ".toml":
        from d2lbuild.config.book import read_book  # noqa: PLC0415

        return read_book(root, source, defaults or default_frameworks())
    from d2lbuild.config.legacy import read_legacy  # noqa: PLC0415

    return read_legacy(root, source, defaults or default_frameworks())


def _plain(path: Path) -> Path:
    """Return an absolute path without `..`: by two names for one file, it would be taken for two."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - links are kept, which `resolve` does not do


def _source(folder: Path) -> Path | None:
    return next((file for file in config_files(folder) if file.is_file()), None)
