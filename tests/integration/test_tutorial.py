"""The tutorial, word by word: its commands run one after the other in an empty folder, and say what it shows.

Blocks after a comment `not tested` are left out: they install something, or need what a machine may not have.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from d2lbuild.config import load_config
from d2lbuild.execution.environments.environments import sync
from d2lbuild.execution.home import cache_home

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
_LEFT_OUT = "<!-- not tested: "


def blocks() -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each block that is tested."""
    before = ""
    for token in MarkdownIt().parse(TUTORIAL.read_text("utf-8")):
        if token.type == "fence" and not before.startswith(_LEFT_OUT):
            yield token.info, token.content
        before = token.content


def test_most_blocks_are_tested() -> None:
    text = TUTORIAL.read_text("utf-8")
    assert text.count(_LEFT_OUT) == 4
    assert [language for language, _ in blocks()].count("sh") >= 15


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An empty cache, with an environment that is made already; a program that is this one; somebody who commits."""
    sync(load_config(ROOT).framework("pytorch"), cache_home())
    cache, programs = tmp_path / "cache", tmp_path / "bin"
    cache.mkdir()
    programs.mkdir()
    (cache / "environments").symlink_to(cache_home() / "environments")
    program = programs / "d2lbuild"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m d2lbuild "$@"\n')
    program.chmod(0o755)
    (programs / "python3").symlink_to(sys.executable)
    who = {f"GIT_{role}_{what}": "ada@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return (
        os.environ
        | who
        | {
            "D2LBUILD_CACHE": str(cache),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_tutorial_works_word_by_word(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    script = "".join(text for language, text in blocks() if language == "sh")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for language, text in blocks():
        if language == "text":
            assert text in done.stdout
    assert "warning" not in done.stdout
    assert "notebooks: 2 to run, 0 cached" in done.stdout
    assert "2 notebooks: 0 run, 2 cached" in done.stdout
    assert "notebooks: 1 to run, 2 cached" in done.stdout
    site = folder / "first-book-site"
    assert "def mean_absolute_error" in (folder / "first-book/_build/lib/d2l/torch.py").read_text("utf-8")
    assert "mean_absolute_error" in (site / "least-squares" / "absolute.html").read_text("utf-8")
    assert "https://me.github.io/my-book/" in (site / "index.html").read_text("utf-8")
    assert (folder / "second-book" / "_build" / "all" / "html" / "index.html").is_file()
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=folder / "first-book", capture_output=True, text=True, check=True
    ).stdout
    assert "chapters/least-squares/absolute.md" in tracked
    assert "_build" not in tracked
