"""`d2lbuild status`."""

import json
import sys
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild import status as module
from d2lbuild.config import Config
from d2lbuild.model import Span
from d2lbuild.pipeline import BuildRequest
from d2lbuild.status import NotebookStatus, Standing
from tests.cli.conftest import Run

FOUND = [
    NotebookStatus("a/one", "pytorch", Standing.FRESH, finished="2026-01-01T12:00:00+00:00", seconds=1.25),
    NotebookStatus("a/one", "jax", Standing.MISSING, "the edition has no page of it"),
    NotebookStatus(
        "a/two", "pytorch", Standing.STALE, "library changed: train", None, "2026-01-01T12:00:00+00:00", 75.0
    ),
    NotebookStatus(
        "a/two", "jax", Standing.FAILED, "NameError: x", Span(PurePosixPath("chapters/a/two.md"), 7, 7), "long ago", 0.5
    ),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BuildRequest]:
    requests = []

    def status(config: Config, request: BuildRequest) -> list[NotebookStatus]:
        requests.append(request)
        return FOUND

    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(module, "status", status)
    return requests


def test_a_table(run: Run, book: Path, asked: list[BuildRequest]) -> None:
    told = run("status", "one", "-f", "all")
    assert asked == [BuildRequest(("pytorch", "jax"), sections=("one",))]
    assert told.code == 0
    assert [line.split() for line in told.out.splitlines()] == [
        ["framework", "section", "last", "run", "took"],
        ["fresh", "pytorch", "a/one", *told.out.splitlines()[1].split()[3:5], "1.2", "s"],
        ["missing", "jax", "a/one", "the", "edition", "has", "no", "page", "of", "it"],
        [
            "stale",
            "pytorch",
            "a/two",
            *told.out.splitlines()[3].split()[3:5],
            *["1", "min", "15", "s", "library", "changed:", "train"],
        ],
        ["failed", "jax", "a/two", "long", "ago", "0.5", "s", "chapters/a/two.md:7:", "NameError:", "x"],
    ]
    assert told.out.splitlines()[1].split()[3].startswith("202")
    assert told.err == "4 notebooks: 1 fresh, 1 missing, 1 stale, 1 failed\n"


def test_the_exit_code_tells_only_if_it_is_asked(
    run: Run, book: Path, asked: list[BuildRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("status", "--check").code == 4
    monkeypatch.setattr(module, "status", lambda *_: FOUND[:2])
    assert run("status", "--check").code == 0


def test_for_programs(run: Run, book: Path, asked: list[BuildRequest]) -> None:
    told = json.loads(run("status", "--json").out)
    assert [one["status"] for one in told] == ["fresh", "missing", "stale", "failed"]
    assert told[3] == {
        "section": "a/two",
        "framework": "jax",
        "status": "failed",
        "why": "NameError: x",
        "file": "chapters/a/two.md",
        "line": 7,
        "finished": "long ago",
        "seconds": 0.5,
    }


def test_a_real_one(run: Run, book: Path) -> None:
    folder = book / "frameworks" / "pytorch"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text(f'title = "P"\nmodule = "torch"\ninterpreter = "{sys.executable}"\n')
    told = run("status")
    assert [line.split() for line in told.out.splitlines()][1:] == [["never", "run", "pytorch", "one"]]
    assert run("status", "two").err == "no section of these frameworks has code\n"
    assert run("status", "none").code == 2
