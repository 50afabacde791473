import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from d2lbuild import __version__
from d2lbuild.checking import book as checking_book
from d2lbuild.cli import app
from d2lbuild.errors import BookError, ConfigError, D2lbuildError, SetupError, StaleError, UsageError
from d2lbuild.model import Finding
from tests.cli.conftest import Run


def _raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def check(*_: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(checking_book, "check_book", check)


def test_version(run: Run) -> None:
    assert run("--version").out == f"d2lbuild {__version__}\n"


def test_help_lists_every_command(run: Run) -> None:
    told = run("--help")
    assert told.code == 0
    assert all(f"\n  {name} " in told.out for name in app.program.list_commands(click.Context(app.program)))


def _commands(command: click.Command | None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _commands(command.get_command(context, name), (*path, name))


@pytest.mark.parametrize("path", list(_commands(app.program)), ids=" ".join)
def test_every_help_has_examples_that_name_the_command(run: Run, path: tuple[str, ...]) -> None:
    told = run(*path, "--help").out
    assert "\n  Examples:\n" in told
    examples = told.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert all(" ".join(["d2lbuild", *path]) in line for line in examples)


def test_no_command_shows_the_help(run: Run) -> None:
    told = run()
    assert told.code == 2
    assert "Commands:" in told.out + told.err


@pytest.mark.parametrize(
    "arguments", [["buidl"], ["build", "--tab", "all"], ["build", "-j", "0"], ["build", "-j", "x"], ["env", "remove"]]
)
def test_wrong_usage(run: Run, book: Path, arguments: list[str]) -> None:
    told = run(*arguments)
    assert told.code == 2
    assert "Error: " in told.err
    assert told.out == ""


def test_the_nearest_command_is_named(run: Run) -> None:
    assert "Did you mean 'build'?" in run("buidl").err


@pytest.mark.parametrize(
    ("kind", "code"), [(BookError, 1), (ConfigError, 2), (UsageError, 2), (SetupError, 3), (StaleError, 4)]
)
def test_errors_become_messages_and_exit_codes(
    run: Run, book: Path, monkeypatch: pytest.MonkeyPatch, kind: type[D2lbuildError], code: int
) -> None:
    _raises(monkeypatch, kind("it is broken", hint="mend it", findings=[Finding("rule", "this [part]")]))
    told = run("check")
    assert (told.code, told.out) == (code, "")
    assert told.err == "error: it is broken\n  error: this [part] [rule]\nhint: mend it\n"


def test_an_interrupt_ends_with_130(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _raises(monkeypatch, KeyboardInterrupt())
    told = run("check")
    assert (told.code, told.err) == (130, "interrupted\n")


def test_a_full_disk_is_one_sentence(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _raises(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/x/y"))
    told = run("check")
    assert told.code == 1
    assert told.err.startswith("error: /x/y: No space left on device\nhint: free some space")


def test_a_defect_of_ours_is_a_traceback(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _raises(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run("check")


def test_a_closed_pipe_is_silent(book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\n" + "".join(f":numref:`no{n}`\n" for n in range(3000)))
    command = [sys.executable, "-m", "d2lbuild", "check"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_characters_that_a_terminal_lacks_do_not_matter(book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\n:numref:`größe`\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "d2lbuild", "check"],
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"gr??e" in done.stdout
    assert b"Traceback" not in done.stderr


def test_help_does_not_wait_for_sphinx() -> None:
    code = "import sys; from d2lbuild.cli import main; main(['-h']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sphinx", "nbclient", "pydantic", "libcst"} & set(done.stdout.splitlines()[-1].split())


def test_only_the_command_that_runs_is_imported() -> None:
    code = "import sys; from d2lbuild.cli import main; main(['check', '-h']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "d2lbuild.cli.check" in imported
    assert not {"d2lbuild.cli.build", "d2lbuild.cli.env", "pydantic", "rich", "click.shell_completion"} & imported
