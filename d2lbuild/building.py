"""What a build is asked for, what it reports, and who is told how it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2lbuild.config.types import Config
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.running import RunObserver
from d2lbuild.model import Book, Cell, ExecutionResult, Failure, Finding, Span

if TYPE_CHECKING:
    from d2lbuild.execution.plan import BuildPlan

__all__ = ["BuildReport", "BuildRequest", "NotebookFailure", "NotebookReport", "Observer", "place_of_failure"]


@dataclass(frozen=True, slots=True)
class NotebookReport:
    """A notebook and how its run ended, now or when its result was made."""

    section: str
    framework: str
    result: ExecutionResult
    cells: tuple[Cell, ...]
    """Its code cells, as the outputs of the result belong to them."""
    cached: bool
    """Whether the result was made by an earlier build."""
    expected: float | None = None
    """Seconds that it took the time before, if it was run now."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a build is asked for."""

    frameworks: tuple[str, ...]
    """In the book's order."""
    to: tuple[str, ...] = ("html",)
    execute: bool | None = None
    """None: as configured."""
    sections: tuple[str, ...] = ()
    """Ids of sections, or of folders of them: only these are executed, the others show what the cache has."""
    jobs: int | None = None
    rerun_failed: bool = False
    rerun: tuple[str, ...] = ()
    """Ids of sections, or of folders of them, to run whatever the cache has."""
    force: bool = False
    """The same for all."""
    fork: bool | None = None
    """Whether kernels may be forked; None: as configured."""
    sandbox: bool | None = None
    """Whether kernels run without a network; None: as configured."""
    require_all: bool = False
    """Whether a notebook that this machine cannot run counts as failed."""
    run_post_latex: bool = False
    """Whether the book's own program may change the LaTeX of a PDF."""
    backend: str = "local"
    address: str = ""
    """Of a cluster."""
    changed_since: str = ""
    """A revision: only notebooks run that what has changed since concerns. Empty: all that the cache lacks."""
    shard: tuple[int, int] = (1, 1)
    """Which part of them runs here, counted from 1, of how many."""
    place: str = ""
    """A folder below the book's output, for builds that must not meet others; empty for that folder itself."""

    def output(self, config: Config) -> Path:
        """Return the folder that holds what is built."""
        return config.output / self.place


class Observer(RunObserver):
    """Is told how a build goes on. This one keeps silent; subclasses show progress."""

    def read(self, book: Book, findings: Sequence[Finding]) -> None:
        """Hear what was read, and everything that is wrong with it."""

    def planned(self, plan: "BuildPlan") -> None:
        """Hear what will be run."""

    def environment(self, framework: str, line: str) -> None:
        """Hear a line of the making of an environment."""

    def finished(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Hear how a notebook's run ended."""

    def rendering(self, stage: str, done: int, total: int) -> None:
        """Hear how many pages are made."""


@dataclass(frozen=True, slots=True)
class NotebookFailure:
    """A notebook that did not run to its end."""

    section: str
    framework: str
    result: ExecutionResult
    cell: Cell | None
    place: Span | None
    """The failing line in the chapter."""
    fresh: bool
    """False if it failed in an earlier build, and nothing has changed since."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build has done."""

    findings: tuple[Finding, ...]
    failures: tuple[NotebookFailure, ...]
    plan: "BuildPlan | None"
    """None if nothing was to be executed."""
    executed: int
    results: tuple[NotebookReport, ...]
    """All notebooks whose results are known, in reading order."""
    outputs: Mapping[str, Path]
    """By renderer: the website's first page, the folder of notebooks."""
    seconds: float


def place_of_failure(cells: Sequence[Cell], failure: Failure | None) -> Span | None:
    """Return the line of the chapter that failed; None if none of a notebook's code `cells` was running."""
    if failure is None or failure.cell is None or not failure.cell < len(cells):
        return None
    cell = cells[failure.cell]
    line = cell.lines[min(failure.line or 1, len(cell.lines)) - 1]
    return Span(cell.span.path, line, line)
