"""The plan of a build: what the cache has, what failed and has not changed since, and what has to run, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from d2lbuild.execution.results.cache import ResultCache, discard
from d2lbuild.execution.results.entries import DamagedEntry, Entry
from d2lbuild.execution.results.history import History, HistoryRecord
from d2lbuild.execution.results.keys import DigestOf, KeyParts
from d2lbuild.model import ExecutionResult, Status

__all__ = ["BuildPlan", "KnownResult", "NotebookToRun", "PlannedRun", "loaded", "plan", "shard"]

_MAX_NAMES = 4

_NO_RESULT = "no result in the cache"

_NOT_KEPT = {
    Status.FAILED: "failed before, and that failure is not in the cache",
    Status.TIMEOUT: "timed out before",
    Status.DIED: "its kernel died before",
    Status.NOT_STARTED: "its kernel did not start before",
}


@dataclass(frozen=True, slots=True)
class NotebookToRun:
    """A notebook whose outputs are wanted."""

    section: str
    framework: str
    parts: KeyParts
    """Those that are known before a run."""
    details: Callable[[], Mapping[str, str]] = field(default=dict, compare=False)
    """Returns the texts behind the digests, by the names of parts, beside those that the parts bring: ``environment``
    its versions, a line each as in a lock, ``library:train`` code."""

    @property
    def key(self) -> str:
        """Its key without the files that it will be found to read."""
        return self.parts.key


@dataclass(frozen=True, slots=True)
class KnownResult:
    """A notebook and its result in the cache, whose outputs are read when they are asked for."""

    notebook: NotebookToRun
    found: Entry | ExecutionResult

    @property
    def head(self) -> ExecutionResult:
        """The result, perhaps without outputs: how it ended, when, how long it took."""
        return self.found.head if isinstance(self.found, Entry) else self.found

    @property
    def result(self) -> ExecutionResult:
        """The whole result. After `loaded` this cannot fail."""
        return self.found.load() if isinstance(self.found, Entry) else self.found


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A notebook that has to run."""

    notebook: NotebookToRun
    why: str
    """``never run``, ``code changed``, ``library changed: train, Timer``, ``timed out before``, …"""
    seconds: float | None
    """How long it took the last time."""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a build will do about outputs."""

    cached: tuple[KnownResult, ...]
    failed: tuple[KnownResult, ...]
    """Cells raised, and nothing has changed since: these are shown again, not run again."""
    todo: tuple[PlannedRun, ...]
    """Longest first, so that no long one runs alone at the end; those never run before come before all."""


def plan(
    wanted: Sequence[NotebookToRun],
    cache: ResultCache,
    history: History,
    *,
    digest_of: DigestOf,
    rerun_failed: bool = False,
    force: bool = False,
    rerun: Callable[[NotebookToRun], bool] = lambda _: False,
) -> BuildPlan:
    """Compare the wanted notebooks with the cache; outputs are not read.

    `digest_of` says what the files that notebooks were found to read hold now. `force` runs all notebooks, `rerun`
    those of which it says so.
    """
    asked = ["forced" if force else "asked for" if rerun(notebook) else "" for notebook in wanted]
    looked_up = [notebook.parts for notebook, why in zip(wanted, asked, strict=True) if not why]
    entries = iter(cache.find_all(looked_up, digest_of))
    cached: list[KnownResult] = []
    failed: list[KnownResult] = []
    todo: list[PlannedRun] = []
    for notebook, why in zip(wanted, asked, strict=True):
        entry = None if why else next(entries)
        if entry is not None and entry.head.status is Status.DONE:
            cached.append(KnownResult(notebook, entry))
        elif entry is not None and not rerun_failed:
            failed.append(KnownResult(notebook, entry))
        else:
            todo.append(_planned(notebook, history, digest_of, why or ("failed before" if entry else "")))
    return BuildPlan(tuple(cached), tuple(failed), _longest_first(todo))


def loaded(found: BuildPlan) -> BuildPlan:
    """Read the outputs of all known results; a damaged one is removed, and has to be made again."""
    kept: dict[bool, list[KnownResult]] = {False: [], True: []}
    todo = list(found.todo)
    for known in (*found.cached, *found.failed):
        try:
            kept[known.head.failure is None].append(replace(known, found=known.result))
        except (DamagedEntry, OSError):
            if isinstance(known.found, Entry):
                discard(known.found.path)
            todo.append(PlannedRun(known.notebook, "its result in the cache was damaged", known.head.seconds))
    return BuildPlan(tuple(kept[True]), tuple(kept[False]), _longest_first(todo))


def shard(runs: Sequence[PlannedRun], number: int, total: int) -> tuple[PlannedRun, ...]:
    """Return the runs of one of `total` machines, `number` from 1: all take about as long, by what runs took before.

    Machines with the same plan have all of it together, and nothing twice.
    """
    known = [run.seconds for run in runs if run.seconds is not None]
    usual = sum(known) / len(known) if known else 1.0
    loads = [0.0] * total
    mine: set[int] = set()

    def order(place: int) -> tuple[float, str, str]:
        notebook = runs[place].notebook
        return -_seconds(runs[place], usual), notebook.section, notebook.framework

    for place in sorted(range(len(runs)), key=order):
        least = loads.index(min(loads))
        loads[least] += _seconds(runs[place], usual)
        if least == number - 1:
            mine.add(place)
    return tuple(run for place, run in enumerate(runs) if place in mine)


def _seconds(run: PlannedRun, usual: float) -> float:
    return usual if run.seconds is None else run.seconds


def _longest_first(runs: Sequence[PlannedRun]) -> tuple[PlannedRun, ...]:
    # Sorting is stable: without a known time they stay in reading order.
    return tuple(sorted(runs, key=lambda run: float("-inf") if run.seconds is None else -run.seconds))


def _planned(notebook: NotebookToRun, history: History, digest_of: DigestOf, why: str) -> PlannedRun:
    record = history.get(notebook.section, notebook.framework)
    if record is None:
        return PlannedRun(notebook, why or "never run", None)
    # A run that was ended tells at least that it takes this long.
    seconds = max(record.seconds, record.expected or 0.0) if record.status is Status.TIMEOUT else record.expected
    return PlannedRun(notebook, why or _reasons(notebook, record, digest_of), seconds)


def _reasons(notebook: NotebookToRun, record: HistoryRecord, digest_of: DigestOf) -> str:
    now = notebook.parts.with_present(KeyParts(record.parts).inputs, digest_of)
    reasons = [_reason(kind, names) for kind, names in now.changes(record.parts).items()]
    return "; ".join(reasons) or _NOT_KEPT.get(record.status, _NO_RESULT)


def _reason(kind: str, names: list[str]) -> str:
    if kind == "schema":
        return "d2lbuild changed"
    shown = [name for name in names if name]
    more = f", and {len(shown) - _MAX_NAMES} more" if len(shown) > _MAX_NAMES else ""
    return f"{kind} changed" + (f": {', '.join(shown[:_MAX_NAMES])}{more}" if shown else "")
