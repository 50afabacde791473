"""The outputs of a whole book in two states, each as the cache has them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher

from d2lbuild.building import BuildRequest
from d2lbuild.comparison.outputs import Difference, compare_outputs
from d2lbuild.config import Config
from d2lbuild.errors import UsageError
from d2lbuild.execution.results.entries import DamagedEntry
from d2lbuild.model import Cell, ExecutionResult, Span, Status
from d2lbuild.notebook_runs import runs_of
from d2lbuild.revisions import book_at

__all__ = ["CellDifferences", "Comparison", "NotebookDifferences", "State", "compare", "state_at", "state_of"]

Name = tuple[str, str]
"""Of a notebook: its section and its framework."""


@dataclass(frozen=True, slots=True)
class State:
    """The notebooks of a book, as they were at one time."""

    cells: Mapping[Name, tuple[Cell, ...]]
    results: Mapping[Name, ExecutionResult]
    """Those that are known."""


@dataclass(frozen=True, slots=True)
class CellDifferences:
    """A cell whose outputs differ."""

    cell: Cell
    """As it is now, or as it was if it is gone."""
    code_changed: bool
    differences: tuple[Difference, ...]

    @property
    def place(self) -> Span:
        """The line of the chapter on which the code begins."""
        line = self.cell.lines[0] if self.cell.lines else self.cell.span.first
        return Span(self.cell.span.path, line, line)


@dataclass(frozen=True, slots=True)
class NotebookDifferences:
    """A notebook with cells whose outputs differ."""

    section: str
    framework: str
    cells: tuple[CellDifferences, ...]
    versions: tuple[tuple[str, str, str], ...] = ()
    """Packages whose versions differ: name, before, after."""
    ended: tuple[str, str] | None = None
    """How the runs ended, if not in the same way."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out."""

    differing: tuple[NotebookDifferences, ...] = ()
    same: int = 0
    unknown_before: tuple[Name, ...] = ()
    """Notebooks of both states without a result of the first one."""
    unknown_after: tuple[Name, ...] = ()
    added: tuple[Name, ...] = ()
    removed: tuple[Name, ...] = ()


@contextmanager
def state_at(config: Config, revision: str, frameworks: Sequence[str]) -> Iterator[State]:
    """Give the state at a revision of the book's repository. Raises UsageError if there was no book."""
    with book_at(config, revision) as earlier:
        if earlier is None:
            raise UsageError(f"there is no book at {revision}", hint="name a later revision")
        yield state_of(earlier, frameworks)


def state_of(config: Config, frameworks: Sequence[str]) -> State:
    """Return the state of the book as it is now; results come from the cache."""
    runs = runs_of(config, BuildRequest(tuple(frameworks)))
    cells: dict[Name, tuple[Cell, ...]] = {}
    results: dict[Name, ExecutionResult] = {}
    wanted = runs.notebooks()
    for one, entry in zip(wanted, runs.cache.find_all([one.parts for one in wanted], runs.digests), strict=True):
        name = one.section, one.framework
        cells[name] = runs.editions[one.framework].notebooks[one.section].code
        if entry is not None:
            try:
                results[name] = entry.load()
            except (DamagedEntry, OSError):
                continue
    return State(cells, results)


def compare(before: State, after: State, tolerance: float) -> Comparison:
    """Compare what two states have in common."""
    common = [name for name in after.cells if name in before.cells]
    known = [name for name in common if name in before.results and name in after.results]
    found = [(name, _compare_notebooks(name, before, after, tolerance)) for name in known]
    differing = tuple(one for _, one in found if one.cells or one.ended)
    return Comparison(
        differing=differing,
        same=len(found) - len(differing),
        unknown_before=tuple(name for name in common if name not in before.results),
        unknown_after=tuple(name for name in common if name not in after.results),
        added=tuple(name for name in after.cells if name not in before.cells),
        removed=tuple(name for name in before.cells if name not in after.cells),
    )


def _compare_notebooks(name: Name, before: State, after: State, tolerance: float) -> NotebookDifferences:
    one, other = before.results[name], after.results[name]
    cells = _compare_cells(before.cells[name], after.cells[name], one, other, tolerance)
    packages = sorted(one.versions.keys() | other.versions.keys())
    versions = [(package, one.versions.get(package, ""), other.versions.get(package, "")) for package in packages]
    return NotebookDifferences(
        section=name[0],
        framework=name[1],
        cells=tuple(cells),
        versions=tuple(found for found in versions if found[1] != found[2]),
        ended=None if one.status is other.status else (_ended(one), _ended(other)),
    )


def _ended(result: ExecutionResult) -> str:
    if result.status is Status.DONE:
        return "ran to its end"
    return f"{result.status.value}: {result.failure.name}" if result.failure else result.status.value


def _compare_cells(
    before: Sequence[Cell], after: Sequence[Cell], one: ExecutionResult, other: ExecutionResult, tolerance: float
) -> Iterator[CellDifferences]:
    """Compare cells that have the same code, or stand in the same place between such."""
    matcher = SequenceMatcher(None, [cell.source for cell in before], [cell.source for cell in after], autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        for place in range(max(last - first, end - start)):
            left = first + place if first + place < last else None
            right = start + place if start + place < end else None
            outputs = [
                () if at is None or at >= len(result.outputs) else result.outputs[at]
                for at, result in ((left, one), (right, other))
            ]
            if found := compare_outputs(outputs[0], outputs[1], tolerance):
                cell = after[right] if right is not None else before[left or 0]
                yield CellDifferences(cell, tag != "equal", tuple(found))
