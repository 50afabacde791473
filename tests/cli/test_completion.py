"""What a shell completes, asked as shells ask."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.starting.old_book import write_old_book

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(run: Run, monkeypatch: pytest.MonkeyPatch) -> Complete:
    def ask(line: str) -> list[str]:
        monkeypatch.setenv("_D2LBUILD_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
        ran = run()
        assert (ran.code, ran.err) == (0, "")
        found = [line.partition(",") for line in ran.out.split()]
        return [word if kind == "plain" else f"<{kind}>" for kind, _, word in found]

    return ask


def test_commands_and_options(complete: Complete, book: Path) -> None:
    assert complete("d2lbuild st") == ["status"]
    assert complete("d2lbuild env ") == ["sync", "list", "remove", "lock", "upgrade"]
    assert "--no-execute" in complete("d2lbuild build --no")


@pytest.mark.parametrize("command", ["build", "plan", "status", "extract-lib", "doctor"])
def test_frameworks_of_the_book(complete: Complete, book: Path, command: str) -> None:
    assert complete(f"d2lbuild {command} --framework ") == ["pytorch", "jax", "all"]
    assert complete(f"d2lbuild {command} --framework jax,p") == ["jax,pytorch"]


def test_sections_of_the_book(complete: Complete, book: Path) -> None:
    assert complete("d2lbuild build ") == ["index", "one", "two"]
    for command in ("plan o", "status o", "plan --why o", "build --rerun o"):
        assert complete(f"d2lbuild {command}") == ["one"]


def test_another_book_and_an_existing_one(complete: Complete, book: Path, tmp_path: Path) -> None:
    old = write_old_book(tmp_path / "old")
    assert complete(f"d2lbuild build --book {old} -f p") == ["pytorch", "paddle"]
    assert complete(f"d2lbuild build --book {old} one/") == ["one/index"]


def test_a_new_book_may_have_what_comes_with_us(complete: Complete, book: Path) -> None:
    assert complete("d2lbuild new x -f t") == ["tensorflow"]


@pytest.mark.parametrize("text", ["not toml", "book = 3", "[book]\nchapters = 7\nframeworks = 2\n", "\0"])
def test_a_book_that_cannot_be_read_completes_nothing(complete: Complete, book: Path, text: str) -> None:
    (book / "conf" / "book.toml").write_text(text)
    assert complete("d2lbuild build ") == ["<file>"]
    assert complete("d2lbuild build -f ") == []


def test_outside_of_a_book(complete: Complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete("d2lbuild build ") == ["<file>"]


@pytest.mark.parametrize(
    "line", ["check c", "build --output ", "build --book=", "build chapters/o", "deploy ", "import ", "cache push "]
)
def test_the_shell_completes_files(complete: Complete, book: Path, line: str) -> None:
    assert complete(f"d2lbuild {line}") == ["<file>"]


def test_words_that_only_the_user_knows_are_not_completed(complete: Complete, book: Path) -> None:
    assert complete("d2lbuild build --jobs ") == []
