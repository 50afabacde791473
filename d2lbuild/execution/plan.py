"""The plan of a build: what the cache has, what failed and has not changed since, and what has to run, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from d2lbuild.execution.cache import History, ResultCache
from d2lbuild.execution.keys import KeyParts
from d2lbuild.model import ExecutionResult, Status

__all__ = ["BuildPlan", "KnownResult", "NotebookToRun", "PlannedRun", "plan"]

_MAX_NAMES = 4


@dataclass(frozen=True, slots=True)
class NotebookToRun:
    """A notebook whose outputs are wanted."""

    section: str
    framework: str
    parts: KeyParts

    @property
    def key(self) -> str:
        """Its key in the cache."""
        return self.parts.key


@dataclass(frozen=True, slots=True)
class KnownResult:
    """A notebook and its result in the cache."""

    notebook: NotebookToRun
    result: ExecutionResult


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A notebook that has to run."""

    notebook: NotebookToRun
    why: str
    """``never run``, ``code changed``, ``library changed: train, Timer``, …"""
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
    rerun_failed: bool = False,
    force: bool = False,
) -> BuildPlan:
    """Compare the wanted notebooks with the cache; `force` runs all of them."""
    cached: list[KnownResult] = []
    failed: list[KnownResult] = []
    todo: list[PlannedRun] = []
    for notebook in wanted:
        result = None if force else cache.get(notebook.key)
        if result is not None and result.status is Status.DONE:
            cached.append(KnownResult(notebook, result))
        elif result is not None and not rerun_failed:
            failed.append(KnownResult(notebook, result))
        else:
            todo.append(_planned(notebook, history, "forced" if force else "failed before" if result else ""))
    # Sorting is stable: without a known time they stay in reading order.
    todo.sort(key=lambda run: float("-inf") if run.seconds is None else -run.seconds)
    return BuildPlan(tuple(cached), tuple(failed), tuple(todo))


def _planned(notebook: NotebookToRun, history: History, why: str) -> PlannedRun:
    record = history.get(notebook.section, notebook.framework)
    if record is None:
        return PlannedRun(notebook, why or "never run", None)
    changes = notebook.parts.changes(record.parts)
    reasons = "; ".join(_reason(kind, names) for kind, names in changes.items())
    return PlannedRun(notebook, why or reasons or "no result in the cache", record.seconds)


def _reason(kind: str, names: list[str]) -> str:
    if kind == "schema":
        return "d2lbuild changed"
    shown = [name for name in names if name]
    more = f", and {len(shown) - _MAX_NAMES} more" if len(shown) > _MAX_NAMES else ""
    return f"{kind} changed" + (f": {', '.join(shown[:_MAX_NAMES])}{more}" if shown else "")
