"""Which notebook starts next, and on which GPUs: slots of processors, memory and GPUs, without any process or clock.

The longest starts first, and before them all whose time nobody knows. Where the next one does not fit, a later one may
start; but it is passed only so often before what it lacks is kept for it. Waiting notebooks are kept by what they take,
so that a start looks at a few kinds of them, however many there are.
"""

import datetime
import heapq
import itertools
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from d2lbuild.execution.devices import Gpu, Machine
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Failure, Needs, Status
from d2lbuild.notation import show_size

__all__ = ["Demand", "Grant", "Queue", "Scheduler", "demand_of", "device_name", "refusal", "skipped"]

_KINDS_LOOKED_AT = 32
"""Kinds of waiting notebooks that one start considers: books have a handful."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one run takes of a machine, beside a slot."""

    gpus: int = 0
    gpu_memory: int | None = None
    """Bytes of its one GPU; None for whole GPUs."""
    memory: int = 0


def demand_of(needs: Needs, machine: Machine) -> Demand:
    """Return what a run takes of a machine that can run it: see `refusal`."""
    gpus = needs.gpus or int(needs.uses_gpu and _has_gpu(machine, needs.gpu_memory))
    shared = needs.gpu_memory if gpus == 1 else None
    return Demand(gpus, shared, (needs.memory or 0) if machine.memory is not None else 0)


def refusal(needs: Needs, machine: Machine, name: str = "this machine") -> str:
    """Return why a machine can never run a notebook; the empty string if it can."""
    count = len(machine.gpus)
    if needs.gpus > count:
        return f"it needs {needs.gpus} GPU{'s' * (needs.gpus > 1)}; {name} has {count or 'none'}"
    if needs.gpus and needs.gpu_memory is not None and not _has_gpu(machine, needs.gpu_memory):
        largest = show_size(max(gpu.memory for gpu in machine.gpus))
        return f"it needs a GPU with {show_size(needs.gpu_memory)} of memory; {name} has {largest}"
    if needs.memory is not None and machine.memory is not None and needs.memory > machine.memory:
        return f"it needs {show_size(needs.memory)} of memory; {name} has {show_size(machine.memory)}"
    return ""


def skipped(request: ExecutionRequest, reason: str) -> ExecutionResult:
    """Return the result of a notebook that is not run."""
    return ExecutionResult(
        status=Status.SKIPPED,
        outputs=((),) * len(request.cells),
        seconds=0.0,
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        failure=Failure(None, Status.SKIPPED.value, reason),
    )


def device_name(gpus: Sequence[Gpu]) -> str:
    """Return what people call the place of a run: ``cpu``, ``NVIDIA H200``, ``2 × NVIDIA H200``."""
    counts = Counter(gpu.name for gpu in gpus)
    return " + ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items()) or "cpu"


def _has_gpu(machine: Machine, memory: int | None) -> bool:
    return any(_is_large_enough(gpu, memory) for gpu in machine.gpus)


def _is_large_enough(gpu: Gpu, memory: int | None) -> bool:
    """Whether a GPU has some memory; one that does not tell its size is believed to."""
    return memory is None or not gpu.memory or gpu.memory >= memory


# --- waiting --------------------------------------------------------------------------------------------------------


_Place = tuple[float, int, Demand, ExecutionRequest]
"""Where a request stands: its rank, a number of its own that makes the rest never count, and what is there."""


class Queue:
    """Waiting requests by what they take, the longest of each kind first."""

    def __init__(self) -> None:
        self._kinds: dict[Demand, list[_Place]] = {}
        """For each kind a heap."""
        self._firsts: list[_Place] = []
        """The first of each kind, in order."""
        self._numbers = itertools.count()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, request: ExecutionRequest, demand: Demand) -> None:
        """Let a request wait; those alike are taken in the order in which they came."""
        rank = float("-inf") if request.expected is None else -request.expected
        place = (rank, next(self._numbers), demand, request)
        kind = self._kinds.setdefault(demand, [])
        first = kind[0] if kind else None
        heapq.heappush(kind, place)
        self._length += 1
        if kind[0] is place:
            if first is not None:
                self._forget(first)
            insort(self._firsts, place)

    def take(self, demand: Demand) -> ExecutionRequest:
        """Take the first request of a kind; KeyError if there is none."""
        kind = self._kinds[demand]
        place = heapq.heappop(kind)
        self._length -= 1
        self._forget(place)
        if kind:
            insort(self._firsts, kind[0])
        else:
            del self._kinds[demand]
        return place[-1]

    def first_kinds(self) -> list[Demand]:
        """Return the kinds in the order of their first requests, and no more than a start should look at."""
        return [demand for _, _, demand, _ in self._firsts[:_KINDS_LOOKED_AT]]

    def _forget(self, first: _Place) -> None:
        del self._firsts[bisect_left(self._firsts, first)]


# --- running --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """Leave for one notebook to run, until `Scheduler.end`."""

    request: ExecutionRequest
    """With its GPUs and their name filled in."""
    demand: Demand
    gpus: tuple[int, ...] = ()
    """Their places among the machine's."""


class Scheduler:
    """Gives out a machine's slots, memory and GPUs."""

    def __init__(self, requests: Iterable[ExecutionRequest], machine: Machine, jobs: int) -> None:
        self._machine = machine
        self._jobs = jobs
        self._waiting = Queue()
        self._running: set[Grant] = set()
        self._memory = machine.memory or 0
        self._whole = set(range(len(machine.gpus)))
        """The GPUs that nobody uses."""
        self._shared: dict[int, int] = {}
        """What is left of the memory of GPUs that somebody shares."""
        self._passed: Counter[Demand] = Counter()
        """How often the first of a kind has been passed by one that took what it lacks."""
        refused: list[tuple[ExecutionRequest, ExecutionResult]] = []
        for request in requests:
            if reason := refusal(request.needs, machine):
                refused.append((request, skipped(request, reason)))
            else:
                self._waiting.add(request, demand_of(request.needs, machine))
        self.refused = tuple(refused)
        """What this machine can never run, and the results that say why."""

    def __bool__(self) -> bool:
        """Whether a notebook waits or runs."""
        return bool(self._waiting or self._running)

    def start(self) -> Grant | None:
        """Return the notebook to start now; None if one that runs has to end first."""
        if len(self._running) >= self._jobs:
            return None
        passed: list[tuple[Demand, set[str]]] = []
        kept: set[str] = set()
        for demand in self._waiting.first_kinds():
            lacking, taken = self._lacking(demand), _taken(demand)
            if not lacking and not taken & kept:
                self._passed.update(one for one, lacks in passed if lacks & taken)
                del self._passed[demand]
                return self._granted(demand)
            passed.append((demand, lacking))
            if self._passed[demand] >= self._jobs:
                kept |= lacking
        return None

    def end(self, grant: Grant) -> None:
        """Take back what a notebook had; KeyError if it does not run."""
        self._running.remove(grant)
        self._memory += grant.demand.memory
        for gpu in grant.gpus:
            if gpu in self._shared:
                self._shared[gpu] += grant.demand.gpu_memory or 0
                if self._shared[gpu] < self._machine.gpus[gpu].memory:
                    continue
                del self._shared[gpu]
            self._whole.add(gpu)

    def _lacking(self, demand: Demand) -> set[str]:
        """Return what there is too little of at the moment for a run."""
        lacking = set()
        if demand.memory > self._memory:
            lacking.add("memory")
        if demand.gpus and not self._gpus_for(demand):
            lacking.add("gpus")
        return lacking

    def _gpus_for(self, demand: Demand) -> list[int]:
        """Choose GPUs that a run can have now; none if there are too few."""
        if demand.gpu_memory is None:
            return heapq.nsmallest(demand.gpus, self._whole) if len(self._whole) >= demand.gpus else []
        fitting = [(left, gpu) for gpu, left in self._shared.items() if left >= demand.gpu_memory]
        if fitting:
            return [min(fitting)[1]]
        gpus = self._machine.gpus
        fresh = [gpu for gpu in self._whole if _is_large_enough(gpus[gpu], demand.gpu_memory)]
        # The smallest that will do; one of an unknown size is given as a whole.
        return [min(fresh, key=lambda gpu: (gpus[gpu].memory or float("inf"), gpu))] if fresh else []

    def _granted(self, demand: Demand) -> Grant:
        request = self._waiting.take(demand)
        self._memory -= demand.memory
        places = tuple(self._gpus_for(demand)) if demand.gpus else ()
        gpus = tuple(self._machine.gpus[place] for place in places)
        share = None
        self._whole.difference_update(places)
        if demand.gpu_memory is not None and gpus[0].memory:
            self._shared[places[0]] = self._shared.get(places[0], gpus[0].memory) - demand.gpu_memory
            share = demand.gpu_memory / gpus[0].memory
        told = replace(request, gpus=tuple(gpu.uuid for gpu in gpus), gpu_share=share, device=device_name(gpus))
        grant = Grant(told, demand, places)
        self._running.add(grant)
        return grant


def _taken(demand: Demand) -> set[str]:
    """Return what a run takes that others may lack."""
    return {name for name, amount in (("memory", demand.memory), ("gpus", demand.gpus)) if amount}
