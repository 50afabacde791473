"""`d2lbuild migrate`: a book with a `config.ini` in the layout of new books."""

from pathlib import Path

import click

from d2lbuild.cli.messages import count, note, say
from d2lbuild.cli.options import PATH, book_option, read_config
from d2lbuild.errors import UsageError
from d2lbuild.model import Severity

__all__ = ["migrate"]


@click.command
@click.option("--output", metavar="DIR", type=PATH, help="Write a copy of the book into this folder.")
@click.option("--in-place", is_flag=True, help="Write beside what is there, and rename config.ini to config.ini.old.")
@click.option("--check", is_flag=True, help="Write nothing: show the files and what goes nowhere.")
@book_option
def migrate(*, output: Path | None, in_place: bool, check: bool, book: Path | None) -> int:
    """Turn a config.ini into a conf/book.toml.

    \b
    The pages are the same, and the chapters stay where they are. A framework gets a folder in frameworks/
    if the book has aliases or a library module of its own; its locked requirements go there too. Says of each
    key that cannot be carried over on which line it stands, and what there is in its place. Exits with 1 if
    pages will be others for it.

    \b
    Examples:
      d2lbuild migrate --check
      d2lbuild migrate --output ../new-layout
      d2lbuild migrate --in-place
    """
    from d2lbuild.starting.migration import migration, write_beside, write_copy  # noqa: PLC0415 - slow to import

    if sum([output is not None, in_place, check]) != 1:
        raise UsageError("say where the result goes", hint="one of --check, --output DIR and --in-place")
    config = read_config(book)
    found = migration(config)
    for finding in found.findings:
        note(finding)
    if output is not None:
        written = write_copy(config, found, output.expanduser())
    elif in_place:
        written = write_beside(config, found)
    else:
        written = [config.root / name for name in found.files]
        for name, text in found.files.items():
            if name.name == "book.toml":
                say(text)
    for path in written:
        say(str(path))
    note(f"{'would write' if check else 'wrote'} {count(len(written), 'file')}")
    return int(any(one.rule == "not-carried-over" and one.severity is Severity.WARNING for one in found.findings))
