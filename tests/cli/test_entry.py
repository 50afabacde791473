"""A command line that has nothing to do any more ends before its options are parsed."""

from pathlib import Path

import pytest

from d2lbuild.cli import app
from tests.cli.conftest import Ran, Run


class ParsedError(Exception):
    """The command line was parsed after all."""


@pytest.fixture
def again(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line that must not be parsed."""

    def parse(_: object) -> int:
        raise ParsedError

    def go(*arguments: str) -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(app, "run", parse)
            return run(*arguments)

    return go


def test_it_says_the_same_again(run: Run, again: Run, book: Path) -> None:
    with (book / "chapters" / "one.md").open("a") as file:
        file.write("\n```{.python .input}\ndef f():  #@save\n    return missing\n```\n")
    first = run("extract-lib", "--no-import")
    assert first.code == 1
    assert "missing" in first.err
    assert again("extract-lib", "--no-import") == first


def test_other_words_are_another_command(run: Run, again: Run, book: Path) -> None:
    run("extract-lib", "--no-import")
    with pytest.raises(ParsedError):
        again("extract-lib", "--no-import", "--framework", "jax")


def test_the_same_words_mean_something_else_elsewhere(
    run: Run, again: Run, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("extract-lib", "--no-import")
    (book / "folder").mkdir()
    monkeypatch.chdir(book / "folder")
    with pytest.raises(ParsedError):
        again("extract-lib", "--no-import")


def test_a_configuration_that_comes_first_is_noticed(
    run: Run, again: Run, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (book / "folder").mkdir()
    monkeypatch.chdir(book / "folder")
    first = run("extract-lib", "--no-import")
    assert again("extract-lib", "--no-import") == first
    (book / "folder" / "config.ini").write_text("[project]\nname = inner\n")
    with pytest.raises(ParsedError):
        again("extract-lib", "--no-import")


def test_what_writes_nothing_is_always_done(run: Run, again: Run, book: Path) -> None:
    run("extract-lib", "--parity")
    with pytest.raises(ParsedError):
        again("extract-lib", "--parity")
