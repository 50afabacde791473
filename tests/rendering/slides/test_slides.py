"""What is on which slide, and what is in its notes."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.model import CellKind
from d2lbuild.rendering.numbering import Numbers
from d2lbuild.rendering.slides.slides import SlideText, has_slides, make_slides
from tests.books import read_cases
from tests.rendering.pages import PageBuilder

from .outlines import context_of, outline, page_of, slides_of

CASES = read_cases(Path(__file__).parents[1] / "cases" / "slides.txt")


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_slides(text: str, expected: str) -> None:
    assert outline(slides_of(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("# Title\n\n(**a**)", True), ("[**a**](b.md)", False), ("(~~a~~)", True), ("# Title\n> f(**a, (**b))", False)],
)
def test_a_section_has_slides_if_it_has_marks(text: str, expected: bool) -> None:
    assert has_slides(page_of(text), "pytorch") is expected


def test_each_framework_has_its_own_slides() -> None:
    builder = PageBuilder("index", ("pytorch", "jax"))
    builder.prose("# Title")
    builder.prose("[**Torch**]", "pytorch")
    builder.code("import torch", "pytorch")
    builder.code("import jax", "jax")
    page = builder.page()
    assert [has_slides(page, name) for name in page.frameworks] == [True, False]
    made = [outline(make_slides(page, name, context_of(page), Numbers())) for name in page.frameworks]
    assert made == ["== slide\n# Title\nTorch\n> import torch", "== slide\n# Title\n> import jax"]


def test_hidden_code_opens_no_slide_of_its_own() -> None:
    builder = PageBuilder("index", ("pytorch",))
    builder.code("hidden", tags=frozenset({"remove-cell"}))
    builder.prose("# Title\n\n[**a**]")
    page = builder.page()
    assert outline(make_slides(page, "pytorch", context_of(page), Numbers())) == "== slide\n> hidden\n# Title\na"


def test_numbers_are_those_of_the_website() -> None:
    page = page_of("# Title\n\n[**Words** are\n\n![A dog](dog.svg)\n**]\n\n## Two\n\na")
    places = {0: "3.1", page.cells[0].source.index("## Two"): "3.1.1"}
    slides = make_slides(page, "pytorch", context_of(page), Numbers(places={("index", "cell-0"): places}))
    assert [slide.title for slide in slides] == ["3.1 Title", "3.1.1 Two"]


def test_contents_become_notes() -> None:
    builder = PageBuilder("index", ("pytorch",))
    builder.prose("# Title\n\n(**a**)")
    builder.contents("index")
    builder.add(CellKind.RST, ".. raw:: html")
    page = builder.page()
    (slide,) = make_slides(page, "pytorch", replace(context_of(page), suffix=".slides.html"), Numbers())
    assert slide.notes == "* [index](index.slides.html)"


# --- whatever a section holds ----------------------------------------------------------------------------------------

WORD = st.just("w")
"""Becomes a word of its own."""
MARKS = st.sampled_from([("(**", "**)"), ("[**", "**]"), ("(~~", "~~)")])


@st.composite
def paragraphs(draw: st.DrawFn) -> str:
    pieces = []
    for _ in range(draw(st.integers(1, 4))):
        word = draw(WORD)
        before, after = draw(st.one_of(st.just(("", "")), MARKS))
        pieces.append(f"{before}{word}{after}")
    begin = draw(st.sampled_from(["", "", "- ", "1. ", "see :numref:`eq_a` "]))
    return begin + draw(st.sampled_from([" ", ", ", "\n"])).join(pieces)


def _numbered(blocks: list[str]) -> str:
    count = itertools.count()
    return re.sub(r"\bw\b", lambda _: f"w{next(count)}", "\n\n".join(blocks))


BLOCKS = st.one_of(
    st.tuples(st.integers(1, 4), WORD).map(lambda pair: f"{'#' * pair[0]} {pair[1]}"),
    WORD.map(lambda word: f"> {word} = 1"),
    paragraphs(),
    WORD.map(lambda word: f"| {word} | b |\n|---|---|\n| [**c**] | d |"),
    WORD.map(lambda word: f"```\n{word} (**c**)\n```"),
    WORD.map(lambda word: f"(**$${word} = 1$$**)\n:eqlabel:`eq_a`"),
)


@given(st.lists(BLOCKS, max_size=10).map(_numbered))
def test_nothing_is_lost_and_nothing_moves(text: str) -> None:
    slides = slides_of(text)
    parts = [part for slide in slides for part in slide.parts]
    headings = [part.text.split()[-1] for part in parts if isinstance(part, SlideText) and part.level]
    assert headings == re.findall(r"^#+ (w\d+)$", text, re.MULTILINE)
    code = [part.source for part in parts if not isinstance(part, SlideText)]
    assert code == re.findall(r"^> (w\d+ = 1)$", text, re.MULTILINE)
    marked = re.findall(r"(?:\(\*\*|\[\*\*|\(~~)(?:\$\$)?(w\d+)", text)
    words = " ".join(part.text for part in parts if isinstance(part, SlideText) and not part.level)
    shown = re.findall(r"w\d+", words)
    assert [word for word in shown if word in marked] == marked
    said = re.findall(r"w\d+", " ".join([words, *headings, *code, *(slide.notes for slide in slides)]))
    assert set(said) == set(re.findall(r"w\d+", text))
    assert all(slide.parts or slide.notes for slide in slides)
