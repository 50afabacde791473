from pathlib import Path
from typing import Any

import pytest

from d2lbuild.execution.plan import NotebookToRun
from d2lbuild.execution.request import CodeCell
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import FileDigests, file_digests, key_parts
from d2lbuild.execution.results.why import Change, explain
from d2lbuild.model import ExecutionResult, Status

TEXTS = {"environment": "python 3.11\n# the lock\ntorch==2.12.0\nnumpy==2.0 ; python_version >= '3.11'\nold==1\n"}


def notebook(root: Path, texts: dict[str, str] | None = None, **changes: Any) -> NotebookToRun:
    inputs: dict[str, Any] = {
        "framework": "pytorch",
        "cells": [CodeCell("x = 1"), CodeCell("print(x)")],
        "library": {"train": "a1", "": "h1"},
        "environment": "e1",
        "variables": {"A": "1"},
        "data": file_digests(root, ["declared.csv"]),
    }
    texts = TEXTS | {"library:train": "def train():\n    return 1\n", "library:": "import os\n"} | (texts or {})
    return NotebookToRun("a", "pytorch", key_parts(**(inputs | changes)), lambda: texts)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A history of one run, which read two files."""
    for name in ("read.csv", "declared.csv"):
        (tmp_path / name).write_text("1,2")
    digests = FileDigests(tmp_path)
    inputs = {name: digests(name) for name in ("read.csv", "none.csv")}
    history = History(tmp_path / "cache", "book")
    before = notebook(tmp_path)
    ran = ExecutionResult(Status.DONE, ((),), 1.0, "2026-01-01T00:00:00+00:00", inputs=inputs)
    history.put("a", "pytorch", before.parts, ran, details=before.details(), size_of=digests.size)
    return history


def changes(tmp_path: Path, history: History, one: NotebookToRun) -> tuple[Change, ...]:
    return explain(one, history, FileDigests(tmp_path)).changes


def test_without_an_earlier_run_there_is_nothing_to_compare(tmp_path: Path, history: History) -> None:
    explanation = explain(NotebookToRun("b", "pytorch", notebook(tmp_path).parts), history, FileDigests(tmp_path))
    assert (explanation.record, explanation.changes) == (None, ())


def test_nothing_has_changed(tmp_path: Path, history: History) -> None:
    explanation = explain(notebook(tmp_path), history, FileDigests(tmp_path))
    assert explanation.record is not None
    assert explanation.changes == ()


def test_code_is_compared_by_line(tmp_path: Path, history: History) -> None:
    (change,) = changes(tmp_path, history, notebook(tmp_path, cells=[CodeCell("x = 2"), CodeCell("print(x)")]))
    assert change.what == "code of the notebook"
    assert change.before != change.after
    assert change.lines[3:] == (" --- code cell 1 ---", "-x = 1", "+x = 2", " ", " --- code cell 2 ---")


def test_packages_are_compared_by_version(tmp_path: Path, history: History) -> None:
    lock = "python 3.12\ntorch==2.13.0\nnumpy==2.0 ; python_version >= '3.11'\nnew==3\n"
    (change,) = changes(tmp_path, history, notebook(tmp_path, {"environment": lock}, environment="e2"))
    assert change == Change(
        "packages", "e1", "e2", ("+new 3", "-old 1", "python 3.11 -> 3.12", "torch 2.12.0 -> 2.13.0")
    )


def test_functions_of_the_library_come_change_and_go(tmp_path: Path, history: History) -> None:
    texts = {"library:train": "def train():\n    return 2\n", "library:Timer": "class Timer: …"}
    changed = notebook(tmp_path, texts, library={"train": "a2", "Timer": "t1"})
    header, timer, train = changes(tmp_path, history, changed)
    assert header == Change("library: its header", "h1", "", ("-import os",))
    assert timer == Change("library: Timer", "", "t1", ("+class Timer: …",))
    assert (train.before, train.after, train.lines[3:]) == (
        "a1",
        "a2",
        (" def train():", "-    return 1", "+    return 2"),
    )


def test_files_have_digests_and_sizes(tmp_path: Path, history: History) -> None:
    (tmp_path / "read.csv").write_text("1,2,3")
    (tmp_path / "none.csv").write_text("now")
    (tmp_path / "declared.csv").unlink()
    declared, none, read = changes(tmp_path, history, notebook(tmp_path))
    assert declared.what == "declared file: declared.csv"
    assert declared.after == ""
    assert (none.what, none.before) == ("file that it read: none.csv", "absent")
    assert none.after.endswith(", 3 bytes")
    assert read.before.endswith(", 3 bytes")
    assert read.after.endswith(", 5 bytes")


def test_words_are_shown_as_they_are(tmp_path: Path, history: History) -> None:
    assert changes(tmp_path, history, notebook(tmp_path, device="gpu")) == (Change("device", "cpu", "gpu"),)


def test_variables_are_compared_by_line(tmp_path: Path, history: History) -> None:
    (change,) = changes(tmp_path, history, notebook(tmp_path, variables={"A": "2"}))
    assert change.what == "environment variables"
    assert change.lines[3:] == ("-A=1", "+A=2")


def test_a_text_that_is_gone_is_said_to_be(tmp_path: Path, history: History) -> None:
    for path in (tmp_path / "cache" / "texts").rglob("*"):
        if path.is_file():
            path.unlink()
    (change,) = changes(tmp_path, history, notebook(tmp_path, cells=[CodeCell("y")]))
    assert (change.lines, change.note) == ((), "what it was is not kept")
