"""``if tab.selected(…)`` resolved for one framework."""

from pathlib import Path

import pytest

from d2lbuild.edition.branches import resolve_branches
from tests.books import read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "branches.txt")


@pytest.mark.parametrize(("title", "source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_branches(title: str, source: str, expected: str) -> None:
    resolved = resolve_branches(source, "jax")
    assert resolved.source == expected
    assert resolved.error is None


@pytest.mark.parametrize(("title", "source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_each_line_knows_where_it_stood(title: str, source: str, expected: str) -> None:
    resolved = resolve_branches(source, "jax")
    before = source.split("\n")
    after = resolved.source.split("\n")
    assert len(resolved.lines) == len(after)
    for line, old in zip(after, resolved.lines, strict=True):
        # All lines are still there but for those made from a condition, and the `pass` of an empty body.
        if line.strip() not in {"pass", "else:"} and not line.startswith("if ") and "tab." not in before[old]:
            assert line.strip() == before[old].strip()


def test_code_without_a_condition_is_not_touched() -> None:
    source = "x = (1,\n  2)  \n"
    assert resolve_branches(source, "jax").source == source


def test_code_that_does_not_parse_is_returned_with_the_error() -> None:
    resolved = resolve_branches("x = 1\nif tab.selected('jax'):\n  y = (\n", "jax")
    assert resolved.error is not None
    assert resolved.error.line == 3


def test_the_names_of_conditions_are_reported() -> None:
    resolved = resolve_branches("x = 1\nif tab.selected('jxa', 'mxnet'):\n    y = 1\n", "jax")
    assert resolved.names == (("jxa", 2), ("mxnet", 2))


def test_cells_of_other_languages_are_left_alone() -> None:
    source = "%%bash\nif tab.selected('mxnet'): fi\n"
    assert resolve_branches(source, "jax").source == source
