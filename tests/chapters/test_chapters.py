"""Our own book, executed in all four frameworks, each in its locked environment."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.execution.environments.environments import Environment, sync
from d2lbuild.execution.home import cache_home
from d2lbuild.extraction import libraries
from d2lbuild.model import Status
from d2lbuild.pipeline import BuildReport, BuildRequest, build, select_frameworks
from tests.integration.whole_books import complaints, needs_epubcheck
from tests.rendering.pdf.whole import faults

from .claims import read_claims, text_of

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
NEED_A_GPU = {"builders-guide/gpu"}
"""Sections that are skipped, with a reason, where there is none."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return replace(load_config(ROOT), output=tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def environments(config: Config) -> dict[str, Environment]:
    return {framework.name: sync(framework, cache_home()) for framework in config.frameworks}


@pytest.fixture(scope="module")
def report(config: Config, environments: dict[str, Environment]) -> BuildReport:
    return build(config, BuildRequest(select_frameworks(config, ["all"]), execute=True, jobs=2))


def test_every_notebook_runs_to_its_end(report: BuildReport) -> None:
    assert report.findings == ()
    assert report.failures == ()
    assert report.plan
    count = len(report.plan.todo) + len(report.plan.cached)
    assert count >= 4 * 8
    assert all(known.result.status is Status.DONE for known in report.plan.cached)


def test_pages_say_when_and_with_what_they_ran(report: BuildReport) -> None:
    page = (report.outputs["html"].parent / "linear-regression" / "concise.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]*>", "", page)
    for name in ("PyTorch 2", "MXNet 1", "TensorFlow 2", "JAX 0"):
        assert re.search(rf"Run on \d{{4}}-\d\d-\d\d with {name}\.\d+\.\d+.* · Python 3\.\d+\.\d+ in \d", text), name


def test_a_second_build_runs_nothing(config: Config, report: BuildReport) -> None:
    again = build(config, BuildRequest(select_frameworks(config, ["all"]), execute=True))
    assert again.executed == 0
    assert again.plan
    skipped = {(one.section, one.framework) for one in again.results if one.result.status is Status.SKIPPED}
    assert {(run.notebook.section, run.notebook.framework) for run in again.plan.todo} == skipped
    assert {section for section, _ in skipped} <= NEED_A_GPU


def test_numbers_in_the_text_agree_with_the_outputs(report: BuildReport) -> None:
    printed = {(one.section, one.framework): text_of(one.result.outputs) for one in report.results}
    wrong = []
    for claim in read_claims():
        mine = [key for key in printed if key[0] == claim.section and claim.framework in {"all", key[1]}]
        assert mine, f"no notebook for {claim}"
        for key in mine:
            number = claim.number(printed[key])
            if number is None or not claim.holds(number):
                wrong.append(f"{claim} is {number} in {key[1]}: the text says “{claim.text}”")
    assert wrong == []


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="XeLaTeX is not installed: `make pdf` installs it")
@pytest.mark.parametrize("name", ["pytorch", "mxnet", "tensorflow", "jax"])
def test_the_pdf_says_what_the_website_says(config: Config, report: BuildReport, name: str) -> None:
    assert report.plan
    made = build(config, BuildRequest((name,), to=("html", "pdf"), execute=True, jobs=2))
    assert made.findings == ()
    assert made.executed == 0
    assert faults(config.output / name) == {}


@needs_epubcheck
@pytest.mark.parametrize("name", ["pytorch", "mxnet", "tensorflow", "jax"])
def test_the_epub_has_no_mistake(config: Config, report: BuildReport, name: str) -> None:
    assert report.plan
    made = build(config, BuildRequest((name,), to=("epub",), execute=True, jobs=2))
    assert made.findings == ()
    assert complaints(made.outputs["epub"]) == []


@pytest.mark.parametrize("name", ["pytorch", "mxnet", "tensorflow", "jax"])
def test_the_library_can_be_imported(config: Config, environments: dict[str, Environment], name: str) -> None:
    framework = config.framework(name)
    folder = config.output / "imported"
    path = folder / "d2l" / f"{framework.module}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(libraries(config, [name])[name].source, encoding="utf-8")
    code = f"from d2l import {framework.module} as d2l; print(d2l.Module, d2l.Trainer.fit, d2l.reduce_mean)"
    command = [str(environments[name].python), "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
