"""What runs on the machines of a Ray cluster: one notebook, which streams what happens to it, its result last."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from d2lbuild.errors import D2lbuildError
from d2lbuild.execution.backends.shipping import Contents, Delivery, Tree, unpack
from d2lbuild.execution.devices import Gpu, find_gpus
from d2lbuild.execution.faults import not_started
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import CancelledRun, run_notebook
from d2lbuild.execution.scheduler import device_name
from d2lbuild.model import ExecutionResult

if TYPE_CHECKING:
    from d2lbuild.execution.kernels.warm import WarmKernels

__all__ = ["AtCell", "Event", "Note", "Started", "gpu_memory", "run_delivery"]


@dataclass(frozen=True, slots=True)
class Started:
    """A task begins to run."""

    device: str
    """What it runs on."""


@dataclass(frozen=True, slots=True)
class AtCell:
    """A notebook has come to a cell."""

    index: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a user should know."""

    message: str


Event = Started | AtCell | Note | ExecutionResult

_GLANCE = 0.2
"""Seconds."""

_Words = SimpleQueue[Event | Exception | None]
"""What the thread that runs a notebook says; None when it was cancelled."""


def run_delivery(delivery: Delivery, contents: Mapping[str, list[Any]], gpus: bool, fork: bool) -> Iterator[Event]:
    """Run a notebook where Ray has put this task; `gpus` says whether it has been given any.

    `contents` has, for each tree by its digest, a reference to its contents, in a list so that Ray fetches nothing
    unasked. A defect of d2lbuild is raised.
    """
    request = _with_gpus(delivery.request) if gpus else delivery.request
    yield Started(request.device)
    words: _Words = SimpleQueue()
    cancelled = threading.Event()

    def work() -> None:
        try:
            told = unpack(
                replace(delivery, request=request), _fetch_from(contents), cache_home(), _announce(request, words)
            )
            words.put(_run(told, cancelled, words, fork=fork))
        except CancelledRun:
            words.put(None)
        except (D2lbuildError, OSError) as error:
            hint = f" ({error.hint})" if isinstance(error, D2lbuildError) and error.hint else ""
            words.put(not_started(request, f"it could not be run on {socket.gethostname()}: {error}{hint}"))
        except Exception as error:
            words.put(error)

    thread = threading.Thread(target=work, name="notebook", daemon=True)
    thread.start()
    try:
        while (word := _next(words)) is not None:
            if isinstance(word, Exception):
                raise word
            yield word
            if isinstance(word, ExecutionResult):
                return
    finally:
        # Ray interrupts a task that is cancelled: its kernel must be gone before this process takes the next one.
        cancelled.set()
        thread.join()


def _next(words: _Words) -> Event | Exception | None:
    """Wait for a word, but not so deeply that Ray's interrupt of a cancelled task would be missed."""
    while True:
        try:
            return words.get(timeout=_GLANCE)
        except Empty:
            continue


def gpu_memory() -> int:
    """Return the memory of the smallest GPU of the machine that this runs on; 0 if it is unknown."""
    # Without the other variables: Ray hides the GPUs from tasks that ask for none.
    return min((gpu.memory for gpu in find_gpus({"PATH": os.environ.get("PATH", os.defpath)})), default=0)


def _run(request: ExecutionRequest, cancelled: threading.Event, words: _Words, *, fork: bool) -> ExecutionResult:
    warm = _warm_kernels() if fork else None
    noted = len(warm.fallbacks) if warm else 0
    result = run_notebook(request, cancelled=cancelled, warm=warm, on_cell=lambda index: words.put(AtCell(index)))
    for note in warm.fallbacks[noted:] if warm else ():
        words.put(Note(f"on {socket.gethostname()}: {note}"))
    return result


def _with_gpus(request: ExecutionRequest) -> ExecutionRequest:
    """Fill in the GPUs that Ray has given to this task."""
    names = tuple(filter(None, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")))
    known = find_gpus()
    return replace(request, gpus=names, gpu_share=_share(request, known), device=device_name(known) if known else "GPU")


def _share(request: ExecutionRequest, gpus: Sequence[Gpu]) -> float | None:
    if request.needs.gpu_memory is None or len(gpus) != 1 or not gpus[0].memory:
        return None
    return min(1.0, request.needs.gpu_memory / gpus[0].memory)


def _fetch_from(contents: Mapping[str, list[Any]]) -> Callable[[Tree], Contents]:
    import ray  # noqa: PLC0415

    def fetch(tree: Tree) -> Contents:
        found: Contents = ray.get(contents[tree.digest][0])
        return found

    return fetch


def _announce(request: ExecutionRequest, words: _Words) -> Callable[[str], None]:
    """Return what hears uv make an environment, and tells it once."""
    told = threading.Event()

    def hear(_: str) -> None:
        if not told.is_set():
            told.set()
            words.put(Note(f"{socket.gethostname()} makes the environment of {request.framework}"))

    return hear


@cache
def _warm_kernels() -> "WarmKernels":
    """Return what forks kernels in this process of the cluster, until the process ends."""
    from d2lbuild.execution.kernels.warm import WarmKernels  # noqa: PLC0415

    return WarmKernels().__enter__()
