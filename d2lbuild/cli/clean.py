"""`d2lbuild clean`: removes the output folder, and nothing else."""

import shutil
from pathlib import Path

import click

from d2lbuild.cli.messages import note, say
from d2lbuild.cli.options import book_option, read_config
from d2lbuild.errors import UsageError
from d2lbuild.output_folder import OUTPUT_MARKER

__all__ = ["clean"]


@click.command
@book_option
def clean(book: Path | None) -> int:
    """Remove the book's output folder, _build.

    \b
    Removes only a folder inside of the book that d2lbuild has made. Results in the cache stay, and so do
    environments: the next build runs nothing again.

    \b
    Examples:
      d2lbuild clean
      d2lbuild clean --book ~/books/d2l-en
    """
    config = read_config(book)
    folder = config.output
    if not folder.exists() and not folder.is_symlink():
        note(f"there is nothing to remove: {folder} does not exist")
        return 0
    root = config.root.resolve()
    if folder.is_symlink() or not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: remove it yourself if it is not needed")
    if folder.resolve() == root or not folder.resolve().is_relative_to(root):
        raise UsageError(f"{folder} does not lie inside of the book: remove it yourself if it is not needed")
    if not (folder / OUTPUT_MARKER).is_file():
        raise UsageError(
            f"{folder} was not made by d2lbuild, since it has no file {OUTPUT_MARKER}",
            hint="remove it yourself if it is not needed",
        )
    from d2lbuild.editing.sync import unsaved  # noqa: PLC0415 - slow to import

    if waiting := unsaved(config):
        commands = ", ".join(f"`d2lbuild edit {section} --framework {name} --sync-once`" for section, name in waiting)
        raise UsageError("notebooks have changes that are not in their sections yet", hint=f"{commands} saves them")
    shutil.rmtree(folder)
    say(f"removed {folder}")
    return 0
