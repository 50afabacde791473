import sys
from pathlib import Path

import pytest

from d2lbuild import pipeline
from d2lbuild.config import Config
from d2lbuild.execution.plan import BuildPlan
from d2lbuild.pipeline import BuildRequest
from tests.cli.conftest import Run
from tests.cli.values import failed_result, known, to_run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BuildRequest]:
    requests = []
    found = BuildPlan(
        (known("a/cached"),),
        (known("a/failed", failed_result()),),
        (to_run("a/long-name", "library changed: train", 125.0), to_run("a/new")),
    )

    def plan_build(config: Config, request: BuildRequest) -> BuildPlan:
        requests.append(request)
        return found

    monkeypatch.setattr(pipeline, "plan_build", plan_build)
    return requests


def test_a_table_of_what_would_happen(run: Run, book: Path, asked: list[BuildRequest]) -> None:
    told = run("plan")
    assert told.code == 0
    assert told.out.splitlines() == [
        "        framework  section      why                         last time",
        "cached  pytorch    a/cached                                 1.2 s",
        "failed  pytorch    a/failed     NameError; unchanged since  1.2 s",
        "run     pytorch    a/long-name  library changed: train      2 min 05 s",
        "run     pytorch    a/new        never run",
        "the environment of pytorch is not there yet: a build makes it first",
    ]
    assert told.err == "4 notebooks: 2 to run, 1 cached, 1 failed before (--rerun-failed runs them again)\n"


def test_options_arrive(run: Run, book: Path, asked: list[BuildRequest]) -> None:
    run("plan", "-f", "all", "--force", "--rerun-failed", "one")
    assert asked == [BuildRequest(("pytorch", "jax"), sections=("one",), force=True, rerun_failed=True)]


def test_a_real_plan_writes_nothing(run: Run, book: Path) -> None:
    for name in ("pytorch", "jax"):
        folder = book / "frameworks" / name
        folder.mkdir(parents=True)
        text = f'title = "{name}"\nmodule = "{name}"\ninterpreter = "{sys.executable}"\n'
        (folder / "framework.toml").write_text(text)
    told = run("plan", "--framework", "all")
    assert told.code == 0
    assert told.err == "2 notebooks: 2 to run, 0 cached\n"
    assert [line.split() for line in told.out.splitlines()[1:]] == [
        ["run", "pytorch", "one", "never", "run"],
        ["run", "jax", "one", "never", "run"],
    ]
    assert sorted(path.name for path in book.iterdir()) == ["chapters", "conf", "frameworks"]
    assert not (book.parent / "cache").exists()
