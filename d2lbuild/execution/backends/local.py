"""Notebooks on this machine: threads, each of which waits for one kernel's process."""

import os
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from d2lbuild.execution.devices import this_machine
from d2lbuild.execution.faults import ATTEMPTS, is_fault, not_started
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import CancelledRun, run_notebook
from d2lbuild.execution.running import BackendOptions, RunObserver
from d2lbuild.execution.scheduler import Grant, Scheduler
from d2lbuild.model import ExecutionResult

if TYPE_CHECKING:
    from d2lbuild.execution.kernels.warm import WarmKernels

__all__ = ["run_all", "with_threads"]

_GLANCE = 0.5
"""Seconds after which the waiting thread looks up: on some systems nothing else lets Ctrl-C through."""


def with_threads(request: ExecutionRequest, threads: int) -> ExecutionRequest:
    """Return a request whose kernel keeps to a number of threads, unless it or the user says otherwise."""
    threads = request.threads or threads
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    users = {name for name in request.passed if name in os.environ}
    own = {name: str(threads) for name in names if name not in users}
    return replace(request, threads=threads, variables={**own, **request.variables})


def run_all(
    requests: Sequence[ExecutionRequest], options: BackendOptions, observer: RunObserver
) -> Generator[tuple[ExecutionRequest, ExecutionResult], None, None]:
    """Run notebooks, the longest first, and yield each as it ends, with its devices and threads filled in.

    What this machine cannot run comes first, as skipped. Closing the generator, or an exception such as
    KeyboardInterrupt, ends the kernels that run. The observer is called in the thread that iterates. A defect of
    d2lbuild itself is raised when everything else has been run.
    """
    machine = options.machine or this_machine()
    jobs = max(1, min(options.jobs or machine.cpus, len(requests)))
    threads = max(1, machine.cpus // jobs)
    scheduler = Scheduler([with_threads(request, threads) for request in requests], machine, jobs)
    yield from scheduler.refused
    if not scheduler:
        return
    defects: list[Exception] = []
    # Leaving these waits until the kernels are gone, and then for the processes that they were forked from.
    with _warm_kernels(options) as warm, _Threads(jobs, warm) as runs:
        tried: Counter[Grant] = Counter()
        noted = 0
        while scheduler:
            for grant in iter(scheduler.start, None):
                observer.started(grant.request)
                runs.begin(grant)
            event = runs.wait()
            if warm is not None:
                for note in warm.fallbacks[noted:]:
                    observer.note(note)
                noted = len(warm.fallbacks)
            if isinstance(event, _AtCell):
                observer.cell(event.grant.request, event.index)
                continue
            grant, outcome = event.grant, event.outcome
            tried[grant] += 1
            if isinstance(outcome, ExecutionResult) and is_fault(outcome) and tried[grant] < ATTEMPTS:
                observer.retried(grant.request, outcome)
                runs.begin(grant)
                continue
            scheduler.end(grant)
            if isinstance(outcome, ExecutionResult):
                yield grant.request, replace(outcome, attempts=tried.pop(grant))
            else:
                defects.append(outcome)
    if defects:
        raise defects[0]


@dataclass(frozen=True, slots=True)
class _AtCell:
    """A notebook has come to a cell."""

    grant: Grant
    index: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """A run has a result, or ended in a way that it never should."""

    grant: Grant
    outcome: ExecutionResult | Exception


class _Threads:
    """The threads that run notebooks, and what they tell the one that iterates."""

    def __init__(self, jobs: int, warm: "WarmKernels | None") -> None:
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="notebook")
        self._warm = warm
        self._cancelled = threading.Event()
        self._events: SimpleQueue[_AtCell | _Ended] = SimpleQueue()

    def __enter__(self) -> "_Threads":
        return self

    def __exit__(self, *_: object) -> None:
        """End the kernels that run."""
        self._cancelled.set()
        self._pool.shutdown(cancel_futures=True)

    def begin(self, grant: Grant) -> None:
        """Run a notebook in a thread."""
        self._pool.submit(self._run, grant)

    def wait(self) -> _AtCell | _Ended:
        """Return the next event."""
        while True:
            try:
                return self._events.get(timeout=_GLANCE)
            except Empty:
                continue

    def _run(self, grant: Grant) -> None:
        outcome: ExecutionResult | Exception
        try:
            outcome = run_notebook(
                grant.request,
                cancelled=self._cancelled,
                warm=self._warm,
                on_cell=lambda index: self._events.put(_AtCell(grant, index)),
            )
        except CancelledRun:
            return
        except OSError as error:
            outcome = not_started(grant.request, f"it could not be run: {error}")
        except Exception as error:  # the results of the others must not be lost
            outcome = error
        self._events.put(_Ended(grant, outcome))


def _warm_kernels(options: BackendOptions) -> AbstractContextManager["WarmKernels | None"]:
    if not options.fork:
        return nullcontext()
    from d2lbuild.execution.kernels.warm import WarmKernels  # noqa: PLC0415

    return WarmKernels()
