"""What a change concerns, in a Git repository with one revision."""

import subprocess
import sys
from pathlib import Path

import pytest

from d2lbuild import pipeline
from d2lbuild.affected import affected_since
from d2lbuild.building import BuildRequest, Observer
from d2lbuild.errors import UsageError
from d2lbuild.model import ExecutionResult, Status
from d2lbuild.notebook_runs import NotebookRuns
from d2lbuild.revisions import book_at, changed_files
from tests.books import configuration, write_book

INDEX = "# Book\n\n```toc\none\ntwo\nthree\n```\n"
CELL = "```{.python .input}\n#@tab pytorch\n%s\n```\n"
FILES = {
    "index.md": INDEX,
    "one.md": "# One\n:label:`sec_one`\n\n" + CELL % "def f(): return 1  #@save",
    "two.md": "# Two\n\n" + CELL % "print(d2l.f())",
    "three.md": "# Three\n\n" + CELL % "print(open('data/a.csv').read())",
    "data/a.csv": "1\n",
    "data/b.csv": "1\n",
}
CONF = """\
[book]
name = "mini"
title = "Mini"
frameworks = ["pytorch"]
resources = ["data"]
"""


def git(root: Path, *arguments: str) -> None:
    settings = [
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
    ]
    subprocess.run(["git", "-C", str(root), *settings, *arguments], check=True, capture_output=True)


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book in a folder of a repository, committed once."""
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    root = write_book(tmp_path / "repository" / "the book", dict(FILES), conf=CONF)
    definition = f'title = "PyTorch"\nmodule = "torch"\ninterpreter = "{sys.executable}"\n'
    (root / "frameworks" / "pytorch").mkdir(parents=True)
    (root / "frameworks" / "pytorch" / "framework.toml").write_text(definition, "utf-8")
    git(root.parent, "init", "-q")
    git(root.parent, "add", "-A")
    git(root.parent, "commit", "-qm", "one")
    return root


def runs_of(root: Path) -> NotebookRuns:
    config = configuration(root)
    request = BuildRequest(("pytorch",))
    _, editions, _ = pipeline._read(config, request.frameworks)
    return NotebookRuns(config, request, editions, Observer())


def concerned(root: Path) -> list[str]:
    """Return the sections that the working tree's changes concern."""
    runs = runs_of(root)
    affected = affected_since(runs, "HEAD")
    return [one.section for one in runs.notebooks() if affected(one)]


def change(root: Path, name: str, old: str, new: str) -> None:
    path = root / "chapters" / name
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def note_run(root: Path, section: str, inputs: dict[str, str]) -> None:
    """Note that a notebook has run, and what it read."""
    runs = runs_of(root)
    (notebook,) = (one for one in runs.notebooks() if one.section == section)
    result = ExecutionResult(Status.DONE, (), 1.0, "2026-11-20T10:00:00Z", inputs=inputs)
    runs.cache.put(notebook.parts, result)
    runs.history.put(section, "pytorch", notebook.parts, result)


def test_nothing_has_changed(book: Path) -> None:
    assert concerned(book) == []


def test_prose_concerns_no_notebook(book: Path) -> None:
    change(book, "one.md", "# One", "# The First")
    assert concerned(book) == []


def test_a_saved_function_concerns_those_who_use_it(book: Path) -> None:
    change(book, "one.md", "return 1", "return 2")
    assert concerned(book) == ["one", "two"]


def test_data_concern_those_that_were_found_to_read_them(book: Path) -> None:
    for section, inputs in (("one", {}), ("two", {}), ("three", {"data/a.csv": "digest"})):
        note_run(book, section, inputs)
    change(book, "data/b.csv", "1", "2")
    assert concerned(book) == []
    change(book, "data/a.csv", "1", "2")
    assert concerned(book) == ["three"]


def test_a_listing_is_read_where_a_file_comes_or_goes(book: Path) -> None:
    for section, inputs in (("one", {}), ("two", {}), ("three", {"data/": "digest"})):
        note_run(book, section, inputs)
    (book / "chapters" / "data" / "new.csv").write_text("", "utf-8")
    assert concerned(book) == ["three"]


def test_data_concern_all_of_which_nothing_is_known(book: Path) -> None:
    note_run(book, "one", {})
    change(book, "data/b.csv", "1", "2")
    assert concerned(book) == ["two", "three"]


def test_a_new_section_and_a_new_framework_are_concerned(book: Path) -> None:
    (book / "chapters" / "four.md").write_text("# Four\n\n" + CELL % "4", "utf-8")
    change(book, "index.md", "three\n", "three\nfour\n")
    assert concerned(book) == ["four"]


def test_a_book_that_was_not_there(book: Path) -> None:
    git(book.parent, "rm", "-rq", "--cached", ".")
    git(book.parent, "commit", "-qm", "none")
    assert concerned(book) == ["one", "two", "three"]


def test_the_copy_is_gone_afterwards_and_has_no_other_name(book: Path) -> None:
    with book_at(configuration(book), "HEAD") as earlier:
        assert earlier is not None
        assert earlier.root != book
        assert (earlier.root / "chapters" / "one.md").is_file()
    assert not earlier.root.exists()


def test_files_that_have_changed(book: Path) -> None:
    change(book, "one.md", "One", "Uno")
    (book / "chapters" / "two.md").unlink()
    (book / "chapters" / "neu 书.md").write_text("", "utf-8")
    (book.parent / "outside").write_text("", "utf-8")
    assert {path.as_posix() for path in changed_files(book, "HEAD")} == {
        "chapters/one.md",
        "chapters/two.md",
        "chapters/neu 书.md",
    }


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD~5", ""])
def test_what_is_no_revision(book: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="revision"):
        changed_files(book, revision)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="in no Git repository"):
        changed_files(tmp_path, "HEAD")
