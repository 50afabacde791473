"""The book that a book is a translation of: a folder, or a folder at a revision of its Git repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from d2lbuild.config import Config, load_config
from d2lbuild.errors import UsageError
from d2lbuild.revisions import book_at

__all__ = ["origin_of"]


@contextmanager
def origin_of(config: Config, named: str | None = None) -> Iterator[Config]:
    """Give the configuration of the book that `config` is a translation of, or of another one that is `named`.

    A name on the command line is seen from where we are, one in the configuration from the book's folder.
    Raises UsageError if nothing says which book that is, or if there is none.
    """
    place = named or (config.translation.origin if config.translation else "")
    if not place:
        raise UsageError(
            "nothing says which book this one is a translation of",
            hint='write [translation] origin = "../the-book", or say --origin ../the-book',
        )
    base = Path.cwd() if named else config.root
    folder, revision = (base / place).expanduser(), ""
    if not folder.is_dir() and "@" in place:
        name, _, revision = place.rpartition("@")
        folder = (base / name).expanduser()
    if not folder.is_dir():
        raise UsageError(f"there is no book at {folder}", hint="the origin is a folder, or FOLDER@REVISION")
    origin = load_config(folder)
    if not revision:
        yield origin
        return
    with book_at(origin, revision) as earlier:
        if earlier is None:
            raise UsageError(f"there is no book at {revision} of {folder}", hint="name a later revision")
        yield earlier
