"""Formulas for LaTeX."""

from pathlib import Path

import pytest

from d2lbuild.rendering.pdf.formulas import display, inline
from tests.books import read_cases

OPENING, CLOSING = "\\begin{equation}\\tag{3.1}\\label{x:y}\n\\dltagged{", "}\n\\end{equation}"
CASES = read_cases(Path(__file__).parents[1] / "cases" / "formulas.txt")


@pytest.mark.parametrize(("formula", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_displays(formula: str, expected: str) -> None:
    assert display(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a", f"{OPENING}a{CLOSING}"),
        (
            "\\begin{align}a &= b\\end{align}",
            f"{OPENING}\\begin{{aligned}}a &= b\n\\end{{aligned}}{CLOSING}",
        ),
        ("\\begin{multline*}a\\\\b\\end{multline*}", "\\begin{multline}\\tag{3.1}\\label{x:y}a\\\\b\\end{multline}"),
    ],
)
def test_the_number_is_the_one_that_the_book_gives(formula: str, expected: str) -> None:
    assert display(formula, "3.1", "x:y") == expected


def test_a_formula_of_the_text_is_one_line() -> None:
    assert inline("a +\n  b_\\text{c}") == r"\(a + b_{\text{c}}\)"
    assert inline("a_\\mathbf{") == r"\(a_{\mathbf{}\)"  # LaTeX will say what is wrong with it
