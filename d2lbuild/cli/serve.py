"""`d2lbuild serve`: the live preview of a book."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from d2lbuild.cli.messages import note
from d2lbuild.cli.options import BookOption, FrameworkOption, read_config, words
from d2lbuild.errors import SetupError, UsageError

__all__ = ["serve"]

_PACKAGES = ("starlette", "uvicorn", "watchfiles")


def serve(
    *,
    framework: FrameworkOption = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="Where; the next free one if it is taken.")
    ] = 8000,
    opens: Annotated[bool, typer.Option("--open", help="Open the book in a browser.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Run a section as soon as its code has been edited.")] = False,
    book: BookOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where to build. Default: _build in the book.")
    ] = None,
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
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise SetupError(f"the preview needs {', '.join(missing)}", hint='pip install "d2lbuild[serve]"')
    import asyncio  # noqa: PLC0415 - all of these are slow to import

    from filelock import FileLock, Timeout  # noqa: PLC0415

    from d2lbuild.output_folder import prepare_output  # noqa: PLC0415
    from d2lbuild.pipeline import select_frameworks  # noqa: PLC0415
    from d2lbuild.serving.engine import Preview  # noqa: PLC0415
    from d2lbuild.serving.server import PreviewServer, listening_socket  # noqa: PLC0415

    config = read_config(book, output)
    frameworks = select_frameworks(config, words(framework))
    prepare_output(config.output)
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
