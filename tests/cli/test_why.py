import sys
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.history import History
from d2lbuild.model import ExecutionResult, Failure, Status
from d2lbuild.pipeline import BuildRequest, plan_build
from tests.cli.conftest import Run


@pytest.fixture
def ran(run: Run, book: Path) -> Path:
    """A book of one notebook whose PyTorch edition has run, and not succeeded in JAX, as its cache knows."""
    for name in ("pytorch", "jax"):
        folder = book / "frameworks" / name
        folder.mkdir(parents=True)
        text = f'title = "{name}"\nmodule = "{name}"\ninterpreter = "{sys.executable}"\n'
        (folder / "framework.toml").write_text(text)
    config = load_config(book)
    for planned in plan_build(config, BuildRequest(("pytorch", "jax"))).todo:
        one = planned.notebook
        done = one.framework == "pytorch"
        failure = None if done else Failure(0, "timeout", "it took longer\nindeed")
        result = ExecutionResult(
            Status.DONE if done else Status.TIMEOUT, ((),), 9.0, "2026-01-01T00:00:00+00:00", failure=failure
        )
        ResultCache(cache_home()).put(one.parts, result)
        History(cache_home(), config.name).put(one.section, one.framework, one.parts, result, details=one.details())
    return book


def test_nothing_has_changed(run: Run, ran: Path) -> None:
    told = run("plan", "--why", "one", "--framework", "all")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == [
        "one [pytorch]: cached, from 2026-01-01T00:00:00+00:00",
        "  the last run ran to its end after 9.0 s on 2026-01-01T00:00:00+00:00; nothing has changed since",
        "",
        "one [jax]: will run: timed out before",
        "  the last run timed out after 9.0 s on 2026-01-01T00:00:00+00:00: it took longer; nothing has changed since",
    ]


def test_changes_are_shown_from_what_to_what(run: Run, ran: Path) -> None:
    page = ran / "chapters" / "one.md"
    page.write_text(page.read_text().replace("return 2 * x", "return x + x", 1).replace("# One", "# Prose"))
    told = run("plan", "--why", "chapters/one.md", "-f", "pytorch")
    lines = told.out.splitlines()
    assert lines[0] == "one [pytorch]: will run: code changed"
    assert lines[2].startswith("  code of the notebook: ")
    assert lines[3:] == [
        "    --- then",
        "    +++ now",
        "    @@ -1,3 +1,3 @@",
        "     --- code cell 1 ---",
        "     def double(x):  #@save",
        "    -    return 2 * x",
        "    +    return x + x",
    ]
    assert "nothing has changed" in run("plan", "--why", "one", "-f", "jax").out


def test_what_never_ran_has_nothing_to_be_compared_with(run: Run, ran: Path) -> None:
    (ran / "conf" / "book.toml").write_text(
        (ran / "conf" / "book.toml").read_text().replace("name = ", "name = 'x' # ")
    )
    assert run("plan", "--why", "one").out.splitlines() == [
        "one [pytorch]: cached, from 2026-01-01T00:00:00+00:00",
        "  nothing is known of an earlier run",
    ]


def test_sections_without_code_and_other_sections(run: Run, ran: Path) -> None:
    assert run("plan", "--why", "two").err == "no notebook of these frameworks has code there\n"
    assert run("plan", "--why", "none").code == 2
    assert run("plan", "--why", "one", "two").code == 2
