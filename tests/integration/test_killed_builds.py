"""Builds that are killed at any moment: resuming one ends like a build that nobody has disturbed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.books import CONF, write_book

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform == "win32", reason="signals")]

MOMENTS = 50
PAGES = 3
FRAMEWORK = """\
name = "{name}"
title = "{name}"
module = "{module}"
interpreter = "{python}"
"""


def book(root: Path) -> Path:
    """A book whose notebooks save, import, read files of the book, write files and start processes."""
    pages = {
        f"page{number}.md": f"# Page {number}\n\n"
        + cell(f"def f{number}(x):  #@save\n    return x + {number}")
        + cell("import pathlib, subprocess\nprint(pathlib.Path('notes.txt').read_text())")
        + cell("pathlib.Path('made.txt').write_text('made')\nsubprocess.run(['true'], check=True).returncode")
        + cell(f"f{number}(1)")
        for number in range(PAGES)
    }
    toc = "\n".join(name.removesuffix(".md") for name in pages)
    index = f"# The Book\n\n```toc\n{toc}\n```\n"
    write_book(root, {"index.md": index, "notes.txt": "a note", **pages}, conf=CONF.replace('["img"]', '["notes.txt"]'))
    for name, module in (("pytorch", "torch"), ("jax", "jax")):
        folder = root / "frameworks" / name
        folder.mkdir(parents=True)
        text = FRAMEWORK.format(name=name, module=module, python=sys.executable)
        (folder / "framework.toml").write_text(text, encoding="utf-8")
    return root


def cell(code: str) -> str:
    return f"```{{.python .input}}\n#@tab all\n{code}\n```\n\n"


class Builder:
    """Builds the book in a process of its own, with a cache of its own."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.output, self.mark = folder / "output", f"killed-{folder.name}-{os.getpid()}"
        self.arguments = [sys.executable, "-m", "d2lbuild", "build", "--book", str(root), "--framework", "all"]
        self.arguments += ["--to", "notebooks", "--output", str(self.output)]
        folder.mkdir()
        scratch = folder / "tmp"
        scratch.mkdir()
        self.environ = {
            **os.environ,
            "D2LBUILD_CACHE": str(folder / "cache"),
            "TMPDIR": str(scratch),
            "USER": self.mark,
        }

    def killed_after(self, seconds: float) -> None:
        with subprocess.Popen(
            self.arguments, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as program:
            try:
                program.wait(seconds)
            except subprocess.TimeoutExpired:
                program.send_signal(signal.SIGKILL)

    def finish(self) -> dict[str, object]:
        """Build to the end; return the notebooks, with their outputs."""
        done = subprocess.run(self.arguments, env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        folder = self.output / "all" / "notebooks"
        return {
            path.relative_to(folder).as_posix(): json.loads(path.read_text("utf-8"))
            for path in sorted(folder.rglob("*.ipynb"))
        }

    def processes(self) -> list[int]:
        """Return the processes that belong to this builder's builds: they all see its USER."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                try:
                    if f"USER={self.mark}".encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


@pytest.mark.timeout(1800)
def test_a_build_killed_at_any_moment_can_be_resumed(tmp_path: Path) -> None:
    root = book(tmp_path / "book")
    undisturbed = Builder(root, tmp_path / "undisturbed")
    begun = time.monotonic()
    expected = undisturbed.finish()
    whole = time.monotonic() - begun
    assert len(expected) == 2 * (PAGES + 1)
    chance = random.Random(20)
    for number in range(MOMENTS):
        builder = Builder(root, tmp_path / f"disturbed{number}")
        moment = chance.uniform(0, whole)
        builder.killed_after(moment)
        assert builder.finish() == expected, f"killed after {moment:.3f} of {whole:.3f} s"
        until(lambda: builder.processes() == [])  # noqa: B023


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
