import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.execution.plan import BuildPlan, NotebookToRun, PlannedRun, loaded, plan, shard
from d2lbuild.execution.request import CodeCell
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import ABSENT, KeyParts, key_parts
from d2lbuild.model import ExecutionResult, Failure, Status

BASE = {"schema": "1", "framework": "jax", "code": "aa", "environment": "bb", "device": "cpu", "variables": "cc"}


class Book:
    """A cache and a history, files, and notebooks whose key parts are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = ResultCache(folder)
        self.history = History(folder, "book")
        self.files: dict[str, str] = {}

    def notebook(self, section: str = "a", **parts: str) -> NotebookToRun:
        return NotebookToRun(section, "jax", KeyParts(BASE | {name.replace("__", ":"): parts[name] for name in parts}))

    def ran(
        self, notebook: NotebookToRun, status: Status = Status.DONE, seconds: float = 1.0, reads: Sequence[str] = ()
    ) -> None:
        failure = None if status is Status.DONE else Failure(0, "ValueError", "bad")
        inputs = {path: self.digest_of(path) for path in reads}
        result = ExecutionResult(
            status, ((),), seconds, "2026-01-01T00:00:00+00:00", {}, failure=failure, inputs=inputs
        )
        self.cache.put(notebook.parts, result)
        self.history.put(notebook.section, notebook.framework, notebook.parts, result)

    def digest_of(self, path: str) -> str:
        return self.files.get(path, ABSENT)

    def plan(self, *wanted: NotebookToRun, **options: Any) -> BuildPlan:
        return plan(wanted, self.cache, self.history, digest_of=self.digest_of, **options)


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
    (run,) = book.plan(book.notebook(**{"library__train": "x", **parts})).todo
    assert run.why == why


def test_what_was_never_run_is_run(book: Book) -> None:
    (run,) = book.plan(book.notebook()).todo
    assert (run.why, run.seconds) == ("never run", None)


def test_what_the_cache_has_is_not_run(book: Book) -> None:
    book.ran(book.notebook())
    made = book.plan(book.notebook())
    assert not made.todo
    assert [known.result.status for known in made.cached] == [Status.DONE]


def test_force_runs_everything(book: Book) -> None:
    book.ran(book.notebook())
    (run,) = book.plan(book.notebook(), force=True).todo
    assert run.why == "forced"


def test_a_failure_is_shown_again_and_run_only_on_request(book: Book) -> None:
    book.ran(book.notebook(), Status.FAILED)
    made = book.plan(book.notebook())
    assert not made.todo
    assert [known.result.failure for known in made.failed] == [Failure(0, "ValueError", "bad")]
    (run,) = book.plan(book.notebook(), rerun_failed=True).todo
    assert run.why == "failed before"
    assert not book.plan(book.notebook(code="a2")).failed


def test_a_timeout_is_run_again(book: Book) -> None:
    book.ran(book.notebook(), Status.TIMEOUT, seconds=600.0)
    (run,) = book.plan(book.notebook()).todo
    assert (run.why, run.seconds) == ("timed out before", 600.0)
    (run,) = book.plan(book.notebook(code="a2")).todo
    assert (run.why, run.seconds) == ("code changed", 600.0)


@pytest.mark.parametrize(
    ("status", "why"),
    [(Status.DIED, "its kernel died before"), (Status.NOT_STARTED, "its kernel did not start before")],
)
def test_other_ends_are_remembered_with_the_time_that_a_whole_run_took(book: Book, status: Status, why: str) -> None:
    book.ran(book.notebook(code="a0"), seconds=3.0)
    book.ran(book.notebook(), status, seconds=0.5)
    (run,) = book.plan(book.notebook()).todo
    assert (run.why, run.seconds) == (why, 3.0)


def test_a_result_that_is_gone_is_made_again(book: Book) -> None:
    book.ran(book.notebook())
    shutil.rmtree(book.folder / "results")
    (run,) = book.plan(book.notebook()).todo
    assert (run.why, run.seconds) == ("no result in the cache", 1.0)


def test_the_longest_comes_first_and_the_unknown_before_it(book: Book) -> None:
    for section, seconds in (("short", 1.0), ("long", 9.0)):
        book.ran(book.notebook(section), seconds=seconds)
    wanted = [book.notebook(section, code="a2") for section in ("short", "new", "long", "newer")]
    todo = book.plan(*wanted).todo
    assert [run.notebook.section for run in todo] == ["new", "newer", "long", "short"]


def test_single_notebooks_are_run_again_on_request(book: Book) -> None:
    for section in "ab":
        book.ran(book.notebook(section))
    made = book.plan(book.notebook("a"), book.notebook("b"), rerun=lambda one: one.section == "b")
    assert [(run.notebook.section, run.why) for run in made.todo] == [("b", "asked for")]
    assert [known.notebook.section for known in made.cached] == ["a"]


def test_files_that_were_read_are_watched(book: Book) -> None:
    book.files = {"x.csv": "d1", "y.csv": "d1"}
    book.ran(book.notebook(), reads=["x.csv", "none.csv"])
    assert not book.plan(book.notebook()).todo
    book.files["y.csv"] = "d2"
    assert not book.plan(book.notebook()).todo
    book.files["x.csv"] = "d2"
    (run,) = book.plan(book.notebook()).todo
    assert run.why == "file changed: x.csv"
    book.files["none.csv"] = "d1"
    (run,) = book.plan(book.notebook(code="a2")).todo
    assert run.why == "code changed; file changed: none.csv, x.csv"
    book.files = {"x.csv": "d1"}
    assert not book.plan(book.notebook()).todo


def test_a_damaged_result_is_made_again(book: Book) -> None:
    for section in "ab":
        book.ran(book.notebook(section, code=section))
    path = book.folder / "results" / (key := book.notebook("b", code="b").key)[:2] / f"{key}.json"
    path.write_bytes(path.read_bytes() + b"?")
    found = book.plan(book.notebook("a", code="a"), book.notebook("b", code="b"))
    assert len(found.cached) == 2
    found = loaded(found)
    assert [known.notebook.section for known in found.cached] == ["a"]
    assert [(run.notebook.section, run.why) for run in found.todo] == [("b", "its result in the cache was damaged")]
    assert not path.exists()


def test_failures_keep_their_outputs(book: Book) -> None:
    book.ran(book.notebook(), Status.FAILED)
    (known,) = loaded(book.plan(book.notebook())).failed
    assert known.result.outputs == ((),)


FULL: dict[str, Any] = {
    "framework": "jax",
    "cells": [CodeCell("x = 1"), CodeCell("x")],
    "library": {"train": "aa", "Timer": "bb"},
    "environment": "cc",
    "device": "cpu",
    "kernel": (),
    "variables": {"A": "1"},
    "passed": ("TOKEN",),
    "data": {"data/x.csv": "dd"},
}
OTHERS: dict[str, Any] = {
    "framework": "mxnet",
    "cells": [CodeCell("x = 2"), CodeCell("x")],
    "library": {"train": "a2", "Timer": "bb"},
    "environment": "c2",
    "device": "gpu",
    "kernel": ("xcpp", "-f"),
    "variables": {"A": "2"},
    "passed": (),
    "data": {"data/x.csv": "d2"},
}


@pytest.mark.parametrize("name", FULL)
def test_each_input_alone_runs_its_notebook_and_no_other(book: Book, name: str) -> None:
    """And setting it back finds the earlier result."""
    before, after = FULL, FULL | {name: OTHERS[name]}
    other = NotebookToRun("other", "jax", key_parts(**(FULL | {"cells": [CodeCell("y")]})))
    for notebook in (NotebookToRun("a", "jax", key_parts(**before)), other):
        book.ran(notebook)
    changed = NotebookToRun("a", "jax", key_parts(**after))
    found = book.plan(changed, other)
    assert [run.notebook for run in found.todo] == [changed]
    assert found.todo[0].why not in ("never run", "no result in the cache")
    book.ran(changed)
    assert not book.plan(changed, other).todo
    assert not book.plan(NotebookToRun("a", "jax", key_parts(**before)), other).todo


# --- parts of a plan --------------------------------------------------------------------------------------------------


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1000)), max_size=40),
    st.integers(1, 6),
)
def test_parts_have_all_of_a_plan_and_nothing_twice(seconds: list[float | None], total: int) -> None:
    parts = KeyParts({})
    runs = [PlannedRun(NotebookToRun(f"s{n}", "pytorch", parts), "", one) for n, one in enumerate(seconds)]
    shards = [shard(runs, number, total) for number in range(1, total + 1)]
    assert sorted(run.notebook.section for one in shards for run in one) == sorted(run.notebook.section for run in runs)
    backwards = [shard(runs[::-1], number, total)[::-1] for number in range(1, total + 1)]
    assert shards == backwards  # what a machine runs does not depend on the order of its plan


def test_parts_take_about_as_long() -> None:
    parts = KeyParts({})
    runs = [PlannedRun(NotebookToRun(f"s{n}", "jax", parts), "", float(n)) for n in (50, 30, 20, 10, 10, 5, 1)]
    loads = [sum(run.seconds or 0 for run in shard(runs, number, 2)) for number in (1, 2)]
    assert sorted(loads) == [61, 65]
    assert [run.seconds for run in shard(runs, 1, 2)] == [50, 10, 5]  # in the order of the plan
