"""Whole builds of a mini book with real kernels: what runs, what is shown, and what bad books lead to."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.errors import SetupError, UsageError
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Status
from d2lbuild.pipeline import BuildReport, BuildRequest, Observer, build, check, plan_build, select_frameworks
from tests.books import CONF as PLAIN
from tests.books import write_book

pytestmark = pytest.mark.integration

CONF = PLAIN + "\n[execution]\ntimeout = 60\n"
FRAMEWORK = """\
name = "{name}"
title = "{title}"
module = "{module}"
interpreter = "{python}"

[aliases.args]
"length(x)" = "len(x)"
"""
INDEX = "# The Book\n\n```toc\n:numbered:\n\none\ntwo\nthree\n```\n"


def cell(code: str, mark: str = "#@tab all") -> str:
    return f"```{{.python .input}}\n{mark}\n{code}\n```\n"


def uses(code: str) -> str:
    return (
        cell("from d2l import torch as d2l", "#@tab pytorch")
        + cell("from d2l import jax as d2l", "#@tab jax")
        + cell(code)
    )


FILES = {
    "index.md": INDEX,
    "one.md": "# One\n:label:`sec_one`\n\n"
    + cell("def helper():  #@save\n    return 20")
    + cell("def direct():  #@save\n    return 1 + d2l.helper()\n\n\ndef other():  #@save\n    return 'other'"),
    "two.md": "# Two\n\nProse of :numref:`sec_one`.\n\n" + uses("print('direct', d2l.direct())\nd2l.length([1, 2])"),
    "three.md": "# Three\n\n" + uses("print('three', d2l.other())"),
}


class Recorder(Observer):
    """Notes which notebooks are started."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []

    def started(self, request: ExecutionRequest) -> None:
        self.ran.append((request.framework, request.section))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))


def make(root: Path, files: dict[str, str | bytes] | None = None, conf: str = CONF) -> Config:
    write_book(root, {**FILES, **(files or {})}, conf=conf)
    for name, title, module in (("pytorch", "PyTorch", "torch"), ("jax", "JAX", "jax")):
        folder = root / "frameworks" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = FRAMEWORK.format(name=name, title=title, module=module, python=sys.executable)
        (folder / "framework.toml").write_text(text, encoding="utf-8")
    return load_config(root)


def run(config: Config, *frameworks: str, sections: Sequence[str] = ()) -> tuple[BuildReport, list[str]]:
    """Build; return the report, and the sections that were run, in order of their names."""
    recorder = Recorder()
    names = select_frameworks(config, frameworks)
    report = build(config, BuildRequest(names, sections=tuple(sections), jobs=2), recorder)
    return report, sorted(section for _, section in recorder.ran)


def page(report: BuildReport, name: str) -> str:
    return (report.outputs["html"].parent / f"{name}.html").read_text(encoding="utf-8")


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_a_book_is_run_shown_and_then_cached(tmp_path: Path) -> None:
    config = make(tmp_path / "ein Buch 书")
    report, ran = run(config)
    assert (ran, report.failures, report.findings) == (["one", "three", "two"], (), ())
    two = text_of(page(report, "two"))
    assert "direct 21" in two
    assert "Prose of Section 1." in two
    assert "d2l.length" not in two
    assert "len([1, 2])" in two
    assert "#@save" not in page(report, "one")

    again, ran = run(config)
    assert (ran, again.executed) == ([], 0)
    assert again.plan
    assert len(again.plan.cached) == 3


def test_prose_runs_nothing_and_the_page_is_new(tmp_path: Path) -> None:
    config = make(tmp_path)
    run(config)
    make(tmp_path, {"two.md": "\n\n" + str(FILES["two.md"]).replace("Prose of", "New words on")})
    report, ran = run(config)
    assert ran == []
    assert "New words on Section 1." in text_of(page(report, "two"))
    assert "direct 21" in text_of(page(report, "two"))


def test_a_saved_function_runs_exactly_what_uses_it(tmp_path: Path) -> None:
    config = make(tmp_path)
    run(config)
    make(tmp_path, {"one.md": str(FILES["one.md"]).replace("return 20", "return 30")})
    plan = plan_build(config, BuildRequest(("pytorch",)))
    assert {planned.notebook.section: planned.why for planned in plan.todo} == {
        "one": "code changed; library changed: helper",
        "two": "library changed: helper",
    }
    report, ran = run(config)
    assert ran == ["one", "two"]
    assert "direct 31" in text_of(page(report, "two"))


def test_every_framework_in_tabs(tmp_path: Path) -> None:
    config = make(tmp_path)
    report, ran = run(config, "all")
    assert ran == ["one", "one", "three", "three", "two", "two"]
    html = page(report, "two")
    assert html.count("direct 21") == 1
    assert "from d2l import torch as d2l" in text_of(html)
    assert "from d2l import jax as d2l" in text_of(html)
    assert html.count('class="d2l-tabs"') >= 1


def test_only_the_sections_that_are_named(tmp_path: Path) -> None:
    config = make(tmp_path)
    report, ran = run(config, sections=["two"])
    assert ran == ["two"]
    assert "direct 21" in text_of(page(report, "two"))
    with pytest.raises(UsageError, match="no section 'twoo'") as caught:
        run(config, sections=["twoo"])
    assert caught.value.hint == "did you mean 'two'?"


def test_a_cell_that_raises_is_told_with_its_line_until_it_is_mended(tmp_path: Path) -> None:
    broken = "# Two\n\n" + cell("x = 1\nif tab.selected('pytorch'):\n    y = 0\n    x / y\nprint('after')")
    config = make(tmp_path, {"two.md": broken})
    for fresh, expected in ((True, ["one", "three", "two"]), (False, [])):
        report, ran = run(config)
        assert ran == expected
        (failure,) = report.failures
        assert failure.fresh is fresh
        assert str(failure.place) == "chapters/two.md:8"
        assert failure.result.failure
        assert failure.result.failure.name == "ZeroDivisionError"
        assert "x / y" in failure.result.failure.traceback
    make(tmp_path, {"two.md": broken.replace("y = 0", "y = 1")})
    report, ran = run(config)
    assert (ran, report.failures) == (["two"], ())


def test_naming_sections_forgets_nothing_of_the_others(tmp_path: Path) -> None:
    config = make(tmp_path, {"two.md": "# Two\n\n" + cell("1 / 0")})
    run(config)
    for request in (
        BuildRequest(("pytorch",), sections=("three",), force=True),
        BuildRequest(("pytorch",), sections=("one",), rerun_failed=True),
    ):
        recorder = Recorder()
        report = build(config, request, recorder)
        assert recorder.ran == ([("pytorch", "three")] if request.force else [])
        assert [failure.section for failure in report.failures] == ["two"]
        assert report.plan
        cached = {known.notebook.section for known in report.plan.cached}
        assert cached == ({"one"} if request.force else {"one", "three"})
        assert "three other" in text_of(page(report, "three"))


def test_bad_notebooks_do_not_stop_the_others(tmp_path: Path) -> None:
    two = "# Two\n\n" + cell("import time\nprint('begun', flush=True)\ntime.sleep(100)")
    three = "# Three\n\n" + cell("x = 1") + cell("import os\nos._exit(3)")
    config = make(tmp_path, {"two.md": two, "three.md": three}, CONF.replace("timeout = 60", "timeout = 5"))
    report, _ = run(config)
    statuses = {failure.section: failure.result.status for failure in report.failures}
    assert statuses == {"two": Status.TIMEOUT, "three": Status.DIED}
    assert {str(failure.place) for failure in report.failures} == {"chapters/two.md:5", "chapters/three.md:9"}
    assert report.plan
    assert report.outputs["html"].is_file()
    _, ran = run(config)
    assert ran == ["three", "two"]  # neither says that the book is wrong: both are tried again


def test_a_flood_of_output_is_cut(tmp_path: Path) -> None:
    config = make(tmp_path, {"two.md": "# Two\n\n" + cell("for _ in range(100):\n    print('x' * 10**6)")})
    report, _ = run(config, sections=["two"])
    assert report.failures == ()
    assert len(page(report, "two")) < 2_500_000


def test_an_interrupted_build_goes_on_where_it_was(tmp_path: Path) -> None:
    class Impatient(Observer):
        def finished(self, request: ExecutionRequest, result: ExecutionResult) -> None:
            raise KeyboardInterrupt

    config = make(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        build(config, BuildRequest(("pytorch",), jobs=1), Impatient())
    _, ran = run(config)
    assert len(ran) == 2


def test_a_book_full_of_faults_is_built_all_the_same(tmp_path: Path) -> None:
    two = (
        "# Two\n:label:`sec_one`\n\n:numref:`nowhere` :cite:`nobody` ![x](no.svg)\n\n"
        + cell("x", "#@tab pytorhc")
        + cell("y = (")
        + ":begin_tab:`jax`\nnever closed\n"
    )
    files: dict[str, str | bytes] = {
        "two.md": two,
        "three.md": b"# Three\xff\n",
        "index.md": INDEX.replace("three\n", "three\nfour\nfive\n../../x\n"),
        "four.md": "",
        "five.md": "# Five\n```toc\nindex\n```\n",
    }
    config = make(tmp_path, files)
    report = build(config, BuildRequest(("pytorch", "jax"), execute=False))
    found = [finding.rule for finding in report.findings]
    assert sorted(set(found)) == [
        "duplicate-label", "empty-file", "missing-image", "not-utf8", "syntax-error", "toc-cycle", "toc-leaves-book",
        "unclosed-tab", "undefined-citation", "undefined-label", "unknown-framework",
    ]  # fmt: skip
    assert all(finding.span and str(finding.span.path).startswith("chapters/") for finding in report.findings)
    assert set(found) == {finding.rule for finding in check(config)}
    assert "[nowhere?]" in text_of(page(report, "two"))
    again = build(config, BuildRequest(("pytorch", "jax"), execute=False))
    assert again.findings == report.findings


def test_kept_outputs_are_shown_without_running_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make(tmp_path)
    nothing = build(config, BuildRequest(("pytorch",), execute=False))
    assert "The code on this page was not executed." in text_of(page(nothing, "two"))
    run(config)

    kept = build(config, BuildRequest(("pytorch",), execute=False))
    assert (kept.plan, kept.results, kept.executed) == (None, (), 0)
    assert "direct 21" in text_of(page(kept, "two"))
    assert "d2l-page-notice" not in page(kept, "two")

    monkeypatch.setattr("d2lbuild.notebook_runs.environment_digest", lambda *_: "another")
    monkeypatch.setattr("d2lbuild.notebook_runs.environment_text", lambda *_: "python 3.11")
    old = build(config, BuildRequest(("pytorch",), execute=False))
    assert "direct 21" in text_of(page(old, "two"))
    assert "The outputs for PyTorch were made in another environment than the present one." in page(old, "two")

    make(tmp_path, {"two.md": str(FILES["two.md"]).replace("print('direct'", "print('other'")})
    other = build(load_config(tmp_path), BuildRequest(("pytorch",), execute=False))
    assert "direct 21" not in text_of(page(other, "two"))
    assert "three other" in text_of(page(other, "three"))


def test_sections_that_are_not_run_show_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make(tmp_path)
    run(config)
    monkeypatch.setattr("d2lbuild.notebook_runs.environment_digest", lambda *_: "another")
    monkeypatch.setattr("d2lbuild.notebook_runs.environment_text", lambda *_: "python 3.11")
    report, ran = run(config, sections=["three"])
    assert ran == ["three"]
    assert "d2l-page-notice" not in page(report, "three")
    assert "direct 21" in text_of(page(report, "two"))
    assert "d2l-page-notice" in page(report, "two")


def test_an_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = make(tmp_path / "book", conf=CONF)
    with pytest.raises(UsageError, match="cannot write to the output folder"):
        run(replace(config, output=tmp_path / "file" / "_build"))
    (tmp_path / "book" / "_build").symlink_to(tmp_path / "file")
    with pytest.raises(UsageError, match="is a link that leads out of the book"):
        run(config)


def test_an_environment_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make(tmp_path)
    folder = tmp_path / "frameworks" / "pytorch"
    (folder / "framework.toml").write_text('name = "pytorch"\ntitle = "PyTorch"\nmodule = "torch"\n', encoding="utf-8")
    (folder / "requirements.txt").write_text("no-such-package-of-this-test==1.0\n", encoding="utf-8")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SetupError, match=r"pytorch|PyTorch") as caught:
        run(load_config(tmp_path))
    assert caught.value.exit_code == 3
    report = build(config, BuildRequest(("pytorch",), execute=False))
    assert report.outputs["html"].is_file()
