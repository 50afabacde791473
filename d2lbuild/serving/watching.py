"""Says that something in a book may have changed. What has, and whether it matters, is for `book_files` to tell.

Only the visible folders of the book are watched, none that a build writes; so a build never leads to another one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, awatch

from d2lbuild.output_folder import OUTPUT_MARKER
from d2lbuild.serving.book_files import is_source_name

__all__ = ["changes", "is_worth_a_look", "watched_folders"]

_STEP = 20
"""Milliseconds without a change after which those before are told: editors do several things to save a file."""
_MOST = 120
_POLLED = 1.0
"""Seconds between looks where the system cannot watch so many folders."""


def watched_folders(root: Path, output: Path) -> list[Path]:
    """Return the folders in a book's folder that are watched with all that they hold."""
    return sorted(
        one
        for one in root.iterdir()
        if one.is_dir() and is_source_name(one.name) and one != output and not (one / OUTPUT_MARKER).is_file()
    )


def is_worth_a_look(root: Path, path: str) -> bool:
    """Whether a path that has changed may belong to the book."""
    below = Path(path)
    return below.is_relative_to(root) and all(map(is_source_name, below.relative_to(root).parts))


async def changes(root: Path, output: Path, complain: Callable[[str], None]) -> AsyncGenerator[None, None]:
    """Yield once at the start, and then whenever something in the book may have changed."""
    looks: asyncio.Queue[None] = asyncio.Queue()

    def wanted(_change: Change, path: str) -> bool:
        return is_worth_a_look(root, path)

    async def watch(paths: list[Path], *, recursive: bool) -> None:
        try:
            watching = awatch(*paths, watch_filter=wanted, step=_STEP, debounce=_MOST, recursive=recursive)
            async for _ in watching:
                looks.put_nowait(None)
        except (OSError, RuntimeError) as error:
            complain(f"this system cannot watch the book's folders ({error}); they are looked at every second")
            while True:
                await asyncio.sleep(_POLLED)
                looks.put_nowait(None)

    top = asyncio.create_task(watch([root], recursive=False))
    folders: list[Path] = []
    below: asyncio.Task[None] | None = None
    try:
        while True:
            if (now := watched_folders(root, output)) != folders:
                if below is not None:
                    await _cancelled(below)
                folders = now
                below = asyncio.create_task(watch(folders, recursive=True)) if folders else None
                await asyncio.sleep(0.05)  # until it watches: what happened before is seen by the look that follows
            yield None
            await looks.get()
            while not looks.empty():
                looks.get_nowait()
    finally:
        for task in (top, below):
            if task is not None:
                await _cancelled(task)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
