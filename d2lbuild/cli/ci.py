"""`d2lbuild ci …`: continuous integration for a book."""

from typing import Annotated

import typer

from d2lbuild.cli.messages import say
from d2lbuild.cli.options import BookOption, known, read_config
from d2lbuild.errors import UsageError

__all__ = ["init"]


def init(
    service: Annotated[str, typer.Argument(metavar="[SERVICE]", help="github, or shell for any other.")] = "github",
    *,
    shards: Annotated[
        int, typer.Option("--shards", min=1, max=64, metavar="N", help="Parts that each framework is run in.")
    ] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    book: BookOption = None,
) -> int:
    """Write a workflow that checks the book, runs what has changed, and publishes it.

    \b
    Frameworks, and the parts of each, run beside each other and share their results. Pull requests, also those
    of forks, read the results of the main branch and change nothing; no job that runs code of the book sees a
    secret, or can write. Only the main branch is published.

    \b
    Examples:
      d2lbuild ci init
      d2lbuild ci init --shards 4
      d2lbuild ci init shell
    """
    from d2lbuild.files import write_atomically  # noqa: PLC0415 - only this needs it
    from d2lbuild.starting.continuous import SERVICES, ci_file  # noqa: PLC0415

    config = read_config(book)
    (service,) = known([service], tuple(SERVICES), "service")
    path = config.root / SERVICES[service]
    text = ci_file(service, [one.name for one in config.frameworks], shards)
    if path.exists() and path.read_text("utf-8", "replace") != text and not force:
        raise UsageError(f"{path} is there already", hint="--force replaces it")
    write_atomically(path, text)
    if path.suffix == ".sh":
        path.chmod(0o755)
    say(str(path))
    return 0
