"""Notebooks on this machine: threads, each of which waits for one kernel's process."""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import run_notebook
from d2lbuild.model import ExecutionResult

__all__ = ["default_variables", "run_all"]

OnStart = Callable[[ExecutionRequest], None]


def default_variables(jobs: int, cpus: int) -> dict[str, str]:
    """Return the variables that let `jobs` kernels share a machine, and that keep frameworks quiet."""
    threads = str(max(1, cpus // jobs))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(names, threads) | {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Its note about this cannot be silenced, and rounding then differs from processor to processor.
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def run_all(
    requests: Iterable[ExecutionRequest],
    jobs: int | None = None,
    on_start: OnStart = lambda _: None,
    environ: Mapping[str, str] = os.environ,
) -> Generator[tuple[ExecutionRequest, ExecutionResult], None, None]:
    """Run notebooks, started in the given order, and yield each as it ends.

    Closing the iterator, or an exception such as KeyboardInterrupt, ends the kernels that run. `on_start` is called in
    the thread that iterates. Variables that the user or the request has set win over `default_variables`.
    """
    cpus = os.cpu_count() or 1
    waiting = deque(requests)
    jobs = max(1, min(jobs or cpus, len(waiting)))
    defaults = {name: value for name, value in default_variables(jobs, cpus).items() if name not in environ}
    cancelled = threading.Event()
    running: dict[Future[ExecutionResult], ExecutionRequest] = {}
    with ThreadPoolExecutor(jobs, thread_name_prefix="notebook") as pool:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    request = waiting.popleft()
                    on_start(request)
                    told = replace(request, variables={**defaults, **request.variables})
                    running[pool.submit(run_notebook, told, cancelled=cancelled)] = request
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            # Leaving the pool waits until the kernels are gone.
            cancelled.set()
