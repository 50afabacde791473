"""How notebooks stand, by what the cache knows of them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.history import History
from d2lbuild.model import ExecutionResult, Failure, Status
from d2lbuild.pipeline import BuildRequest, plan_build
from d2lbuild.status import Standing, status
from tests.books import write_book

ONE = """\
# One

```{.python .input}
#@tab pytorch
x = 1
y = x / 0
```

```{.python .input}
#@tab all
print(x)
```
"""
TWO = """\
# Two

```{.python .input}
#@tab all
print(2)
```
"""
BOTH = ("pytorch", "jax")
Ended = Callable[[str, str, Status, Failure | None], None]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    index = "# Book\n\n```toc\none\ntwo\nthree\n```\n"
    root = write_book(tmp_path / "book", {"index.md": index, "one.md": ONE, "two.md": TWO, "three.md": "# Text\n"})
    for name in BOTH:
        folder = root / "frameworks" / name
        folder.mkdir(parents=True)
        text = f'title = "{name}"\nmodule = "{name}"\ninterpreter = "{sys.executable}"\n'
        (folder / "framework.toml").write_text(text)
    return load_config(root)


@pytest.fixture
def ended(config: Config) -> Ended:
    def end(section: str, framework: str, how: Status, failure: Failure | None = None) -> None:
        for run in plan_build(config, BuildRequest(BOTH)).todo:
            one = run.notebook
            if (one.section, one.framework) == (section, framework):
                result = ExecutionResult(how, ((), ()), 2.5, "2026-01-01T00:00:00+00:00", failure=failure)
                ResultCache(cache_home()).put(one.parts, result)
                History(cache_home(), config.name).put(one.section, one.framework, one.parts, result)

    return end


def standings(
    config: Config, frameworks: tuple[str, ...] = BOTH, sections: tuple[str, ...] = ()
) -> dict[tuple[str, str], Standing]:
    found = status(config, BuildRequest(frameworks, sections=sections))
    return {(one.section, one.framework): one.standing for one in found}


def test_nothing_has_run_and_what_an_edition_lacks_is_missing(config: Config) -> None:
    assert standings(config) == {
        ("one", "pytorch"): Standing.NEVER_RUN,
        ("one", "jax"): Standing.MISSING,
        ("two", "pytorch"): Standing.NEVER_RUN,
        ("two", "jax"): Standing.NEVER_RUN,
    }
    assert standings(config, sections=("two",), frameworks=("jax",)) == {("two", "jax"): Standing.NEVER_RUN}


def test_fresh_then_stale_for_a_reason(config: Config, ended: Ended) -> None:
    ended("two", "jax", Status.DONE, None)
    (found,) = status(config, BuildRequest(("jax",)))
    assert (found.standing, found.why, found.seconds) == (Standing.FRESH, "", 2.5)
    assert found.finished == "2026-01-01T00:00:00+00:00"
    (config.root / "chapters" / "two.md").write_text(TWO.replace("print(2)", "print(3)"))
    (found,) = status(config, BuildRequest(("jax",)))
    assert (found.standing, found.why, found.seconds) == (Standing.STALE, "code changed", 2.5)
    assert not found.standing.is_settled


def test_a_failure_has_its_line(config: Config, ended: Ended) -> None:
    ended("one", "pytorch", Status.FAILED, Failure(0, "ZeroDivisionError", "division by zero\nmore", line=3))
    found = status(config, BuildRequest(("pytorch",)))[0]
    assert (found.standing, found.why) == (Standing.FAILED, "ZeroDivisionError: division by zero")
    assert str(found.place) == "chapters/one.md:6"


def test_a_run_that_was_ended_has_failed_until_something_changes(config: Config, ended: Ended) -> None:
    ended("two", "jax", Status.TIMEOUT, Failure(0, "timeout", "it took longer than 600 s\nindeed"))
    (found,) = status(config, BuildRequest(("jax",)))
    assert (found.standing, found.why) == (Standing.FAILED, "timeout: it took longer than 600 s")
    (config.root / "chapters" / "two.md").write_text(TWO.replace("print(2)", "print(3)"))
    assert standings(config)["two", "jax"] is Standing.STALE


def test_what_this_machine_cannot_run_is_skipped(config: Config) -> None:
    (config.root / "chapters" / "two.md").write_text(TWO.replace("print(2)", "#@needs gpus=100000\nprint(2)"))
    (found,) = status(config, BuildRequest(("jax",)))
    assert found.standing is Standing.SKIPPED
    assert "GPU" in found.why
    assert found.standing.is_settled


def test_nothing_is_written(config: Config) -> None:
    before = sorted(config.root.rglob("*"))
    status(config, BuildRequest(BOTH))
    assert sorted(config.root.rglob("*")) == before
    assert not (cache_home() / "history").exists()
    assert not (cache_home() / "environments").exists()
