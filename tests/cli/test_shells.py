"""Completion is installed where shells look for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a höme"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", ".bash_completions/d2lbuild.sh"),
        ("zsh", ".zfunc/_d2lbuild"),
        ("fish", ".config/fish/completions/d2lbuild.fish"),
    ],
)
def test_each_shell_finds_its_script(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, shell: str, place: str
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    ran = run("--install-completion")
    assert (ran.code, ran.err) == (0, "")
    assert str(home / place) in ran.out
    assert (home / place).read_text() == run("--show-completion", shell).out
    assert f"_D2LBUILD_COMPLETE={shell}_complete" in (home / place).read_text()


@pytest.mark.parametrize(("shell", "file"), [("bash", ".bashrc"), ("zsh", ".zshrc")])
def test_what_a_shell_reads_first_gets_one_line_more(run: Run, home: Path, shell: str, file: str) -> None:
    (home / "dotfile").write_text("alias ll='ls -l'")  # without an end of line
    (home / file).symlink_to("dotfile")
    for _ in range(2):
        assert run("--install-completion", shell).code == 0
    assert (home / file).is_symlink()
    first, more = (home / file).read_text().splitlines()
    assert first == "alias ll='ls -l'"
    assert more.startswith(("source ", "fpath+="))


@pytest.mark.parametrize(("arguments", "shell"), [((), "/bin/tcsh"), ((), ""), (("tcsh",), "/bin/bash")])
def test_other_shells_are_an_error(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], shell: str
) -> None:
    monkeypatch.setenv("SHELL", shell)
    ran = run("--install-completion", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "name one of bash, zsh, fish" in ran.err
    assert list(home.iterdir()) == []


def test_frameworks_joined_by_commas_stay_whole_in_fish(run: Run) -> None:
    assert 'string split --max 1 ","' in run("--show-completion", "fish").out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(run: Run, home: Path, book: Path) -> None:
    run("--install-completion", "bash")
    program = home / "d2lbuild"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m d2lbuild "$@"\n')
    program.chmod(0o755)
    script = f"""
        source '{home}/.bashrc'
        COMP_WORDS=(d2lbuild build --framework jax,p); COMP_CWORD=3
        _d2lbuild_completion '{program}'
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("jax,pytorch\n", "")
