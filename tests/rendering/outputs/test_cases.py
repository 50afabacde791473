"""What becomes of text, HTML and drawings, case by case."""

from pathlib import Path

import pytest

from d2lbuild.rendering.outputs.safe_html import safe_html
from d2lbuild.rendering.outputs.safe_svg import safe_svg
from d2lbuild.rendering.outputs.terminal_text import terminal_html, without_codes
from tests.books import read_cases

CASES = Path(__file__).parents[1] / "cases"


def cases(name: str) -> list[object]:
    return [pytest.param(given, wanted, id=title) for title, given, wanted in read_cases(CASES / f"{name}.txt")]


@pytest.mark.parametrize(("given", "wanted"), cases("terminal_text"))
def test_terminal_text(given: str, wanted: str) -> None:
    assert terminal_html(given.replace(r"\e", "\x1b").replace(r"\a", "\a").replace("\\\\", "\\")) == wanted


@pytest.mark.parametrize(("given", "wanted"), cases("safe_html"))
def test_safe_html(given: str, wanted: str) -> None:
    assert safe_html(given, "s").text == wanted


@pytest.mark.parametrize(("given", "wanted"), cases("safe_svg"))
def test_safe_svg(given: str, wanted: str) -> None:
    drawing = safe_svg(given)
    assert drawing is not None
    assert drawing.text == wanted


@pytest.mark.parametrize(
    "given",
    [
        "",
        "<svg",
        "<html/>",
        "<svg xmlns='http://www.w3.org/1999/xhtml'/>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'><text>&a;</text></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg'>&unknown;</svg>",
    ],
)
def test_what_is_no_drawing(given: str) -> None:
    assert safe_svg(given) is None


def test_the_words_of_a_drawing_are_known_once_and_without_numbers() -> None:
    drawing = safe_svg(
        "<svg xmlns='http://www.w3.org/2000/svg'><!-- epoch --><g><!-- 0.5 --><!-- −1 -->"
        "<!-- $\\mathdefault{3\\times10^{-2}}$ --><!-- loss $\\ell(w)$ --><!-- a &lt; b -->"
        "<text>train <tspan>loss</tspan></text><!-- epoch --></g></svg>"
    )
    assert drawing is not None
    assert drawing.words == ("epoch", "loss ell(w)", "a < b", "train loss")


def test_text_without_codes() -> None:
    assert without_codes("\x1b[31mred\x1b[0m\x00 \x1b]0;t\x07and\x9b plain\n\t") == "red and plain\n\t"
