"""Running one notebook in one kernel. Whatever the notebook does, the result is a value."""

import asyncio
import contextlib
import datetime
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from d2lbuild.execution.inputs import accesses, prepare
from d2lbuild.execution.kernels.kernel import LOG, Kernel
from d2lbuild.execution.kernels.late_outputs import PatientClient
from d2lbuild.execution.kernels.outputs import BoundedClient, clean_outputs, failing_line, plain_text
from d2lbuild.execution.kernels.processes import ProcessTree
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place, place_for
from d2lbuild.model import ExecutionResult, Failure, Status

if TYPE_CHECKING:
    from d2lbuild.execution.kernels.warm import WarmKernels

__all__ = ["CancelledRun", "run_notebook"]

_GLANCE = 0.1
"""Seconds between looks at the clock, the kernel's processes and the wish to stop."""

_QUIET = 0.5
"""Seconds without an output after which no more is expected from a kernel that has died."""

_DRAINING = 30.0
"""Seconds that taking the last outputs of a dead kernel may last."""

_KILLED = -9
"""The exit code of a process that the system ends when memory runs out."""

_GIB = 1 << 30
_MAX_NAMED = 3
_LINE = 60
_MESSAGE = 2_000
"""Characters of the words of an error; some hold whole arrays."""


class CancelledRun(Exception):  # noqa: N818  it is no error
    """The run was given up, as asked; its kernel is gone."""


class _OverdueError(Exception):
    """Something took longer than it may."""


class _KernelDiedError(Exception):
    """The kernel's process ended by itself."""


class _TooMuchMemoryError(Exception):
    """The kernel and its children took more memory than they may."""


def run_notebook(
    request: ExecutionRequest,
    *,
    cancelled: threading.Event | None = None,
    warm: "WarmKernels | None" = None,
    on_cell: Callable[[int], None] = lambda _: None,
) -> ExecutionResult:
    """Run a notebook from its first cell to its last, or to the first that fails.

    When it returns, no process of it is left. `cancelled` ends it from another thread, with CancelledRun. With `warm`,
    its kernel is forked if that can be done. `on_cell` hears the index of each code cell before it is run.
    """
    run = _Run(request, cancelled or threading.Event(), warm, on_cell)
    place_or_none = contextlib.ExitStack()
    with place_or_none:
        try:
            place = place_or_none.enter_context(place_for(request))
            prepare(request, place)
        except OSError as error:
            reason = error.strerror or str(error)
            file = f"{error.filename}: " if error.filename else ""
            return run.not_started(f"the files for it cannot be copied: {file}{reason}")
        result = asyncio.run(run.result(place))
        found = accesses(request, place)
        return replace(result, inputs=found.inputs, warnings=(*result.warnings, *found.warnings))


class _Run:
    """The state of one run."""

    def __init__(
        self,
        request: ExecutionRequest,
        cancelled: threading.Event,
        warm: "WarmKernels | None",
        on_cell: Callable[[int], None],
    ) -> None:
        self.request = request
        self.cancelled = cancelled
        self.warm = warm
        self.on_cell = on_cell
        self.current: int | None = None
        self.started: float | None = None
        self.client: BoundedClient | None = None
        self.processes: ProcessTree | None = None
        self.cells: list[NotebookNode] = [
            new_code_cell(cell.source, metadata={"tags": sorted(cell.execution_tags)})  # type: ignore[no-untyped-call]
            for cell in request.cells
        ]

    async def result(self, place: Place) -> ExecutionResult:
        try:
            kernel = await Kernel.start(self.request, place, self.warm)
        except OSError as error:
            return self.not_started(f"{self.request.kernel.python} cannot be run: {error.strerror or error}")
        self.processes = ProcessTree(kernel.pid)
        warnings: list[str] = []
        gently = False
        try:
            ended = await self._start(kernel) or await self._execute(kernel)
            gently = ended.status in (Status.DONE, Status.FAILED)
            self.processes.look()
            if gently:
                warnings += self._warnings()
        except _TooMuchMemoryError:
            message = f"it took more than its {_gib(self.request.needs.memory or 0)} of memory; {self._place}"
            ended = self._ended(Status.DIED, Failure(self.current, "too much memory", message))
        finally:
            await _end_tasks()
            await kernel.stop(gently=gently)
            self.processes.end()
        return replace(ended, memory=self.processes.peak, warnings=(*kernel.warnings, *warnings))

    def not_started(self, message: str, last_words: str = "") -> ExecutionResult:
        return self._ended(Status.NOT_STARTED, Failure(None, "kernel not started", message, last_words))

    async def _start(self, kernel: Kernel) -> ExecutionResult | None:
        """Wait for the kernel; return a result only if it does not answer."""
        limit = self.request.startup_timeout
        try:
            await self._watched(kernel.ready(limit), kernel, limit)
        except (_OverdueError, _KernelDiedError, RuntimeError):
            ended = kernel.exit_code
        else:
            return None
        message = (
            f"it did not answer within {limit:g} s" if ended is None else f"it {_end_of(ended)} before it answered"
        )
        return self.not_started(message, _last_words(kernel))

    async def _execute(self, kernel: Kernel) -> ExecutionResult:
        limit = self.request.timeout
        notebook = new_notebook(cells=self.cells)  # type: ignore[no-untyped-call]
        kind = PatientClient if self.request.kernel.arguments else BoundedClient
        client = kind(notebook, km=kernel.manager, iopub_timeout=30, log=LOG)
        client.max_output = self.request.max_output
        client.kc = kernel.client
        self.client = client
        self.started = time.monotonic()
        try:
            await self._watched(self._execute_cells(client), kernel, limit)
        except CellExecutionError as error:
            return self._ended(Status.FAILED, self._failure(error))
        except _OverdueError:
            message = f"the notebook took longer than {limit:g} s; {self._place}"
            return self._ended(Status.TIMEOUT, Failure(self.current, "timeout", message))
        except (_KernelDiedError, DeadKernelError, RuntimeError):
            message = f"the kernel {_end_of(kernel.exit_code)}; {self._place}"
            if kernel.exit_code == _KILLED:
                message += "; perhaps there was not enough memory"
            return self._ended(Status.DIED, Failure(self.current, "kernel died", message, _last_words(kernel)))
        return self._ended(Status.DONE, None)

    async def _execute_cells(self, client: BoundedClient) -> None:
        try:
            for index, cell in enumerate(self.cells):
                self.current = index
                self.on_cell(index)
                # What the cells before have started is known even if the kernel dies now.
                self._weigh()
                await client.async_execute_cell(cell, index)
        except CellExecutionError:
            await _settled(client)
            raise
        await _settled(client)

    async def _watched(self, work: Coroutine[Any, Any, None], kernel: Kernel, limit: float) -> None:
        """Wait for `work`, or until something keeps it from ending well, whichever comes first."""
        deadline = time.monotonic() + limit
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=_GLANCE)
            if self.cancelled.is_set():
                raise CancelledRun
            if task.done():
                break
            if time.monotonic() > deadline:
                raise _OverdueError
            if kernel.exit_code is not None:
                await self._drain(task)
                if not task.done():
                    raise _KernelDiedError
            self._weigh()
        task.result()

    def _weigh(self) -> None:
        """See how much memory is used."""
        assert self.processes is not None
        self.processes.look()
        limit = self.request.needs.memory
        if limit is not None and (self.processes.peak or 0) > limit:
            raise _TooMuchMemoryError

    async def _drain(self, task: "asyncio.Task[None]") -> None:
        """Take the outputs of a dead kernel that are still on their way."""
        deadline = time.monotonic() + _DRAINING
        before = -1
        while not task.done() and self.client is not None and before != self.client.received:
            before = self.client.received
            await asyncio.wait({task}, timeout=_QUIET)
            if time.monotonic() > deadline:
                break

    def _warnings(self) -> list[str]:
        """Return what the notebook should know, although it has ended well or by an error of its own."""
        assert self.processes is not None
        warnings = []
        left = [process.command for process in self.processes.left()]
        if left:
            more = f" and {len(left) - _MAX_NAMED} more" if len(left) > _MAX_NAMED else ""
            warnings.append(f"it left processes behind, which were ended: {', '.join(left[:_MAX_NAMED])}{more}")
        limit = self.request.needs.memory
        if limit is not None and (self.processes.peak or 0) > limit:
            warnings.append(f"it took {_gib(self.processes.peak or 0)} of memory, more than its {_gib(limit)}")
        return warnings

    @property
    def _place(self) -> str:
        """Which cell was running, in words."""
        if self.current is None:
            return "no code cell was running yet"
        code = (line.strip() for line in self.request.cells[self.current].source.splitlines())
        first = next((line for line in code if line and not line.startswith("#")), "")
        shown = f"{first[:_LINE]}…" if len(first) > _LINE else first
        return f"code cell {self.current + 1} of {len(self.cells)} was running: {shown}"

    def _failure(self, error: CellExecutionError) -> Failure:
        cell = self.cells[self.current or 0]
        lines: list[str] = next((output.traceback for output in cell.outputs if output.output_type == "error"), [])
        limit = self.request.max_output
        traceback = plain_text("\n".join(line[:limit] for line in lines))
        return Failure(
            cell=self.current,
            name=error.ename,
            message=plain_text(error.evalue[:_MESSAGE]),
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
            device=self.request.device,
        )


async def _settled(client: BoundedClient) -> None:
    if isinstance(client, PatientClient):
        await client.settle()


async def _end_tasks() -> None:
    """End what still listens to the kernel, before its sockets go."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _last_words(kernel: Kernel) -> str:
    """Return what the kernel said last, unless the notebook has removed it."""
    with contextlib.suppress(OSError):
        return plain_text(kernel.last_words)
    return ""


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"


def _end_of(exit_code: int | None) -> str:
    if exit_code is None:
        return "stopped answering"
    if exit_code >= 0:
        return f"ended with exit status {exit_code}"
    name = ""
    with contextlib.suppress(ValueError):
        name = f" ({signal.Signals(-exit_code).name})"
    return f"was killed by signal {-exit_code}{name}"
