"""Slides made of a few lines of text, and shown as such."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath

from d2lbuild.model import Book, Label, LabelKind, Span
from d2lbuild.rendering.numbering import Numbers
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.plain_markdown import PlainContext
from d2lbuild.rendering.slides.slides import Slide, SlideText, make_slides
from tests.rendering.pages import PageBuilder, make_book

_SPAN = Span(PurePosixPath("chapters/index.md"), 1, 1)
_LABELS = {
    "eq_a": Label("eq_a", LabelKind.EQUATION, _SPAN),
    "fig_dog": Label("fig_dog", LabelKind.FIGURE, _SPAN),
}


def page_of(text: str) -> Page:
    """Return a page; lines that begin with ``>`` are code."""
    builder = PageBuilder("index", ("pytorch",))
    for is_code, lines in groupby(text.split("\n"), lambda line: line.startswith(">")):
        for cell in lines if is_code else ["\n".join(lines)]:
            if is_code:
                builder.code(cell.removeprefix(">").strip())
            elif cell.strip():
                builder.prose(cell)
    return builder.page()


def context_of(page: Page) -> PlainContext:
    """Return what the text of the page must know."""
    book: Book = replace(make_book(page), labels=_LABELS)
    return PlainContext(
        root=Path("/book"),
        book=book,
        section=page.section,
        pages=frozenset({"index"}),
        numbers=dict.fromkeys(_LABELS, "1"),
        image=lambda file: file.name,
    )


def slides_of(text: str) -> tuple[Slide, ...]:
    """Return the slides of a page."""
    page = page_of(text)
    return make_slides(page, "pytorch", context_of(page), Numbers())


def outline(slides: Sequence[Slide]) -> str:
    """Return slides as text: words, code behind ``>``, notes behind ``~``."""
    lines: list[str] = []
    for slide in slides:
        lines.append("== slide")
        lines += [part.text if isinstance(part, SlideText) else f"> {part.source}" for part in slide.parts]
        lines += [f"~ {slide.notes}"] if slide.notes else []
    return "\n".join(lines)
