"""`d2lbuild edit`."""

import json
from pathlib import Path

import pytest

from d2lbuild.editing import session
from tests.cli.conftest import Run

CELL = "def double(x):  #@save\n    return 2 * x"


@pytest.fixture(autouse=True)
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Find no Jupyter, and look at the files twice at most."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setattr(session, "found_program", lambda: "none")

    def end(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("d2lbuild.editing.session.time.sleep", end)


def test_what_was_saved_is_written_back(run: Run, book: Path) -> None:
    before = (book / "chapters" / "one.md").read_text("utf-8")
    assert run("edit", "one", "--framework", "jax", "--sync-once").code == 0
    notebook = book / "_build" / "edit" / "jax" / "one.ipynb"
    notebook.write_text(notebook.read_text("utf-8").replace("2 * x", "3 * x"), "utf-8")
    ran = run("edit", "chapters/one.md", "--framework", "jax", "--sync-once")
    assert (ran.code, ran.out) == (0, "")
    assert "chapters/one.md: saved" in ran.err
    assert (book / "chapters" / "one.md").read_text("utf-8") == before[: before.rindex("2 * x")] + "3 * x\n```\n"


def test_a_session_says_where_the_notebook_is_and_ends(run: Run, book: Path) -> None:
    ran = run("edit", "one")
    assert ran.code == 0
    assert ran.out.strip() == str(book / "_build" / "edit" / "pytorch" / "one.ipynb")
    assert "`d2lbuild env sync pytorch` makes it" in ran.err
    assert "pip install jupyterlab" in ran.err
    notebook = json.loads((book / "_build" / "edit" / "pytorch" / "one.ipynb").read_text("utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "d2lbuild-mini-pytorch"


def test_a_conflict_is_told_and_ended(run: Run, book: Path) -> None:
    run("edit", "one", "--sync-once")
    notebook = book / "_build" / "edit" / "pytorch" / "one.ipynb"
    notebook.write_text(notebook.read_text("utf-8").replace("2 * x", "3 * x"), "utf-8")
    section = book / "chapters" / "one.md"
    section.write_text(section.read_text("utf-8").replace("2 * x", "4 * x"), "utf-8")
    ran = run("edit", "one", "--sync-once")
    assert ran.code == 1
    assert "have changed the same block" in ran.err
    assert "--keep notebook" in ran.err
    ran = run("edit", "one", "--keep", "notebook")
    assert ran.code == 0
    assert "the section as it was is" in ran.err
    assert "3 * x" in section.read_text("utf-8")
    assert run("edit", "one", "--sync-once").code == 0


def test_unsaved_changes_keep_the_output_folder(run: Run, book: Path) -> None:
    run("edit", "one", "--sync-once")
    notebook = book / "_build" / "edit" / "pytorch" / "one.ipynb"
    assert run("clean").code == 0
    run("edit", "one", "--sync-once")
    notebook.write_text(notebook.read_text("utf-8").replace("2 * x", "3 * x"), "utf-8")
    ran = run("clean")
    assert ran.code == 2
    assert "d2lbuild edit one --framework pytorch --sync-once" in ran.err
    run("edit", "one", "--sync-once")
    assert run("clean").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no section is named"),
        (("tow",), "did you mean 'two'?"),
        (("alone",), "no table of contents reaches the section 'alone'"),
        (("one", "--framework", "jaxx"), "did you mean 'jax'?"),
        (("one", "--with", "emacs"), "unknown program 'emacs'"),
        (("one", "--keep", "both"), "unknown version 'both'"),
    ],
)
def test_what_there_is_not_is_said(run: Run, book: Path, arguments: tuple[str, ...], message: str) -> None:
    (book / "chapters" / "alone.md").write_text("# Alone\n", "utf-8")
    ran = run("edit", *arguments)
    assert ran.code == 2
    assert message in ran.err


def test_no_kernels_to_forget(run: Run, book: Path) -> None:
    ran = run("edit", "--forget-kernels")
    assert (ran.code, ran.out) == (0, "")
    assert "there are no kernels of this book" in ran.err
