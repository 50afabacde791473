"""Two states of a book, compared by what the cache has of them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.cli.app import run
from d2lbuild.comparison.book import compare, state_at, state_of
from d2lbuild.config import load_config
from d2lbuild.model import ExecutionResult, Failure, Output, Status
from tests.books import write_book
from tests.test_affected import CELL, CONF, git, runs_of

FILES = {
    "index.md": "# Book\n\n```toc\none\ntwo\n```\n",
    "one.md": f"# One\n\n{CELL % 'x = 1'}\n{CELL % 'x'}",
    "two.md": "# Two\n\n" + CELL % "2",
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    root = write_book(tmp_path / "book", dict(FILES), conf=CONF)
    (root / "frameworks" / "pytorch").mkdir(parents=True)
    definition = f'title = "PyTorch"\nmodule = "torch"\ninterpreter = "{sys.executable}"\n'
    (root / "frameworks" / "pytorch" / "framework.toml").write_text(definition, "utf-8")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    return root


def keep(root: Path, section: str, *texts: str, status: Status = Status.DONE, version: str = "1") -> None:
    """Put a result into the cache in which each cell printed a text."""
    runs = runs_of(root)
    (notebook,) = (one for one in runs.notebooks() if one.section == section)
    outputs: list[tuple[Output, ...]] = [
        ({"output_type": "stream", "name": "stdout", "text": text},) if text else () for text in texts
    ]
    failure = None if status is Status.DONE else Failure(0, "ValueError", "no")
    result = ExecutionResult(status, tuple(outputs), 1.0, "2026-11-20T10:00:00Z", {"torch": version}, failure)
    runs.cache.put(notebook.parts, result)


def test_a_changed_cell_is_compared_with_the_one_in_its_place(book: Path) -> None:
    keep(book, "one", "", "1.0")
    keep(book, "two", "2")
    (book / "chapters" / "one.md").write_text(FILES["one.md"].replace("x = 1", "x = 3"), "utf-8")
    keep(book, "one", "", "3.0", version="2")
    config = load_config(book)
    with state_at(config, "HEAD", ["pytorch"]) as before:
        found = compare(before, state_of(config, ["pytorch"]), 0.001)
    (notebook,) = found.differing
    assert (notebook.section, notebook.framework, notebook.versions) == ("one", "pytorch", (("torch", "1", "2"),))
    (cell,) = notebook.cells
    assert (cell.cell.source, cell.code_changed) == ("x", False)
    assert (cell.differences[0].before, cell.differences[0].after) == ("1.0", "3.0")
    assert found.same == 1


def test_what_is_not_known_is_said(book: Path) -> None:
    keep(book, "two", "2")
    (book / "chapters" / "one.md").write_text(FILES["one.md"].replace("x = 1", "x = 3"), "utf-8")
    (book / "chapters" / "three.md").write_text("# Three\n\n" + CELL % "3", "utf-8")
    (book / "chapters" / "index.md").write_text(FILES["index.md"].replace("two\n", "three\n"), "utf-8")
    config = load_config(book)
    with state_at(config, "HEAD", ["pytorch"]) as before:
        found = compare(before, state_of(config, ["pytorch"]), 0.001)
    assert found.differing == ()
    assert found.unknown_before == found.unknown_after == (("one", "pytorch"),)
    assert found.added == (("three", "pytorch"),)
    assert found.removed == (("two", "pytorch"),)


def test_a_run_that_fails_now(book: Path) -> None:
    keep(book, "two", "2")
    (book / "chapters" / "two.md").write_text("# Two\n\n" + CELL % "two", "utf-8")
    keep(book, "two", "", status=Status.FAILED)
    config = load_config(book)
    with state_at(config, "HEAD", ["pytorch"]) as before:
        (notebook,) = compare(before, state_of(config, ["pytorch"]), 0.001).differing
    assert notebook.ended == ("ran to its end", "failed: ValueError")
    assert notebook.cells[0].code_changed


def test_the_command(book: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keep(book, "one", "", "1.0 <b>")
    keep(book, "two", "2")
    options = ["--book", str(book)]
    assert run(["diff", "HEAD", *options]) == 0
    (book / "chapters" / "one.md").write_text(FILES["one.md"].replace("x = 1", "x = 3"), "utf-8")
    keep(book, "one", "", "3.0 <b>")
    capsys.readouterr()
    report = tmp_path / "reports" / "diff.html"
    assert run(["diff", "HEAD", *options, "--report", str(report)]) == 1
    said = capsys.readouterr()
    assert said.out == "chapters/one.md:10: pytorch: numbers, by up to 66.67%\n"
    assert "2 notebooks compared: 1 with other outputs" in said.err
    page = report.read_text("utf-8")
    assert "<pre><mark>1.0</mark> &lt;b&gt;</pre>" in page
    assert "<script" not in page
    assert run(["diff", "HEAD", *options, "--json"]) == 1
    data: Any = json.loads(capsys.readouterr().out)
    assert data["differing"][0]["cells"][0]["line"] == 10
    assert run(["diff", "HEAD", *options, "--tolerance", "0.7"]) == 0
    assert run(["diff", "nothing", *options]) == 2
