from d2lbuild.model import ExecutionResult, Status
from d2lbuild.rendering.run_records import run_record
from tests.rendering.pages import JAX, PYTORCH, PageBuilder

BOTH = ("pytorch", "jax")


def _code_page() -> PageBuilder:
    page = PageBuilder("page", BOTH)
    page.code("x")
    return page


def test_the_run_record_names_versions_and_what_did_not_run() -> None:
    result = ExecutionResult(
        Status.DONE, (), 75.4, "2026-11-20T10:00:00Z", {"python": "3.11.7", "torch": "2.13.0", "numpy": "2"}
    )
    page = _code_page().page({"pytorch": result})
    assert run_record(page, [PYTORCH, JAX]) == [
        ("pytorch", "Run on 2026-11-20 with PyTorch 2.13.0 · Python 3.11.7 in 1 min 15 s"),
        ("jax", "JAX: not executed"),
    ]


def test_the_run_record_tells_of_a_failure() -> None:
    page = _code_page().page({"jax": ExecutionResult(Status.FAILED, (), 3.21, "2026-11-20T10:00:00Z")})
    assert run_record(page, [JAX]) == [("jax", "Run on 2026-11-20 with JAX in 3.2 s; a cell raised an error")]


def test_what_was_skipped_is_not_said_to_have_run() -> None:
    skipped = ExecutionResult(Status.SKIPPED, (), 0.0, "2026-11-20T10:00:00Z")
    assert run_record(_code_page().page({"jax": skipped}), [JAX]) == [("jax", "JAX: not executed")]


def test_a_page_without_results_says_so_once_and_one_without_code_nothing() -> None:
    assert run_record(_code_page().page(), [PYTORCH, JAX]) == [("", "The code on this page was not executed.")]
    assert run_record(PageBuilder("page", BOTH).page(), [PYTORCH, JAX]) == []
