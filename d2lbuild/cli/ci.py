"""`d2lbuild ci …`: continuous integration for a book."""

from pathlib import Path

import click

from d2lbuild.cli.groups import OrderedGroup
from d2lbuild.cli.messages import say
from d2lbuild.cli.options import book_option, known, read_config

__all__ = ["ci"]


@click.group(cls=OrderedGroup, no_args_is_help=True)
def ci() -> None:
    """Continuous integration for a book.

    \b
    Examples:
      d2lbuild ci init
    """


@ci.command
@click.argument(
    "service", metavar="[SERVICE]", default="github", help="github, or shell for any other. Default: github."
)
@click.option(
    "--shards",
    type=click.IntRange(min=1, max=64),
    metavar="N",
    default=1,
    help="Parts that each framework is run in.",
)
@click.option("--install", metavar="WHAT", help="What pip installs: d2lbuild in a release, say, or a folder.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@book_option
def init(service: str, *, shards: int, install: str | None, force: bool, book: Path | None) -> int:
    """Write a workflow that checks the book, runs what has changed, and publishes it.

    \b
    Frameworks, and the parts of each, run beside each other and share their results. Pull requests, also those
    of forks, read the results of the main branch and change nothing; no job that runs code of the book sees a
    secret, or can write. Only the main branch is published. The file names the command that has written it.

    \b
    Examples:
      d2lbuild ci init
      d2lbuild ci init --shards 4
      d2lbuild ci init --install "d2lbuild[html] @ git+https://github.com/d2lbuild/d2lbuild@v1.0"
      d2lbuild ci init shell
    """
    from d2lbuild.starting import continuous  # noqa: PLC0415 - only this needs it

    config = read_config(book)
    (service,) = known([service], tuple(continuous.SERVICES), "service")
    wanted = continuous.Continuous(
        service,
        [one.name for one in config.frameworks],
        shards,
        install or continuous.INSTALL,
        config.output.relative_to(config.root).as_posix(),
    )
    say(str(continuous.write_ci_file(config.root, wanted, force=force)))
    return 0
