"""`d2lbuild new`: a book that builds, to begin with."""

from collections.abc import Sequence
from pathlib import Path

import click

from d2lbuild.cli.completion import complete_known_framework
from d2lbuild.cli.messages import note, say
from d2lbuild.cli.options import PATH, known, words

__all__ = ["new"]


@click.command
@click.argument("folder", metavar="DIR", type=PATH, help="The book's folder: new or empty.")
@click.option(
    "--framework",
    "-f",
    metavar="NAME",
    multiple=True,
    help="Frameworks, joined by commas or one option each; 'all' for all. Default: pytorch.",
    shell_complete=complete_known_framework,
)
@click.option("--title", metavar="TEXT", default="", show_default=False, help="Default: made from DIR.")
@click.option("--author", metavar="NAME", default="", show_default=False, help="Who writes it.")
@click.option("--ci", metavar="SERVICE", default="github", help="github: a workflow for GitHub; shell: a script; none.")
def new(*, folder: Path, framework: Sequence[str], title: str, author: str, ci: str) -> int:
    """Start a book.

    \b
    It builds as it is. Its chapter has a cell for each framework, a function that is saved for the library,
    a figure, a table, an equation and a citation. The first framework owns the cells without a mark. Writes
    nothing into a folder that holds something, unless that is a repository of git without files.

    \b
    Examples:
      d2lbuild new my-book
      d2lbuild new my-book --framework pytorch,jax --title "My Book" --author "Ada Example"
      d2lbuild new . --framework all --ci none
    """
    from d2lbuild.starting.new_book import CI, DEFAULT, NewBook, known_frameworks, start_book  # noqa: PLC0415 - slow to import

    choices = tuple(known_frameworks())
    names = words(framework) or (DEFAULT,)
    chosen = choices if "all" in names else known(names, choices, "framework")
    (service,) = known([ci], CI, "service")
    made = start_book(NewBook(folder.expanduser(), chosen, title, author, service))
    say(str(made))
    here = "" if made == Path.cwd() else f"cd {folder} && "
    note(f"next: {here}d2lbuild build")
    return 0
