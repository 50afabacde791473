"""`d2lbuild serve`: the live preview of a book."""

from collections.abc import Sequence
from pathlib import Path

import click

from d2lbuild.cli.messages import note
from d2lbuild.cli.options import book_option, framework_option, output_option, read_config, words
from d2lbuild.errors import UsageError
from d2lbuild.extras import require

__all__ = ["serve"]


@click.command
@framework_option
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65535),
    metavar="N",
    default=8000,
    help="Where; the next free one if it is taken.",
)
@click.option("--open", "opens", is_flag=True, help="Open the book in a browser.")
@click.option("--run", is_flag=True, help="Run a section as soon as its code has been edited.")
@book_option
@output_option
def serve(
    *, framework: Sequence[str], port: int, opens: bool, run: bool, book: Path | None, output: Path | None
) -> int:
    """Show the book in a browser, and each change as soon as it is saved.

    \b
    Builds the website without running anything, serves it to this machine alone, and follows the book's
    files. An open page changes by itself, and shows what is wrong with the book. Where code has changed,
    it offers to run the section. Ctrl-C ends it, with exit code 0.

    \b
    Examples:
      d2lbuild serve --open
      d2lbuild serve --framework all --port 8080
      d2lbuild serve --run                 also run each section whose code is edited
    """
    require("serve", "the preview")
    require("html", "the preview")
    import asyncio  # noqa: PLC0415 - all of these are slow to import

    from filelock import FileLock, Timeout  # noqa: PLC0415

    from d2lbuild.output_folder import prepare_output  # noqa: PLC0415
    from d2lbuild.pipeline import select_frameworks  # noqa: PLC0415
    from d2lbuild.serving.engine import Preview  # noqa: PLC0415
    from d2lbuild.serving.server import PreviewServer, listening_socket  # noqa: PLC0415

    config = read_config(book, output)
    frameworks = select_frameworks(config, words(framework))
    prepare_output(config)
    preview = Preview(config.root if book is None else book.expanduser().absolute(), frameworks, _folder(output))
    alone = FileLock(config.output / "serve.lock")
    try:
        alone.acquire(blocking=False)
    except Timeout:
        raise UsageError("another preview of this book is running", hint="end it, or name another --output") from None
    listening = listening_socket(port)

    async def serving() -> None:
        await PreviewServer(preview, config, run=run, tell=note, opens=opens).serve(listening, port)

    with alone, listening:
        asyncio.run(serving())
    return 0


def _folder(output: Path | None) -> Path | None:
    return None if output is None else output.expanduser().absolute()
