from pathlib import Path

import pytest

from d2lbuild.execution.cache import History, ResultCache
from d2lbuild.execution.keys import KeyParts
from d2lbuild.execution.plan import NotebookToRun, plan
from d2lbuild.model import ExecutionResult, Failure, Status

BASE = {"schema": "1", "framework": "jax", "code": "aa", "environment": "bb", "device": "cpu", "variables": "cc"}


class Book:
    """A cache and a history, and notebooks whose key parts are given."""

    def __init__(self, folder: Path) -> None:
        self.cache = ResultCache(folder)
        self.history = History(folder, "book")

    def notebook(self, section: str = "a", **parts: str) -> NotebookToRun:
        return NotebookToRun(section, "jax", KeyParts(BASE | {name.replace("__", ":"): parts[name] for name in parts}))

    def ran(self, notebook: NotebookToRun, status: Status = Status.DONE, seconds: float = 1.0) -> None:
        failure = None if status is Status.DONE else Failure(0, "ValueError", "bad")
        result = ExecutionResult(status, ((),), seconds, "2026-01-01T00:00:00+00:00", {}, failure)
        self.cache.put(notebook.key, notebook.parts, result)
        self.history.put(notebook.section, notebook.framework, notebook.parts, seconds)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"code": "a2"}, "code changed"),
        ({"library__train": "x2"}, "library changed: train"),
        ({"library__new": "x"}, "library changed: new"),
        ({f"library__f{i}": "x" for i in range(6)}, "library changed: f0, f1, f2, f3, and 2 more"),
        ({"environment": "b2"}, "environment changed"),
        ({"data__x": "1"}, "data changed: x"),
        ({"device": "gpu"}, "device changed"),
        ({"schema": "0"}, "d2lbuild changed"),
        ({"code": "a2", "environment": "b2"}, "code changed; environment changed"),
    ],
)
def test_the_reason_is_what_changed(book: Book, parts: dict[str, str], why: str) -> None:
    book.ran(book.notebook(library__train="x"))
    (run,) = plan([book.notebook(**{"library__train": "x", **parts})], book.cache, book.history).todo
    assert run.why == why


def test_what_was_never_run_is_run(book: Book) -> None:
    (run,) = plan([book.notebook()], book.cache, book.history).todo
    assert (run.why, run.seconds) == ("never run", None)


def test_what_the_cache_has_is_not_run(book: Book) -> None:
    book.ran(book.notebook())
    made = plan([book.notebook()], book.cache, book.history)
    assert not made.todo
    assert [known.result.status for known in made.cached] == [Status.DONE]


def test_force_runs_everything(book: Book) -> None:
    book.ran(book.notebook())
    (run,) = plan([book.notebook()], book.cache, book.history, force=True).todo
    assert run.why == "forced"


def test_a_failure_is_shown_again_and_run_only_on_request(book: Book) -> None:
    book.ran(book.notebook(), Status.FAILED)
    made = plan([book.notebook()], book.cache, book.history)
    assert not made.todo
    assert [known.result.failure for known in made.failed] == [Failure(0, "ValueError", "bad")]
    (run,) = plan([book.notebook()], book.cache, book.history, rerun_failed=True).todo
    assert run.why == "failed before"
    assert not plan([book.notebook(code="a2")], book.cache, book.history).failed


def test_a_timeout_is_run_again(book: Book) -> None:
    book.ran(book.notebook(), Status.TIMEOUT)
    (run,) = plan([book.notebook()], book.cache, book.history).todo
    assert run.why == "no result in the cache"


def test_the_longest_comes_first_and_the_unknown_before_it(book: Book) -> None:
    for section, seconds in (("short", 1.0), ("long", 9.0)):
        book.ran(book.notebook(section), seconds=seconds)
    wanted = [book.notebook(section, code="a2") for section in ("short", "new", "long", "newer")]
    todo = plan(wanted, book.cache, book.history).todo
    assert [run.notebook.section for run in todo] == ["new", "newer", "long", "short"]
