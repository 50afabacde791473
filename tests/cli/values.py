"""Values such as a build makes them."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from d2lbuild.building import NotebookReport
from d2lbuild.execution.plan import KnownResult, NotebookToRun, PlannedRun
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.model import Cell, CellKind, ExecutionResult, Failure, Span, Status
from d2lbuild.pipeline import NotebookFailure


def request(section: str = "a/b", framework: str = "pytorch") -> ExecutionRequest:
    return ExecutionRequest(
        section,
        framework,
        (CodeCell("1"),),
        kernel=KernelCommand(Path("python")),
        library=Path("lib"),
        folder=PurePosixPath("run"),
    )


def result(seconds: float = 1.25, status: Status = Status.DONE, failure: Failure | None = None) -> ExecutionResult:
    return ExecutionResult(status, ((),), seconds, "2026-01-01T00:00:00+00:00", failure=failure)


def failed_result(message: str = "name 'w' is not defined", traceback: str = "") -> ExecutionResult:
    return result(status=Status.FAILED, failure=Failure(0, "NameError", message, traceback, line=5))


def failed(outcome: ExecutionResult | None = None, *, fresh: bool = True, cell: bool = True) -> NotebookFailure:
    """A notebook whose only cell begins in line 11 of its chapter, and fails in its line 5."""
    path = PurePosixPath("chapters/a/b.md")
    source = "\n".join(f"line{number} = {number}" for number in range(1, 11))
    code = Cell("cell-1", CellKind.CODE, source, Span(path, 10, 21), tuple(range(11, 21)))
    place = Span(path, 15, 15) if cell else None
    return NotebookFailure("a/b", "pytorch", outcome or failed_result(), code if cell else None, place, fresh)


def notebook(section: str, framework: str = "pytorch") -> NotebookToRun:
    return NotebookToRun(section, framework, KeyParts({"section": section, "framework": framework}))


def to_run(section: str, why: str = "never run", seconds: float | None = None) -> PlannedRun:
    return PlannedRun(notebook(section), why, seconds)


def known(section: str, outcome: ExecutionResult | None = None) -> KnownResult:
    return KnownResult(notebook(section), outcome or result())


def code(source: str = "x = 1", line: int = 11) -> Cell:
    """A code cell of a chapter, the first line of its code in `line`."""
    count = source.count("\n") + 1
    span = Span(PurePosixPath("chapters/a/b.md"), line - 1, line + count)
    return Cell(f"cell-{line}", CellKind.CODE, source, span, tuple(range(line, line + count)))


def skipped_result(reason: str = "it needs 1 GPU") -> ExecutionResult:
    return result(0.0, Status.SKIPPED, Failure(None, "skipped", reason))


def reported(
    section: str = "a/b",
    outcome: ExecutionResult | None = None,
    *,
    framework: str = "pytorch",
    cached: bool = False,
    expected: float | None = None,
    cells: tuple[Cell, ...] | None = None,
    **changes: Any,
) -> NotebookReport:
    """What a build reports of a notebook; `changes` are made to its result."""
    changed = replace(outcome or result(), **changes)
    return NotebookReport(section, framework, changed, cells or (code(),), cached, expected)
