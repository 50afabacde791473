"""How each notebook of a book stands: fresh, stale and why, failed and where, or never run. Reads, and runs nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from d2lbuild.building import BuildRequest, place_of_failure
from d2lbuild.config import Config
from d2lbuild.edition.edition import Edition
from d2lbuild.execution.devices import this_machine
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.needs import whole_needs
from d2lbuild.execution.plan import BuildPlan, PlannedRun
from d2lbuild.execution.results.history import History, HistoryRecord
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.execution.scheduler import refusal
from d2lbuild.model import Book, ExecutionResult, Failure, Notebook, Span, Status
from d2lbuild.notebook_runs import asked_for, book_digests
from d2lbuild.pipeline import read_and_plan

__all__ = ["NotebookStatus", "Standing", "status"]


class Standing(Enum):
    """How a notebook stands."""

    FRESH = "fresh"
    STALE = "stale"
    """Something has changed since it ran."""
    FAILED = "failed"
    NEVER_RUN = "never run"
    SKIPPED = "skipped"
    """This machine cannot run it."""
    MISSING = "missing"
    """The edition has no page of this section."""
    NO_CODE = "no code"
    """The edition has a page, and nothing to run on it."""

    @property
    def is_settled(self) -> bool:
        """Whether a build has nothing to do about it."""
        return self not in (Standing.STALE, Standing.FAILED, Standing.NEVER_RUN)


@dataclass(frozen=True, slots=True)
class NotebookStatus:
    """One notebook."""

    section: str
    framework: str
    standing: Standing
    why: str = ""
    """What has changed, what went wrong, or why it is skipped."""
    place: Span | None = None
    """The line of the chapter that failed."""
    finished: str = ""
    """When it last ran, UTC, ISO 8601; empty if that is not known."""
    seconds: float | None = None
    """How long that took."""


def status(config: Config, request: BuildRequest) -> list[NotebookStatus]:
    """Return how the notebooks stand that a build is asked for, in reading order.

    Sections without code in any of these editions are left out. Raises UsageError for a section that there is not.
    """
    book, editions, found = read_and_plan(config, request)
    return list(_Statuses(config, editions, found).of(book, request))


class _Statuses:
    def __init__(self, config: Config, editions: Mapping[str, Edition], found: BuildPlan) -> None:
        self.config = config
        self.editions = editions
        self.history = History(cache_home(), config.name)
        self.digests = book_digests(config)
        self.machine = this_machine()
        known = (*found.cached, *found.failed)
        self.results = {(one.notebook.section, one.notebook.framework): one.head for one in known}
        self.todo = {(run.notebook.section, run.notebook.framework): run for run in found.todo}

    def of(self, book: Book, request: BuildRequest) -> Iterator[NotebookStatus]:
        for section in book.sections:
            notebooks = [edition.notebooks.get(section) for edition in self.editions.values()]
            asked = not request.sections or asked_for(section, request.sections)
            if asked and any(notebook is not None and notebook.code for notebook in notebooks):
                for name, notebook in zip(self.editions, notebooks, strict=True):
                    yield self._status(section, name, notebook)

    def _status(self, section: str, framework: str, notebook: Notebook | None) -> NotebookStatus:
        if notebook is None:
            return NotebookStatus(section, framework, Standing.MISSING, "the edition has no page of it")
        if not notebook.code:
            return NotebookStatus(section, framework, Standing.NO_CODE)
        if (result := self.results.get((section, framework))) is not None:
            return self._known(notebook, framework, result)
        return self._planned(notebook, self.todo[section, framework])

    def _known(self, notebook: Notebook, framework: str, result: ExecutionResult) -> NotebookStatus:
        failure = result.failure
        return NotebookStatus(
            notebook.section.id,
            framework,
            Standing.FAILED if failure else Standing.FRESH,
            _told(failure) if failure else "",
            place_of_failure(notebook.code, failure),
            result.finished,
            result.seconds,
        )

    def _planned(self, notebook: Notebook, run: PlannedRun) -> NotebookStatus:
        section, framework = run.notebook.section, run.notebook.framework
        record = self.history.get(section, framework)
        finished, seconds = (record.finished, record.seconds) if record else ("", None)
        standing, why = self._standing(run, record)
        if reason := refusal(whole_needs(notebook, self.config.execution), self.machine):
            standing, why = Standing.SKIPPED, reason
        return NotebookStatus(section, framework, standing, why, None, finished, seconds)

    def _standing(self, run: PlannedRun, record: HistoryRecord | None) -> tuple[Standing, str]:
        if record is None:
            return Standing.NEVER_RUN, "" if run.why == "never run" else run.why
        now = run.notebook.parts.with_present(KeyParts(record.parts).inputs, self.digests)
        if record.status is not Status.DONE and not now.changes(record.parts):
            first = next(iter(record.message.splitlines()), "")
            return Standing.FAILED, f"{record.status.value}: {first}" if first else record.status.value
        return Standing.STALE, run.why


def _told(failure: Failure) -> str:
    first = next(iter(failure.message.splitlines()), "")
    return f"{failure.name}: {first}" if first else failure.name
