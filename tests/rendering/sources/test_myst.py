"""Dialect prose to MyST Markdown."""

from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.model import Book
from d2lbuild.rendering.sources.myst import Translated, TranslationContext, translate
from d2lbuild.source.book import load_book
from tests.books import read_cases, write_book

CASES = read_cases(Path(__file__).parents[1] / "cases" / "myst.txt")
ONE = """\
# One $x$
:label:`sec_one`

![A](a.svg)
:label:`fig_a`

$$y$$
:eqlabel:`eq_y`

:Cap

|a|
|-|
|1|
:label:`tab_a`

:bibliography:`refs.bib`
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = "# Book\n:label:`chap_book`\n```toc\none\npart/two\n```\n"
    files = {
        "index.md": index,
        "one.md": ONE,
        "part/two.md": "# Two **bold**\n:label:`sec_two`\n",
        "refs.bib": "@book{known,\n}",
        "a.svg": "<svg/>",
        "data.csv": "1",
    }
    return write_book(tmp_path_factory.mktemp("book"), files)


@pytest.fixture(scope="module")
def book(root: Path) -> Book:
    return load_book(load_config(root))


def run(text: str, root: Path, book: Book, *, tabbed: bool = False) -> Translated:
    context = TranslationContext(
        root=root,
        book=book,
        section=book.sections["one"],
        pages=frozenset({"index", "one"}),
        image=lambda file: f"/{file.name}",
        tabbed=tabbed,
    )
    return translate(text, context)


@pytest.mark.parametrize(("title", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_translation(title: str, text: str, expected: str, root: Path, book: Book) -> None:
    made = run(text, root, book)
    assert made.text == expected
    assert len(made.lines) == made.text.count("\n") + 1
    assert list(made.lines) == sorted(made.lines)
    assert made.lines[-1] <= text.count("\n")


def test_lines_lead_to_the_input(root: Path, book: Book) -> None:
    made = run("# T\n:label:`a`\n\ntext $$x$$ more\nlast", root, book)
    found = dict(zip(made.text.split("\n"), made.lines, strict=True))
    assert (found["# T"], found["text "], found["last"], found["more"]) == (0, 3, 4, 3)


def test_a_heading_in_a_tab_opens_no_section(root: Path, book: Book) -> None:
    assert run("## T $x$\n:label:`a`\n", root, book, tabbed=True).text == "~~~{rubric} T {math}`x`\n:name: a\n~~~\n"
