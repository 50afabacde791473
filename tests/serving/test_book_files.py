"""Which files of a book count for the preview."""

import os
from pathlib import Path

import pytest

from d2lbuild.serving.book_files import changed_files, files_now, is_source_name


@pytest.mark.parametrize("name", ["one.md", "book.toml", "references.bib", "a.svg", "data.csv", "Makefile", "_x.md"])
def test_files_of_a_book_count(name: str) -> None:
    assert is_source_name(name)


@pytest.mark.parametrize(
    "name", ["", ".one.md.swp", ".git", "one.md~", "#one.md#", "4913", "__pycache__", "x.pyc", "one.md.tmp", "~$one.md"]
)
def test_what_editors_and_programs_leave_does_not(name: str) -> None:
    assert not is_source_name(name)


def test_outputs_hidden_folders_and_folders_as_such_do_not_count(tmp_path: Path) -> None:
    for name in ("chapters/one.md", "_build/x.html", "other/site/.d2lbuild", "other/site/x.html", ".git/HEAD", "a/b.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    found = files_now(tmp_path, tmp_path / "_build")
    assert [str(Path(name).relative_to(tmp_path)) for name in found] == ["a/b.c", "chapters/one.md"]


def test_changes_are_new_gone_and_other_files(tmp_path: Path) -> None:
    for name in ("same", "other", "gone"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    before = files_now(tmp_path, tmp_path / "_build")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").write_text("x", encoding="utf-8")
    # An editor that writes beside a file and moves that to its place keeps even the time.
    (tmp_path / "beside.tmp").write_text("y", encoding="utf-8")
    status = (tmp_path / "other").stat()
    os.utime(tmp_path / "beside.tmp", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "beside.tmp").replace(tmp_path / "other")
    now = files_now(tmp_path, tmp_path / "_build")
    assert [Path(name).name for name in changed_files(before, now)] == ["gone", "new", "other"]
