"""Cells as abstract syntax trees."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.edition.code import CodeError, forget_trees, mask, tree, unmask, walk

SOURCES = sorted((Path(__file__).parents[2] / "d2lbuild" / "edition").glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_all_nodes_are_found_in_their_order(path: Path) -> None:
    module = tree(path.read_text(encoding="utf-8"))
    assert walk(module) == [node for node in ast.walk(module) if not isinstance(node, ast.expr_context)]


@given(st.lists(st.sampled_from(["%time", "!ls", "x?", "?x", "x = !ls", "x = 1", "  ", "# %", "y % 2", "é", ""])))
def test_masked_magics_come_back(lines: list[str]) -> None:
    source = "\n".join(lines)
    assert unmask(mask(source)) == source
    assert mask(source).count("\n") == source.count("\n")


def test_code_without_magics_is_left_alone() -> None:
    assert mask("x = 1\nprint(x)\n") == "x = 1\nprint(x)\n"
    assert mask("%matplotlib inline\nx = 1") == "pass  #d2lbuild-magic:%matplotlib inline\nx = 1"


@pytest.mark.parametrize(
    "source", ["x = 1\x00", "x = '\ud800'", "x = " + "-" * 200_000 + "1", "!ls\nx = " + "-" * 200_000 + "1"]
)
def test_what_no_parser_reads_is_an_error_of_the_cell(source: str) -> None:
    with pytest.raises(CodeError):
        tree(source)


def test_forgotten_trees_are_made_again() -> None:
    before = tree("x = 1")
    assert tree("x = 1") is before
    forget_trees()
    assert tree("x = 1") is not before
