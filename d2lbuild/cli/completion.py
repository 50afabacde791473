"""What a shell completes: names of frameworks and sections, read from the book without its whole configuration."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2lbuild.errors import D2lbuildError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["complete_file", "complete_framework", "complete_known_framework", "complete_section"]

_SUFFIXES = (".md", ".ipynb")


def complete_framework(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the book's frameworks that go on as a word does; those joined to it by commas stay."""
    book = _book(context)
    names = [str(name) for name in book.get("frameworks", ())]
    return _joined(incomplete, [*names, "all"] if names else [])


def complete_known_framework(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the frameworks that come with d2lbuild and go on as a word does."""
    from d2lbuild.config import default_frameworks  # noqa: PLC0415 - only a shell needs it here

    names = sorted(file.parent.name for file in default_frameworks().glob("*/framework.toml"))
    return _joined(incomplete, [*names, "all"])


def complete_section(context: click.Context, parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the sections of the book, and folders of them, that go on as a word does; files if there are none."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell needs it

    folder = _book(context).get("folder")
    found = sorted(one for one in _sections(folder) if one.startswith(incomplete)) if folder else []
    return [CompletionItem(one) for one in found] or complete_file(context, parameter, incomplete)


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Let the shell complete files and folders, where other words may stand as well."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell needs it

    return [CompletionItem(incomplete, type="file")]


def _joined(incomplete: str, names: list[str]) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    there = before.split(",")
    return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in there]


def _sections(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.suffix in _SUFFIXES and not any(part.startswith((".", "_")) for part in name.parts):
            yield name.with_suffix("").as_posix()


def _book(context: click.Context) -> dict[str, Any]:
    """Return the names of the book's frameworks and the folder of its sections; nothing if there is no book."""
    import configparser  # noqa: PLC0415 - only a shell needs all of this here
    import tomllib  # noqa: PLC0415

    from d2lbuild.config import find_book  # noqa: PLC0415

    named = context.params.get("book")
    try:
        root = Path(named) if named else find_book(Path.cwd())
        file = root / "conf" / "book.toml"
        if file.is_file():
            table = tomllib.loads(file.read_text("utf-8")).get("book", {})
            return {"frameworks": list(table.get("frameworks", [])), "folder": root / table.get("chapters", "chapters")}
        old = configparser.RawConfigParser(strict=False)
        old.read_string((root / "config.ini").read_text("utf-8"))
        tabs = old.get("build", "tabs", fallback="").lower().replace(",", " ").split()
        return {"frameworks": tabs, "folder": root / old.get("build", "source_dir", fallback="")}
    except (D2lbuildError, OSError, ValueError, AttributeError, TypeError, configparser.Error):
        return {}  # a shell has nowhere to say what is wrong; the command itself does
