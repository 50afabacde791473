"""The manual: its pages that are made of the code are current, and all of it can be built."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import manual

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", manual.pages())
def test_the_reference_is_current(name: str) -> None:
    there = (manual.FOLDER / name).read_text("utf-8")
    assert there == manual.pages()[name], f"run `{manual.COMMAND}`, and commit what it writes"


def test_every_key_has_a_meaning() -> None:
    rows = [line.split(" | ") for line in manual.configuration().splitlines() if line.startswith("| `")]
    assert len(rows) > 70
    assert [row[0] for row in rows if len(row) != 4 or row[3] in ("|", " |")] == []


def test_every_option_has_a_meaning() -> None:
    rows = [line for line in manual.commands().splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []


@pytest.mark.parametrize(
    "verb",
    [
        *("build eval", "build html", "build pdf", "build pkg", "build linkcheck", "build ipynb", "build slides"),
        *("build outputcheck", "build tabcheck", "build lib", "build colab", "build all", "build rst"),
        *("deploy", "clear", "activate", "translate", "slides"),
    ],
)
def test_every_verb_of_d2lbook_has_a_row(verb: str) -> None:
    rows = [
        line for line in (ROOT / "docs" / "from-d2lbook.md").read_text("utf-8").splitlines() if line.startswith("| `")
    ]
    assert any(f"`d2lbook {verb}`" in row.split(" | ")[0] for row in rows)


@pytest.mark.integration
def test_the_manual_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "doctrees"), str(ROOT / "docs"), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "html" / "dialect-in-the-book.html").read_text("utf-8")
    assert "https://github.com/d2lbuild/d2lbuild/blob/main/chapters/index.md" in page
