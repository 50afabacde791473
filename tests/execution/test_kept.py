from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.execution.home import places_of_results
from d2lbuild.execution.kept import kept_results, outdated_notice
from d2lbuild.execution.plan import NotebookToRun
from d2lbuild.execution.request import CodeCell
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import key_parts
from d2lbuild.model import ExecutionResult, Failure, Status

DONE = ExecutionResult(
    Status.DONE, (({"output_type": "stream", "name": "stdout", "text": "1\n"},),), 1.0, "2026-11-20T10:00:00Z"
)
FAILED = replace(DONE, status=Status.FAILED, failure=Failure(0, "ValueError", "no"))


def _notebook(*, code: str = "print(1)", environment: str = "old", device: str = "cpu") -> NotebookToRun:
    parts = key_parts(
        framework="jax", cells=[CodeCell(code, frozenset())], library={}, environment=environment, device=device
    )
    return NotebookToRun("ch/one", "jax", parts)


class Store:
    """A cache in which one notebook was run."""

    def __init__(self, folder: Path, result: ExecutionResult = DONE) -> None:
        self.folder = folder
        self.cache, self.history = ResultCache(folder), History(folder, "book")
        self.files = {"data.csv": "1"}
        self.run(_notebook(), result)

    def run(self, notebook: NotebookToRun, result: ExecutionResult) -> None:
        self.cache.put(notebook.parts, result)
        self.history.put(notebook.section, notebook.framework, notebook.parts, result)

    def kept(self, notebook: NotebookToRun) -> list[tuple[Status, bool]]:
        found = kept_results([notebook], self.cache, self.history, lambda name: self.files.get(name, "absent"))
        return [(one.result.status, one.outdated) for one in found if one.result.outputs == DONE.outputs]


@pytest.mark.parametrize("result", [DONE, FAILED])
def test_a_current_result_is_shown_and_one_of_another_environment_is_outdated(
    tmp_path: Path, result: ExecutionResult
) -> None:
    store = Store(tmp_path, result)
    assert store.kept(_notebook()) == [(result.status, False)]
    assert store.kept(_notebook(environment="new")) == [(result.status, True)]


def test_other_code_or_another_device_has_no_outputs(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.kept(_notebook(code="print(2)")) == []
    assert store.kept(_notebook(code="print(2)", environment="new")) == []
    assert store.kept(_notebook(device="gpu", environment="new")) == []
    assert store.kept(replace(_notebook(environment="new"), section="ch/two")) == []


def test_other_data_has_no_outputs(tmp_path: Path) -> None:
    store = Store(tmp_path, replace(DONE, inputs={"data.csv": "1"}))
    assert store.kept(_notebook(environment="new")) == [(Status.DONE, True)]
    store.files["data.csv"] = "2"
    assert store.kept(_notebook(environment="new")) == []


def test_a_run_without_a_result_hides_what_was_before_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.run(_notebook(environment="new"), replace(DONE, status=Status.TIMEOUT))
    assert store.kept(_notebook(environment="newest")) == []


def test_a_damaged_result_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (entry,) = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    entry.write_bytes(entry.read_bytes()[:-5])
    assert store.kept(_notebook(environment="new")) == []
    assert store.kept(_notebook()) == []


def test_a_run_shows_in_the_places_of_results(tmp_path: Path) -> None:
    before = places_of_results(tmp_path, "book")
    Store(tmp_path)
    after = places_of_results(tmp_path, "book")
    assert set(before) < set(after)
    assert tmp_path / "history" / "book" / "jax" / "ch" in after


@pytest.mark.parametrize(
    ("environment", "notice"),
    [
        (
            "python 3.11\njax==0.9.1\njaxlib==0.9.1 ; sys_platform == 'linux'\nnumpy==2",
            (
                "The outputs for JAX were made with jax 0.9.0+cpu, jaxlib 0.9.0; "
                "the book now uses jax 0.9.1, jaxlib 0.9.1."
            ),
        ),
        (
            "python 3.11\njax==0.9.0\njaxlib==0.9.0\nnumpy==3",
            "The outputs for JAX were made in another environment than the present one.",
        ),
    ],
)
def test_the_notice_names_the_versions_that_differ(environment: str, notice: str) -> None:
    versions = {"python": "3.11.7", "jax": "0.9.0+cpu", "jaxlib": "0.9.0"}
    assert outdated_notice("JAX", ("jax", "jaxlib"), versions, environment) == notice
