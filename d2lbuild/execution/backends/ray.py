"""Notebooks on the machines of a Ray cluster: one remote task each, placed by Ray, in the order that is decided here.

What is lost, a process or a whole machine, is run once more elsewhere. Ray is imported only when it is asked for; it
reports nothing to anyone, shows no dashboard, and prints nothing.
"""

import importlib
import logging
import math
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import d2lbuild
from d2lbuild.errors import SetupError, UsageError
from d2lbuild.execution.backends.local import with_threads
from d2lbuild.execution.backends.ray_task import AtCell, Event, Note, Started, gpu_memory, run_delivery
from d2lbuild.execution.backends.shipping import (
    Contents,
    Delivery,
    Recipe,
    Tree,
    pack,
    pack_folder,
    pack_framework,
    packed,
)
from d2lbuild.execution.devices import Gpu, Machine
from d2lbuild.execution.faults import ATTEMPTS, is_fault, not_started
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.running import BackendOptions, RunObserver
from d2lbuild.execution.scheduler import Demand, Queue, demand_of, refusal, skipped
from d2lbuild.model import ExecutionResult, Needs

__all__ = ["run_all"]

_GLANCE = 1.0
"""Seconds after which the driver looks at the cluster, even if nothing happens."""
_REFRESH = 5.0
"""Seconds for which what is known of the machines is good enough."""
_PATIENCE = 300.0
"""Seconds to wait for a machine that could run a notebook, after the last such one has gone."""
_PARTING = 30.0
"""Seconds that cancelled tasks have to end their kernels."""
_AHEAD = 4
"""Tasks of a kind that wait in the cluster, at the least: so there is always one to start, and a cluster that grows
sees what it is needed for."""

_STARTS = 5
"""How often a notebook is given to the cluster before it begins to run: machines come and go."""
_IMPORT = "failed to import on the worker"
"""In Ray's message about a machine that cannot even begin."""


def run_all(
    requests: Sequence[ExecutionRequest], options: BackendOptions, observer: RunObserver
) -> Generator[tuple[ExecutionRequest, ExecutionResult], None, None]:
    """Run notebooks on a cluster, the longest first, and yield each as it ends.

    What no machine of the cluster can run comes first, as skipped. Closing the generator ends what runs. The observer
    is called in the thread that iterates. Raises SetupError without Ray or a cluster, UsageError for an address that
    cannot be used; a defect of d2lbuild itself is raised when everything else has been run.
    """
    if not requests:
        return
    with _connected(options.address) as ray:
        driver = _Driver(ray, requests, options, observer)
        try:
            yield from driver.results()
        finally:
            driver.cancel()


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Connect to the cluster at an address, to the one of this machine, or start one; a connection is reused."""
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise SetupError("Ray is not installed", hint="run `pip install d2lbuild[ray]`") from error
    if "://" in address:
        raise UsageError(
            f"the address {address} is for Ray's client, which does not stream",
            hint="run the build on a machine of the cluster, or as `ray job submit`; name HOST:6379, or no address",
        )
    # What Ray says of lost machines would go to stdout, among the results; the observer hears of them in any case.
    inside: Any = importlib.import_module("ray._private.worker")
    inside._worker_logs_enabled = False
    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(
            address=address or None,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            # The cluster runs the very code that runs here; only what it depends on has to be installed there.
            runtime_env={"py_modules": [str(Path(d2lbuild.__file__).parent)], "excludes": ["__pycache__"]},
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise SetupError(
            f"no cluster at {address or 'this machine'}: {error}", hint="start one with `ray start --head`"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@dataclass(slots=True, eq=False)
class _Task:
    """A notebook that has been given to the cluster."""

    request: ExecutionRequest
    demand: Demand
    stream: Any = None
    """Ray's generator of references to events."""
    attempt: int = 1
    starts: int = 1
    """How often it has been given to the cluster."""
    started: bool = False


class _Driver:
    """Gives notebooks to the cluster, and hears what becomes of them."""

    def __init__(
        self, ray: Any, requests: Sequence[ExecutionRequest], options: BackendOptions, observer: RunObserver
    ) -> None:
        self._ray = ray
        self._options = options
        self._observer = observer
        self._shelf = _Shelf(ray, options)
        self._remote = ray.remote(run_delivery)
        self._cluster = _Cluster(ray, wants_shares=any(one.needs.gpu_memory for one in requests))
        self._cluster.refresh()
        if not self._cluster.cpus:
            raise SetupError(
                "the cluster has no machine with processors for notebooks",
                hint="wait until its workers have started, or let it keep one at least",
            )
        slots = min(options.jobs or self._cluster.cpus, len(requests))
        # As on one machine, but no task can have more processors than the smallest one has.
        self._threads = max(1, min(self._cluster.cpus // slots, self._cluster.fewest_cpus))
        self._waiting = Queue()
        self._refused: list[tuple[ExecutionRequest, ExecutionResult]] = []
        for request in requests:
            told = with_threads(request, self._threads)
            if reason := self._cluster.refusal(request):
                self._refused.append((told, skipped(told, reason)))
            else:
                self._waiting.add(told, self._cluster.demand(request))
        self._tasks: dict[Any, _Task] = {}
        """By their streams."""
        self._starting: Counter[Demand] = Counter()
        """How many tasks of a kind have not begun to run."""
        self._defects: list[Exception] = []

    def results(self) -> Iterator[tuple[ExecutionRequest, ExecutionResult]]:
        """Run everything."""
        yield from self._refused
        while self._waiting or self._tasks:
            self._submit()
            for task in self._ready():
                result = self._hear(task)
                if result is not None:
                    yield task.request, result
            if self._cluster.refresh():
                for task in self._hopeless():
                    self._forget(task)
                    yield task.request, not_started(task.request, self._cluster.refusal(task.request))
        if self._defects:
            raise self._defects[0]

    def cancel(self) -> None:
        """End what runs, and wait for it."""
        for task in self._tasks.values():
            self._cancel(task)
        ends = [task.stream.completed() for task in self._tasks.values()]
        if ends:
            # What does not end by itself ends with the connection. Ray's way to force it crashes now and then.
            self._ray.wait(ends, num_returns=len(ends), timeout=_PARTING, fetch_local=False)

    def _cancel(self, task: _Task) -> None:
        # A machine that has gone cannot be told.
        with suppress(Exception):
            self._ray.cancel(task.stream)

    # --- giving ---

    def _submit(self) -> None:
        ahead = max(_AHEAD, self._cluster.cpus // self._threads)
        while self._waiting and (self._options.jobs is None or len(self._tasks) < self._options.jobs):
            demand = next((one for one in self._waiting.first_kinds() if self._starting[one] < ahead), None)
            if demand is None:
                return
            self._give(_Task(self._waiting.take(demand), demand))

    def _give(self, task: _Task) -> None:
        request, demand = task.request, task.demand
        delivery, contents = self._shelf.delivery(request)
        remote = self._remote.options(
            num_returns="streaming",
            max_retries=0,  # that is decided here, and told
            num_cpus=self._threads,
            num_gpus=self._cluster.share(demand),
            memory=demand.memory or None,
            name=f"{request.section} ({request.framework})",
        )
        task.stream = remote.remote(delivery, contents, bool(demand.gpus), self._options.fork)
        self._tasks[task.stream] = task
        self._starting[demand] += 1

    # --- hearing ---

    def _ready(self) -> list[_Task]:
        """Return the tasks that something can be heard of, after a moment at the latest."""
        streams = list(self._tasks)
        if not streams:
            return []
        ready, _ = self._ray.wait(streams, num_returns=1, timeout=_GLANCE, fetch_local=False)
        if ready:
            ready, _ = self._ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
        return [self._tasks[stream] for stream in ready]

    def _hear(self, task: _Task) -> ExecutionResult | None:
        """Take one event of a task, and return its result if that is it."""
        errors = self._ray.exceptions
        try:
            event: Event = self._ray.get(next(task.stream))
        except errors.RayTaskError as error:
            self._forget(task)
            if _IMPORT in str(error):
                missing = str(error).strip().splitlines()[-1].strip()
                raise SetupError(
                    f"the machines of the cluster lack what d2lbuild needs: {missing}",
                    hint="install it there, with `pip install d2lbuild[ray]`",
                ) from None
            self._defects.append(error)
            return None
        except (errors.RayError, StopIteration) as error:
            said = str(error).strip().partition("\n")[0]
            event = not_started(task.request, f"the machine or the process that it ran on was lost: {said}")
        if isinstance(event, ExecutionResult):
            self._forget(task)
            if not task.started and task.starts < _STARTS:
                # It was given to a machine of which nobody knew yet that it had gone.
                self._give(replace(task, starts=task.starts + 1))
                return None
            if is_fault(event) and task.attempt < ATTEMPTS:
                self._observer.retried(task.request, event)
                self._give(replace(task, attempt=task.attempt + 1, started=False))
                return None
            return replace(event, attempts=task.attempt)
        self._tell(task, event)
        return None

    def _tell(self, task: _Task, event: Started | AtCell | Note) -> None:
        if isinstance(event, AtCell):
            self._observer.cell(task.request, event.index)
        elif isinstance(event, Note):
            self._observer.note(event.message)
        else:
            task.started = True
            self._starting[task.demand] -= 1
            task.request = replace(task.request, device=event.device)
            if task.attempt == 1:
                self._observer.started(task.request)

    def _forget(self, task: _Task) -> None:
        del self._tasks[task.stream]
        if not task.started:
            self._starting[task.demand] -= 1

    def _hopeless(self) -> list[_Task]:
        """Return the tasks that have waited too long for a machine that could run them."""
        hopeless = [
            task
            for task in self._tasks.values()
            if not task.started and self._cluster.lacks_for(task.request) > _PATIENCE
        ]
        for task in hopeless:
            self._cancel(task)
        return hopeless


class _Shelf:
    """What has been put into the cluster's store: each file tree once."""

    def __init__(self, ray: Any, options: BackendOptions) -> None:
        self._ray = ray
        self._frameworks = options.frameworks
        self._recipes: dict[str, Recipe] = {}
        self._trees: dict[object, Tree] = {}
        self._contents: dict[str, list[Any]] = {}

    def delivery(self, request: ExecutionRequest) -> tuple[Delivery, Mapping[str, list[Any]]]:
        """Return what travels with a request, and references to the contents of its files."""
        files = self._trees.get(id(request.files)) or self._put(id(request.files), *pack(request.files))
        library = self._trees.get(request.library) or self._put(request.library, *pack_folder(request.library))
        contents = {tree.digest: self._contents[tree.digest] for tree in (files, library)}
        return Delivery(packed(request), self._recipe(request.framework), files, library), contents

    def _put(self, place: object, tree: Tree, contents: Contents) -> Tree:
        self._trees[place] = tree
        if tree.digest not in self._contents:
            self._contents[tree.digest] = [self._ray.put(contents)]
        return tree

    def _recipe(self, name: str) -> Recipe | None:
        if name not in self._recipes and name in self._frameworks:
            self._recipes[name] = pack_framework(self._frameworks[name])
        return self._recipes.get(name)


class _Cluster:
    """The machines of the cluster, as Ray describes them."""

    def __init__(self, ray: Any, *, wants_shares: bool) -> None:
        self._ray = ray
        self._wants_shares = wants_shares
        self._machines: tuple[Machine, ...] = ()
        self._gpu_memory: dict[str, int] = {}
        self._seen = float("-inf")
        self._lacking: dict[Needs, float] = {}
        """Since when no machine can run what takes so much."""

    def refresh(self) -> bool:
        """Look at the machines again if it is time to; return whether it was."""
        now = time.monotonic()
        if now - self._seen < _REFRESH:
            return False
        self._seen = now
        nodes = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        self._machines = tuple(self._machine(node) for node in nodes)
        return True

    def _machine(self, node: Mapping[str, Any]) -> Machine:
        resources: Mapping[str, float] = node["Resources"]
        count = int(resources.get("GPU", 0))
        memory = self._memory_of_gpus(node["NodeID"]) if count and self._wants_shares else 0
        gpus = tuple(Gpu(number, f"{node['NodeID']}/{number}", "GPU", memory) for number in range(count))
        return Machine(int(resources["CPU"]), int(resources.get("memory", 0)) or None, gpus)

    def _memory_of_gpus(self, node: str) -> int:
        if node not in self._gpu_memory:
            strategies = importlib.import_module("ray.util.scheduling_strategies")
            there = strategies.NodeAffinitySchedulingStrategy(node_id=node, soft=False)
            task = self._ray.remote(gpu_memory).options(num_cpus=0, scheduling_strategy=there, max_retries=0)
            with suppress(self._ray.exceptions.RayError):
                self._gpu_memory[node] = self._ray.get(task.remote(), timeout=_PATIENCE)
        return self._gpu_memory.get(node, 0)

    @property
    def cpus(self) -> int:
        """The processors of all machines."""
        return sum(machine.cpus for machine in self._machines)

    @property
    def fewest_cpus(self) -> int:
        """The processors of the machine that has the fewest."""
        return min((machine.cpus for machine in self._machines), default=1)

    def refusal(self, request: ExecutionRequest) -> str:
        """Return why no machine can run a notebook; the empty string if one can."""
        if not self._machines:
            return "there is no machine left in the cluster"
        if any(not refusal(request.needs, machine) for machine in self._machines):
            return ""
        largest = max(self._machines, key=lambda machine: (len(machine.gpus), machine.memory or 0))
        return refusal(request.needs, largest, "the largest machine of the cluster")

    def lacks_for(self, request: ExecutionRequest) -> float:
        """Return for how many seconds no machine has been there that could run a notebook."""
        if not self.refusal(request):
            self._lacking.pop(request.needs, None)
            return 0.0
        return time.monotonic() - self._lacking.setdefault(request.needs, time.monotonic())

    def demand(self, request: ExecutionRequest) -> Demand:
        """Return what a notebook takes of a machine that can run it, of one with GPUs if there is such."""
        able = [machine for machine in self._machines if not refusal(request.needs, machine)]
        return demand_of(request.needs, max(able, key=lambda machine: len(machine.gpus)))

    def share(self, demand: Demand) -> float:
        """Return a demand for GPUs as Ray counts them: a part of one where the sizes of GPUs are known."""
        if demand.gpu_memory is None:
            return demand.gpus
        sizes = [gpu.memory for machine in self._machines for gpu in machine.gpus if gpu.memory >= demand.gpu_memory]
        # Of the smallest, so that the shares of none add up to more than it has. Ray counts in ten-thousandths.
        return min(1.0, math.ceil(10_000 * demand.gpu_memory / min(sizes)) / 10_000) if sizes else 1.0
