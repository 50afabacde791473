"""Processes of ours that the server starts, and what they say: lines of JSON. See `messages` for their end of it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import d2lbuild
from d2lbuild.serving.messages import Line

__all__ = ["Child", "start"]

# The folder that the server runs in may hold modules of a book, which must not stand for Python's own.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from importlib import import_module; import_module(sys.argv.pop(1)).main()"
)
_LONGEST_LINE = 2**26
_PATIENCE = 10.0
"""Seconds that a process has to end by itself, kernels and all."""


class Child:
    """A process that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def send(self, line: Mapping[str, Any]) -> None:
        """Tell the process something."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def lines(self) -> AsyncIterator[Line]:
        """Yield what the process says, until it has ended."""
        assert self._process.stdout is not None
        while data := await self._process.stdout.readline():
            yield json.loads(data)
        await self._process.wait()

    async def end(self) -> None:
        """Let the process put down what it does, and wait until it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _PATIENCE)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def start(module: str, *arguments: str) -> Child:
    """Start a process that runs `main` of a module, out of reach of the terminal's Ctrl-C."""
    starting = asyncio.ensure_future(_started(module, *arguments))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await (await starting).end()  # it must not be left behind half begun
        raise


async def _started(module: str, *arguments: str) -> Child:
    command = [sys.executable, "-P", "-c", _PROGRAM, str(Path(d2lbuild.__file__).parents[1]), module, *arguments]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        start_new_session=os.name == "posix",
    )
    return Child(process)
