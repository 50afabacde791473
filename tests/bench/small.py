"""A small set of results."""

from bench.bars import EITHER, MUST
from bench.measuring import OURS, Rows
from bench.results import Result

__all__ = ["Rows", "result", "results"]

MACHINE: dict[str, str | int] = {"system": "Linux", "processor": "a processor", "processors": 2, "memory_gb": 16}
VERSIONS = {OURS: "0.1", "Python": "3.11", "d2lbook": "1.0.3", "jupyter-book": "1.0.4"}


def result(work: str, rows: Rows) -> Result:
    """Return rows as the result of a work."""
    return Result(work, "2026-01-02", "A Book (3 sections)", MACHINE, VERSIONS, tuple(rows.all()))


def results() -> dict[str, Result]:
    """Return the results of a few works; nothing is wrong with them."""
    library, changes, growth = Rows(), Rows(), Rows()
    for ours, theirs in ((1.0, 9.0), (3.0, 11.0), (2.0, 10.0)):
        library.note("cold", OURS, ours)
        library.note("cold", "d2lbook", theirs)
    library.note("unchanged", OURS, 0.05)
    library.note("unchanged", "d2lbook", 10.0)
    for task, must, ours, theirs in (("prose", 0, 0, 1), ("a cell", 1, 1, 1), ("a comment", EITHER, 1, 0)):
        changes.note(task, MUST, must, "runs")
        changes.note(task, OURS, ours, "runs")
        changes.note(task, "d2lbook", theirs, "runs")
    for size, seconds in (("the book", 2.0), ("3 times the sections", 6.0), ("10 times the sections", 18.0)):
        growth.note(f"{size}: website", OURS, seconds)
        growth.note(f"{size}: website, memory", OURS, 50 * seconds, "MB")
    growth.cannot("the book: website", "Jupyter Book 1", "was not asked")
    found = {"library": library, "growth": growth, "changes": changes}
    return {work: result(work, rows) for work, rows in found.items()}
