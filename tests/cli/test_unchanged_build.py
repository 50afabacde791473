"""A build that has nothing to do ends before Sphinx is imported, and only then."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.books import INDEX, write_book

pytestmark = pytest.mark.integration

FILES = {
    "index.md": INDEX,
    "one.md": "# One\n\nWords.\n\n![None](img/none.svg)",
    "two.md": "# Two",
    "img/a.svg": "<svg/>",
}
QUIET = "nothing has changed since the last build\n"


def build(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, with a cache of its own; it says which modules it has imported."""
    program = "import sys; from d2lbuild.cli import main; code = main(); print('sphinx' in sys.modules); sys.exit(code)"
    command = [sys.executable, "-c", program, "build", "--no-execute", "--output", str(root.parent / "out"), *arguments]
    environment = {**os.environ, "D2LBUILD_CACHE": str(root.parent / "cache")}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done


def quiet(root: Path, *arguments: str) -> bool:
    """Whether a build found nothing to do; it must say the same as before."""
    done = build(root, *arguments)
    index = root.parent / "out" / "pytorch" / "html" / "index.html"
    assert done.stdout.startswith(f"{index}\n")
    assert "none.svg" in done.stderr or (root / "chapters" / "img" / "none.svg").exists()
    return done.stderr.endswith(QUIET) and done.stdout == f"{index}\nFalse\n"


def test_nothing_to_do(tmp_path: Path) -> None:
    root = write_book(tmp_path / "book", FILES)
    assert not quiet(root)
    assert quiet(root)
    assert not quiet(root, "--jobs", "1")  # another command line: it looks for itself
    site = tmp_path / "out" / "pytorch" / "html"
    edits: list[Callable[[], object]] = [
        lambda: (root / "chapters" / "one.md").write_text("# One\n\nOther words.\n\n![None](img/none.svg)"),
        lambda: (root / "chapters" / "three.md").write_text("# Three"),
        lambda: (root / "chapters" / "img" / "none.svg").write_text("<svg/>"),
        lambda: (root / "conf" / "book.toml").write_text((root / "conf" / "book.toml").read_text() + "# more\n"),
        (site / "one.html").unlink,
        lambda: (site / "two.html").write_text("something else"),
        lambda: (site / "strange.html").write_text("from elsewhere"),
        lambda: (tmp_path / "cache" / "results" / "ab").mkdir(parents=True),  # where another build puts a result
    ]
    for number, edit in enumerate(edits):
        edit()
        assert not quiet(root), number
        assert quiet(root), number
    assert "Other words" in (site / "one.html").read_text(encoding="utf-8")
    assert "something else" not in (site / "two.html").read_text(encoding="utf-8")
    assert not (site / "strange.html").exists()


def test_a_folder_of_builds_inside_the_book_is_no_input(tmp_path: Path) -> None:
    root = write_book(tmp_path / "book", FILES)
    environment = {**os.environ, "D2LBUILD_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "d2lbuild", "build", "--no-execute"]
    said = [
        subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stderr
        for _ in range(3)
    ]
    # The first one made the folder; that the book's folder has changed is looked into once.
    assert said[2].endswith(QUIET)
