"""Running one notebook in one kernel. Whatever the notebook does, the result is a value."""

import asyncio
import contextlib
import datetime
import signal
import threading
import time
from collections.abc import Coroutine
from typing import Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from d2lbuild.execution.kernel import LOG, Kernel
from d2lbuild.execution.outputs import BoundedClient, clean_outputs, failing_line, plain_text
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place, place_for
from d2lbuild.model import ExecutionResult, Failure, Status

__all__ = ["CancelledRun", "run_notebook"]

_GLANCE = 0.1
"""Seconds between looks at the clock, the kernel's process and the wish to stop."""

_KILLED = -9
"""The exit code of a process that the system ends when memory runs out."""


class CancelledRun(Exception):  # noqa: N818  it is no error
    """The run was given up, as asked; its kernel is gone."""


class _OverdueError(Exception):
    """Something took longer than it may."""


class _KernelDiedError(Exception):
    """The kernel's process ended by itself."""


def run_notebook(request: ExecutionRequest, *, cancelled: threading.Event | None = None) -> ExecutionResult:
    """Run a notebook from its first cell to its last, or to the first that fails.

    When it returns, no process of it is left. `cancelled` ends it from another thread, with CancelledRun.
    """
    with place_for(request) as place:
        return asyncio.run(_Run(request, cancelled or threading.Event()).result(place))


class _Run:
    """The state of one run."""

    def __init__(self, request: ExecutionRequest, cancelled: threading.Event) -> None:
        self.request = request
        self.cancelled = cancelled
        self.current: int | None = None
        self.started: float | None = None
        self.cells: list[NotebookNode] = [
            new_code_cell(cell.source, metadata={"tags": sorted(cell.execution_tags)})  # type: ignore[no-untyped-call]
            for cell in request.cells
        ]

    async def result(self, place: Place) -> ExecutionResult:
        try:
            kernel = await Kernel.start(self.request, place)
        except OSError as error:
            message = f"{self.request.kernel.python} cannot be run: {error.strerror or error}"
            return self._ended(Status.NOT_STARTED, Failure(None, "kernel not started", message))
        gently = False
        try:
            ended = await self._start(kernel) or await self._execute(kernel)
            gently = ended.status in (Status.DONE, Status.FAILED)
            return ended
        finally:
            await _end_tasks()
            await kernel.stop(gently=gently)

    async def _start(self, kernel: Kernel) -> ExecutionResult | None:
        """Wait for the kernel; return a result only if it does not answer."""
        limit = self.request.startup_timeout
        try:
            await self._watched(kernel.ready(limit), kernel, limit)
        except _OverdueError:
            message = f"it did not answer within {limit:g} s"
        except (_KernelDiedError, RuntimeError):
            message = f"it {_end_of(kernel.exit_code)} before it answered"
        else:
            return None
        return self._ended(Status.NOT_STARTED, Failure(None, "kernel not started", message, kernel.last_words))

    async def _execute(self, kernel: Kernel) -> ExecutionResult:
        limit = self.request.timeout
        notebook = new_notebook(cells=self.cells)  # type: ignore[no-untyped-call]
        client = BoundedClient(notebook, km=kernel.manager, iopub_timeout=30, log=LOG)
        client.max_output = self.request.max_output
        client.kc = kernel.client
        self.started = time.monotonic()
        try:
            await self._watched(self._execute_cells(client), kernel, limit)
        except CellExecutionError as error:
            return self._ended(Status.FAILED, self._failure(error))
        except _OverdueError:
            message = f"the notebook took longer than {limit:g} s; {self._place} was running"
            return self._ended(Status.TIMEOUT, Failure(self.current, "timeout", message))
        except (_KernelDiedError, DeadKernelError, RuntimeError):
            message = f"the kernel {_end_of(kernel.exit_code)} while {self._place} was running"
            if kernel.exit_code == _KILLED:
                message += "; perhaps there was not enough memory"
            return self._ended(Status.DIED, Failure(self.current, "kernel died", message, kernel.last_words))
        return self._ended(Status.DONE, None)

    async def _execute_cells(self, client: BoundedClient) -> None:
        for index, cell in enumerate(self.cells):
            self.current = index
            await client.async_execute_cell(cell, index)

    async def _watched(self, work: Coroutine[Any, Any, None], kernel: Kernel, limit: float) -> None:
        """Wait for `work`, the clock, the kernel's end or the wish to stop, whichever comes first."""
        deadline = time.monotonic() + limit
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=_GLANCE)
            if self.cancelled.is_set():
                raise CancelledRun
            if not task.done() and time.monotonic() > deadline:
                raise _OverdueError
            if not task.done() and kernel.exit_code is not None:
                # Its last outputs may still be on their way.
                await asyncio.wait({task}, timeout=3 * _GLANCE)
                if not task.done():
                    raise _KernelDiedError
        task.result()

    @property
    def _place(self) -> str:
        return f"code cell {(self.current or 0) + 1} of {len(self.cells)}"

    def _failure(self, error: CellExecutionError) -> Failure:
        cell = self.cells[self.current or 0]
        lines: list[str] = next((output.traceback for output in cell.outputs if output.output_type == "error"), [])
        limit = self.request.max_output
        traceback = plain_text("\n".join(line[:limit] for line in lines))
        return Failure(
            cell=self.current,
            name=error.ename,
            message=plain_text(error.evalue[:limit]),
            traceback=traceback,
            line=failing_line(traceback, cell.execution_count),
        )

    def _ended(self, status: Status, failure: Failure | None) -> ExecutionResult:
        return ExecutionResult(
            status=status,
            outputs=tuple(clean_outputs(cell.outputs, self.request.max_output) for cell in self.cells),
            seconds=0.0 if self.started is None else time.monotonic() - self.started,
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            versions=dict(self.request.versions),
            failure=failure,
        )


async def _end_tasks() -> None:
    """End what still listens to the kernel, before its sockets go."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _end_of(exit_code: int | None) -> str:
    if exit_code is None:
        return "stopped answering"
    if exit_code >= 0:
        return f"ended with exit status {exit_code}"
    name = ""
    with contextlib.suppress(ValueError):
        name = f" ({signal.Signals(-exit_code).name})"
    return f"was killed by signal {-exit_code}{name}"
