"""What there is to report of a build, and what can be said of all its notebooks together."""

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from d2lbuild.building import NotebookReport, place_of_failure
from d2lbuild.model import Span, Status

__all__ = [
    "Account",
    "Counts",
    "counts",
    "error_of",
    "failing_place",
    "has_failed",
    "readable",
    "slowest",
    "source_path",
]

_MOST_CHARACTERS = 100_000

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped."""

_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""Colours and the like; without their first character the rest would be litter."""


@dataclass(frozen=True, slots=True)
class Account:
    """A build as reports tell of it."""

    title: str
    """The book's."""
    release: str
    notebooks: tuple[NotebookReport, ...]
    seconds: float
    """Of the whole build."""
    made: datetime.datetime
    """When it ended, in UTC."""
    require_all: bool = False
    """Whether skipped notebooks count as failed."""
    folder: str = ""
    """What stands before the paths of the book, where it lies below the repository."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many notebooks ended how; each is in one of `run`, `cached` and `skipped`."""

    total: int
    run: int
    """By this build, whether they failed or not."""
    cached: int
    failed: int
    """Now, or in an earlier build and unchanged since."""
    skipped: int
    retried: int
    """Run once more by this build, because the first run was lost."""


def counts(notebooks: Sequence[NotebookReport]) -> Counts:
    """Count notebooks by how they ended."""
    skipped = [one for one in notebooks if one.result.status is Status.SKIPPED]
    others = [one for one in notebooks if one.result.status is not Status.SKIPPED]
    return Counts(
        total=len(notebooks),
        run=sum(not one.cached for one in others),
        cached=sum(one.cached for one in others),
        failed=sum(map(has_failed, others)),
        skipped=len(skipped),
        retried=sum(one.result.attempts > 1 and not one.cached for one in notebooks),
    )


def has_failed(notebook: NotebookReport) -> bool:
    """Whether a notebook was begun and did not come to its end."""
    return notebook.result.status not in {Status.DONE, Status.SKIPPED}


def slowest(notebooks: Iterable[NotebookReport], most: int) -> list[NotebookReport]:
    """Return the notebooks that this build ran the longest."""
    ran = [one for one in notebooks if not one.cached and one.result.status is not Status.SKIPPED]
    return sorted(ran, key=lambda one: -one.result.seconds)[:most]


def source_path(notebook: NotebookReport) -> PurePosixPath | None:
    """Return the chapter's file, relative to the book's root; None for a notebook without code."""
    return notebook.cells[0].span.path if notebook.cells else None


def failing_place(notebook: NotebookReport) -> Span | None:
    """Return the line of the chapter where a notebook failed; None if no cell was running."""
    return place_of_failure(notebook.cells, notebook.result.failure)


def error_of(notebook: NotebookReport) -> tuple[str, str]:
    """Return what kind of error ended a notebook, and the first line of what it says."""
    failure = notebook.result.failure
    if failure is None:
        return notebook.result.status.value, ""
    return failure.name, next((line.strip() for line in failure.message.splitlines() if line.strip()), "")


def readable(text: str) -> str:
    """Return a text, or the end of an enormous one, without what neither XML nor HTML may hold."""
    text = text if len(text) <= _MOST_CHARACTERS else f"…{text[-_MOST_CHARACTERS:]}"
    return _FORBIDDEN.sub("", _TERMINAL.sub("", text))
