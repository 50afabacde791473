"""The runs of single sections that a page asks for: one after the other, each in a process of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from d2lbuild.serving.children import Child, start

__all__ = ["Run", "Runs"]

_MODULE = "d2lbuild.serving.run_process"


@dataclass(slots=True)
class Run:
    """A run, and how far it has come."""

    section: str
    framework: str
    status: str = "waiting"
    """Then ``running``, and at last ``done`` or ``failed``."""
    cell: int = 0
    of: int = 0
    text: str = ""


class Runs:
    """Runs what it is asked for; `changed` hears whenever a run has come further, `ended` when there is a result."""

    def __init__(
        self, book: str, output: str, changed: Callable[[], None], ended: Callable[[Run], Awaitable[None]]
    ) -> None:
        self._book, self._output = book, output
        self._changed, self._ended = changed, ended
        self._known: dict[tuple[str, str], Run] = {}
        self._waiting: asyncio.Queue[Run] = asyncio.Queue()
        self._child: Child | None = None
        self._ending: asyncio.Task[None] | None = None

    def as_json(self) -> list[dict[str, Any]]:
        """Return all runs as plain values."""
        return [asdict(run) for run in self._known.values()]

    def ask(self, section: str, framework: str) -> None:
        """Run a section, unless it waits for that already; a run of it that goes on is given up."""
        known = self._known.get((section, framework))
        if known is not None and known.status == "waiting":
            return
        if known is not None and known.status == "running" and self._child is not None:
            self._ending = asyncio.create_task(self._child.end())
        run = self._known[section, framework] = Run(section, framework)
        self._waiting.put_nowait(run)
        self._changed()

    async def work(self) -> None:
        """Run what is asked for, until this is cancelled."""
        while True:
            run = await self._waiting.get()
            run.status, run.text = "running", ""
            self._changed()
            child = await start(_MODULE, self._book, self._output, run.section, run.framework)
            self._child = child
            try:
                async for line in child.lines():
                    self._hear(run, line)
            finally:
                self._child = None
                await child.end()
            if run is not self._known[run.section, run.framework]:
                continue  # there is another wish
            if run.status == "running":
                run.status, run.text = "failed", "the process that ran this section has ended early"
            await self._ended(run)
            self._changed()

    def _hear(self, run: Run, line: dict[str, Any]) -> None:
        if line.get("ended"):
            run.status = "failed" if line["problem"] else "done"
            run.text = line["problem"]
        else:
            run.cell, run.of = line.get("cell", run.cell), line.get("of", run.of)
            run.text = line.get("text", "")
        self._changed()
