import pytest

from d2lbuild.model import CellKind, ExecutionResult, Failure, Status
from d2lbuild.rendering.assemble import assemble

from .pages import make_cell, make_notebook, make_section

SECTION = make_section("page")


def _result(*texts: str, count: int = 1) -> ExecutionResult:
    outputs = tuple(
        ({"output_type": "execute_result", "execution_count": count, "data": {"text/plain": text}},) for text in texts
    )
    return ExecutionResult(Status.DONE, outputs, 1.0, "2026-01-01T00:00:00Z")


def test_what_all_frameworks_share_stands_once() -> None:
    prose = make_cell("a", "# Title", 1, kind=CellKind.PROSE)
    code = make_cell("b", "x = 1", 3)
    page = assemble(SECTION, {name: make_notebook(SECTION, name, prose, code) for name in ("pytorch", "jax")}, {})
    assert [(cell.id, cell.frameworks, cell.everywhere) for cell in page.cells] == [
        ("a", ("pytorch", "jax"), True),
        ("b", ("pytorch", "jax"), True),
    ]


def test_code_that_differs_stands_once_for_each_framework() -> None:
    notebooks = {
        "pytorch": make_notebook(SECTION, "pytorch", make_cell("b", "torch.cat(x)", 3)),
        "jax": make_notebook(SECTION, "jax", make_cell("b", "jnp.concatenate(x)", 3)),
    }
    page = assemble(SECTION, notebooks, {})
    assert [(cell.id, cell.source, cell.frameworks, cell.everywhere) for cell in page.cells] == [
        ("b-pytorch", "torch.cat(x)", ("pytorch",), False),
        ("b-jax", "jnp.concatenate(x)", ("jax",), False),
    ]


def test_outputs_that_differ_split_a_cell_but_counters_do_not() -> None:
    notebooks = {name: make_notebook(SECTION, name, make_cell("b", "x", 3)) for name in ("pytorch", "jax")}
    same = assemble(SECTION, notebooks, {"pytorch": _result("1"), "jax": _result("1", count=9)})
    assert [cell.everywhere for cell in same.cells] == [True]
    different = assemble(SECTION, notebooks, {"pytorch": _result("1"), "jax": _result("2")})
    assert [cell.outputs[0]["data"]["text/plain"] for cell in different.cells] == ["1", "2"]


def test_cells_of_single_frameworks_stay_in_the_order_of_the_source() -> None:
    first, second, last = make_cell("a", "1", 1), make_cell("b", "2", 3), make_cell("c", "3", 5)
    notebooks = {
        "jax": make_notebook(SECTION, "jax", second, last),
        "pytorch": make_notebook(SECTION, "pytorch", first, last),
    }
    page = assemble(SECTION, notebooks, {})
    assert [(cell.id, cell.frameworks) for cell in page.cells] == [
        ("a", ("pytorch",)),
        ("b", ("jax",)),
        ("c", ("jax", "pytorch")),
    ]


def test_outputs_are_matched_by_position_among_the_code_cells() -> None:
    cells = [make_cell("a", "text", 1, kind=CellKind.PROSE), make_cell("b", "1", 3), make_cell("c", "2", 5)]
    page = assemble(SECTION, {"pytorch": make_notebook(SECTION, "pytorch", *cells)}, {"pytorch": _result("one")})
    assert [len(cell.outputs) for cell in page.cells] == [0, 1, 0]
    assert all(cell.everywhere for cell in page.cells)


def test_ids_stay_within_the_limit_of_the_notebook_format() -> None:
    long = "x" * 64
    notebooks = {
        "pytorch": make_notebook(SECTION, "pytorch", make_cell(long, "1", 3)),
        "jax": make_notebook(SECTION, "jax", make_cell(long, "2", 3)),
    }
    ids = [cell.id for cell in assemble(SECTION, notebooks, {}).cells]
    assert [len(name) for name in ids] == [64, 64]
    assert len(set(ids)) == 2


def _ended(status: Status, failure: Failure) -> ExecutionResult:
    return ExecutionResult(status, ((), ()), 1.0, "2026-01-01T00:00:00Z", failure=failure)


@pytest.mark.parametrize(
    ("status", "failure", "notices"),
    [
        (
            Status.SKIPPED,
            Failure(None, "skipped", "it needs 1 GPU"),
            ["This code was not executed: it needs 1 GPU", ""],
        ),
        (
            Status.NOT_STARTED,
            Failure(None, "kernel not started", ""),
            ["This code was not executed: kernel not started", ""],
        ),
        (
            Status.FAILED,
            Failure(0, "ValueError", "bad\nand more"),
            ["The run ended in this cell. Nothing below it was executed. ValueError: bad", ""],
        ),
        (Status.DIED, Failure(1, "kernel died", ""), ["", "The run ended in this cell. kernel died"]),
    ],
)
def test_a_run_that_did_not_end_well_says_so_where_it_ended(
    status: Status, failure: Failure, notices: list[str]
) -> None:
    notebook = make_notebook(SECTION, "pytorch", make_cell("a", "1", 1), make_cell("b", "2", 3))
    page = assemble(SECTION, {"pytorch": notebook}, {"pytorch": _ended(status, failure)})
    assert [cell.notice for cell in page.cells] == notices


def test_a_notice_of_one_framework_stands_in_its_tab() -> None:
    cells = [make_cell("a", "1", 1), make_cell("b", "2", 3)]
    notebooks = {name: make_notebook(SECTION, name, *cells) for name in ("pytorch", "jax")}
    skipped = _ended(Status.SKIPPED, Failure(None, "skipped", "it needs 1 GPU"))
    page = assemble(SECTION, notebooks, {"pytorch": _result(), "jax": skipped})
    assert [(cell.id, cell.everywhere, bool(cell.notice)) for cell in page.cells] == [
        ("a-pytorch", False, False),
        ("a-jax", False, True),
        ("b", True, False),
    ]
    both = assemble(SECTION, notebooks, dict.fromkeys(notebooks, skipped))
    assert [(cell.id, bool(cell.notice)) for cell in both.cells] == [("a", True), ("b", False)]


def test_a_notice_of_an_enormous_message_is_short() -> None:
    notebook = make_notebook(SECTION, "pytorch", make_cell("a", "1", 1))
    failed = _ended(Status.FAILED, Failure(0, "ValueError", "x" * 5000))
    assert len(assemble(SECTION, {"pytorch": notebook}, {"pytorch": failed}).cells[0].notice) < 400
