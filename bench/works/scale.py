"""What ten thousand sections in six frameworks cost on two hundred workers: everything is real but the workers.

Sections are read, editions made, keys reckoned, results looked up and kept as in any build; the driver of the cluster
gives the notebooks out, in Ray's place stands a cluster whose clock is counted, not waited for. Its workers run a
notebook for the seconds that it is said to take; some are lost, with what they ran, and come back.
"""

import heapq
import itertools
import os
import pickle
import random
import resource
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bench.measuring import MEGABYTE, OURS, Rows, Setting
from d2lbuild.building import BuildRequest
from d2lbuild.config import Config, load_config
from d2lbuild.edition.edition import make_edition
from d2lbuild.execution.backends import ray as backend
from d2lbuild.execution.backends.ray_task import AtCell, Started
from d2lbuild.execution.plan import NotebookToRun
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Status
from d2lbuild.notebook_runs import NotebookRuns
from d2lbuild.source.book import load_book

TITLE = "Very large books, by simulation"
ABOUT = """\
Books of up to 10,000 sections in six frameworks, 60,000 notebooks, on 200 workers, without kernels: reading,
planning, look-ups, giving out and keeping are those of a real build; the workers are simulated, with a clock that is
counted. A notebook takes 30 seconds in the mean, a worker is lost every 20 minutes of the cluster's time, with what
it ran. Everything is to grow in proportion."""
PLOT = ("bench-scale", "Seconds of planning, look-ups, scheduling and keeping against the number of notebooks.")

SECTIONS = (100, 1_000, 10_000)
FRAMEWORKS = 6
WORKERS = 200
_MEAN_SECONDS = 30.0
_LOSS_EVERY = 1200.0
"""Seconds of the cluster between two losses of a worker."""
_AWAY = 120.0
"""Seconds until a lost worker is back."""
_PRINTED = "x" * 2000
_FINISHED = "2026-01-01T00:00:00+00:00"


def measure(setting: Setting) -> Rows:
    """Plan, run and plan again a book of each size."""
    rows = Rows()
    for sections in SECTIONS:
        folder = setting.folder / str(sections)
        measure_one(folder, sections, rows)
        shutil.rmtree(folder)
    return rows


def measure_one(folder: Path, sections: int, rows: Rows) -> "Cluster":
    """Measure a book of so many sections; return the cluster that has run it."""
    size = f"{sections * FRAMEWORKS:,} notebooks"
    config = write_book(folder / "book", sections)
    cluster = Cluster(WORKERS)
    watch = _Watch()
    with patch.dict(os.environ, {"D2LBUILD_CACHE": str(folder / "cache")}), _in_place_of_ray(cluster):
        read = tuple(load_book(config).sections.values())
        names = tuple(one.name for one in config.frameworks)
        editions = {name: make_edition(config, read, name) for name in names}
        watch.lap("reading, making editions")
        runs = _Runs(config, BuildRequest(names, backend="ray"), editions)
        plan = runs.plan()
        watch.lap("nothing known, planning")
        given_up = sum(result.status is not Status.DONE for _, result in runs.run(plan))
        watch.lap("scheduling", less=runs.watch.total + cluster.watch.total)
        known = runs.plan()
        watch.lap("all known, look-ups")
    if not len(plan.todo) == len(known.cached) + given_up == sections * FRAMEWORKS:
        raise SystemExit(f"of {len(plan.todo)} notebooks {len(known.cached)} are known, {given_up} were given up")
    for what, seconds in {**watch.laps, "keeping results": runs.watch.total}.items():
        rows.note(f"{size}: {what}", OURS, seconds)
    rows.note(f"{size}: bytes to workers", OURS, cluster.sent / MEGABYTE, "MB")
    rows.note(f"{size}: bytes of results", OURS, cluster.received / MEGABYTE, "MB")
    rows.note(f"{size}: lost with their worker", OURS, cluster.lost, "notebooks")
    rows.note(f"{size}: given up, since they were lost twice", OURS, given_up, "notebooks")
    rows.note(f"{size}: the workers' time in use", OURS, 100 * cluster.busy / (cluster.now * WORKERS), "%")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    rows.note(f"{size}: memory of this process", OURS, peak / MEGABYTE, "MB")
    return cluster


class _Watch:
    """Tells how long things take."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.total = 0.0
        self._begun = time.perf_counter()

    def lap(self, what: str, *, less: float = 0.0) -> None:
        """Note the time since the last lap, less what was no part of it."""
        now = time.perf_counter()
        self.laps[what] = now - self._begun - less
        self._begun = now

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add what is done meanwhile to the total."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.total += time.perf_counter() - begun


@dataclass(frozen=True)
class _Runs(NotebookRuns):
    """Runs that know how long the keeping of their results takes."""

    watch: _Watch = field(default_factory=_Watch)

    def _keep(self, notebook: NotebookToRun, result: ExecutionResult) -> None:
        with self.watch.running():
            super()._keep(notebook, result)


@contextmanager
def _in_place_of_ray(cluster: "Cluster") -> Iterator[None]:
    """Let the driver find a simulated cluster, and live in its time."""
    clock = SimpleNamespace(monotonic=lambda: cluster.now)
    with patch.object(backend, "_connected", lambda _: nullcontext(cluster)), patch.object(backend, "time", clock):
        yield


# --- the book -------------------------------------------------------------------------------------------------------

_CONF = """\
[book]
name = "large"
title = "A Large Book"
author = "Nobody"
frameworks = [{names}]

[execution]
"""
_FRAMEWORK = """\
name = "{name}"
title = "{name}"
module = "{name}"
prefix = "{name}"
packages = ["numpy"]
"""
_INDEX = "# A Large Book\n\n```toc\n:numbered:\n\n{entries}\n```\n"
_SECTION = """\
# Section {number}
:label:`sec_{number}`

Prose of section {number}, which :numref:`sec_{other}` goes on with.

{cells}
```{{.python .input}}
%%tab all
def reckon_{number}(x): #@save
    return x * {number}
```

```{{.python .input}}
%%tab all
print(d2l.reckon_{other}({number}), reckon_{number}({number}))
```
"""
_CELL = """\
```{{.python .input}}
%%tab {name}
from d2l import {name} as d2l
weight = {number}
```
"""


def write_book(root: Path, sections: int) -> Config:
    """Write a book of so many sections, in chapters of a hundred, each of which uses what the one before it saves."""
    names = [f"framework{number}" for number in range(FRAMEWORKS)]
    (root / "conf").mkdir(parents=True)
    (root / "conf" / "book.toml").write_text(_CONF.format(names=", ".join(f'"{name}"' for name in names)), "utf-8")
    for name in names:
        folder = root / "frameworks" / name
        folder.mkdir(parents=True)
        (folder / "framework.toml").write_text(_FRAMEWORK.format(name=name), "utf-8")
        (folder / "requirements.in").write_text("numpy\n", "utf-8")
        (folder / "requirements.txt").write_text("ipykernel==6.29.5\nnumpy==2.0.0\n", "utf-8")
    chapters = []
    for first in range(0, sections, 100):
        chapter = root / "chapters" / f"chapter{first // 100}"
        chapter.mkdir(parents=True)
        numbers = range(first, min(first + 100, sections))
        for number in numbers:
            cells = "\n".join(_CELL.format(name=name, number=number) for name in names)
            text = _SECTION.format(number=number, other=max(0, number - 1), cells=cells)
            (chapter / f"section{number}.md").write_text(text, "utf-8")
        entries = "\n".join(f"section{number}" for number in numbers)
        (chapter / "index.md").write_text(_INDEX.format(entries=entries), "utf-8")
        chapters.append(f"{chapter.name}/index")
    (root / "chapters" / "index.md").write_text(_INDEX.format(entries="\n".join(chapters)), "utf-8")
    return load_config(root)


# --- the cluster ----------------------------------------------------------------------------------------------------


class LostError(Exception):
    """A worker has gone."""


class RaisedError(LostError):
    """A task has raised something; here none does."""


@dataclass(eq=False)
class Task:
    """A notebook on the cluster; also what Ray streams of it."""

    request: ExecutionRequest
    size: int
    """Bytes that went with it."""
    files: tuple[int, ...]
    """The places of what its worker has to have."""
    seconds: float
    begun: float = 0.0
    said: deque[Any] = field(default_factory=deque)

    def __next__(self) -> Any:
        if not self.said:
            raise StopIteration
        return self.said.popleft()

    def completed(self) -> "Task":
        """Return what tells that it has ended."""
        return self


class Cluster:
    """Workers with one processor each, in place of the module `ray`; its clock jumps from event to event."""

    exceptions = SimpleNamespace(RayError=LostError, RayTaskError=RaisedError)

    def __init__(self, workers: int, *, seed: int = 1) -> None:
        self.now = 0.0
        self.sent = 0
        """Bytes that went to workers: tasks, and what a worker fetches the first time."""
        self.received = 0
        self.lost = 0
        self.busy = 0.0
        self.watch = _Watch()
        """How long simulating takes."""
        self._chance = random.Random(seed)
        self._free = list(range(workers))
        self._alive = set(self._free)
        self._running: dict[int, Task] = {}
        self._waiting: deque[Task] = deque()
        self._heard: dict[Task, None] = {}
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._store: list[int] = []
        self._fetched: set[tuple[int, int]] = set()
        self._at(self._chance.expovariate(1 / _LOSS_EVERY), self._lose)

    # What the driver asks of Ray.

    def nodes(self) -> list[dict[str, Any]]:
        """Return the machines."""
        return [{"Alive": True, "NodeID": str(one), "Resources": {"CPU": 1.0}} for one in sorted(self._alive)]

    def put(self, contents: Mapping[str, bytes]) -> int:
        """Keep files for workers; return their place."""
        self._store.append(sum(map(len, contents.values())))
        return len(self._store) - 1

    def remote(self, _: Callable[..., Any]) -> Any:
        """Return what makes tasks."""
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._give))

    def wait(self, _: Sequence[Task], num_returns: int, timeout: float, **__: Any) -> tuple[list[Task], list[Task]]:
        """Return tasks that have said something; with a timeout, go on to the time at which one does."""
        with self.watch.running():
            heard = [task for task in self._heard if task.said]
            self._heard = dict.fromkeys(heard)
            while timeout and not self._heard and self._events:
                self.now, _number, happen = heapq.heappop(self._events)
                happen()
            return list(itertools.islice(self._heard, num_returns)), []

    def get(self, value: Any) -> Any:
        """Return what a task has said. Raises what has become of it."""
        if isinstance(value, Exception):
            raise value
        return value

    def cancel(self, _: Task) -> None:
        """Do nothing: at the end all tasks have ended."""

    # What happens in it.

    def _give(self, delivery: Any, contents: Mapping[str, Sequence[int]], *_: Any) -> Task:
        with self.watch.running():
            seconds = min(self._chance.expovariate(1 / _MEAN_SECONDS), 20 * _MEAN_SECONDS)
            files = tuple(place for places in contents.values() for place in places)
            task = Task(delivery.request, len(pickle.dumps(delivery)), files, seconds)
            self._waiting.append(task)
            self._assign()
            return task

    def _assign(self) -> None:
        while self._waiting and self._free:
            task, worker = self._waiting.popleft(), self._free.pop()
            task.begun = self.now
            self._running[worker] = task
            self.sent += task.size
            for file in task.files:
                if (worker, file) not in self._fetched:
                    self._fetched.add((worker, file))
                    self.sent += self._store[file]
            self._say(task, Started("cpu"), AtCell(0))
            self._at(task.seconds, partial(self._end, task, worker))

    def _end(self, task: Task, worker: int) -> None:
        if self._running.get(worker) is not task:
            return  # it was lost
        del self._running[worker]
        self.busy += self.now - task.begun
        printed = ({"output_type": "stream", "name": "stdout", "text": _PRINTED},)
        outputs = (*((),) * (len(task.request.cells) - 1), printed)
        result = ExecutionResult(Status.DONE, outputs, task.seconds, _FINISHED)
        self.received += len(pickle.dumps(result))
        self._say(task, result)
        self._free.append(worker)
        self._assign()

    def _lose(self) -> None:
        worker = self._chance.choice(sorted(self._alive))
        self._alive.discard(worker)
        self._fetched = {(one, file) for one, file in self._fetched if one != worker}
        if (task := self._running.pop(worker, None)) is not None:
            self.lost += 1
            self.busy += self.now - task.begun
            self._say(task, LostError("its worker was lost"))
        else:
            self._free.remove(worker)
        self._at(_AWAY, partial(self._return, worker))
        self._at(self._chance.expovariate(1 / _LOSS_EVERY), self._lose)

    def _return(self, worker: int) -> None:
        self._alive.add(worker)
        self._free.append(worker)
        self._assign()

    def _at(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), happen))

    def _say(self, task: Task, *words: Any) -> None:
        task.said += words
        self._heard[task] = None
