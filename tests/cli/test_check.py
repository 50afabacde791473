from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_a_sound_book(run: Run, book: Path) -> None:
    told = run("check")
    assert (told.code, told.out, told.err) == (0, "", "nothing is wrong\n")


def test_errors_have_file_and_line_and_fail(run: Run, book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\nSee :numref:`sec_no`.\n")
    told = run("check")
    assert told.code == 1
    assert told.out.startswith("chapters/two.md:3:5: error: undefined label 'sec_no'")
    assert told.out.endswith("[undefined-label]\n")
    assert told.err == "1 error\n"


def test_another_book(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(book.parent)
    assert run("check", "--book", book.name).code == 0
    assert run("check").code == 2
    assert run("check", "--book", str(book / "chapters")).code == 2


def test_a_wrong_configuration(run: Run, book: Path) -> None:
    conf = book / "conf" / "book.toml"
    conf.write_text(conf.read_text().replace("title =", "titel ="))
    told = run("check")
    assert told.code == 2
    assert "conf/book.toml:3" in told.err
    assert "`title`" in told.err
    assert "Traceback" not in told.err


def test_writes_nothing(run: Run, book: Path) -> None:
    run("check")
    assert not (book / "_build").exists()
    assert not (book.parent / "cache").exists()
