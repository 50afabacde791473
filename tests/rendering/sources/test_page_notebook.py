import json
from collections.abc import Sequence
from dataclasses import replace

import nbformat
import pytest

from d2lbuild.model import CellKind, Label, LabelKind, Span
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sources.page_notebook import LinePositions, PageNotebook, page_notebook
from tests.rendering.pages import JAX, PYTORCH, PageBuilder, as_myst

BOTH = ("pytorch", "jax")


def _written(page: Page, pages: Sequence[str] = ()) -> PageNotebook:
    return page_notebook(page, [PYTORCH, JAX], as_myst, frozenset(pages))


def _sources(notebook: PageNotebook) -> list[str]:
    return [cell["source"] for cell in notebook.notebook["cells"]]


def test_a_page_is_a_valid_notebook() -> None:
    page = PageBuilder("page", BOTH)
    page.prose("# Title")
    page.code("x = 1  #@save", text="1\n", tags=frozenset({"hide-input"}))
    notebook = _written(page.page()).notebook
    nbformat.validate(json.loads(json.dumps(notebook)))
    code = notebook["cells"][1]
    assert code["source"] == "x = 1"
    assert code["metadata"] == {
        "d2lbuild": {"frameworks": ["pytorch", "jax"], "everywhere": True, "saved": True},
        "tags": ["hide-input"],
    }


def test_prose_of_single_frameworks_is_wrapped_and_keeps_its_lines() -> None:
    page = PageBuilder("page", BOTH)
    page.prose("# Title\n")
    page.prose("first\n\nthird", "jax")
    written = _written(page.page())
    lines = _sources(written)[1].split("\n")
    assert lines[0].endswith("{d2l-frameworks} jax")
    assert lines[2:5] == ["first", "", "third"]
    assert [written.positions.chapter_line(20_002 + index) for index in (2, 3, 4)] == [4, 5, 6]


def test_a_table_of_contents_lists_the_pages_of_this_edition() -> None:
    page = PageBuilder("index", BOTH)
    page.contents("preface", "gone", "ch/index", numbered=True)
    page.contents("nowhere")
    sources = _sources(_written(page.page(), ["preface", "ch/index"]))
    assert sources == ["```{toctree}\n:maxdepth: 2\n:numbered:\n\n/preface\n/ch/index\n```\n"]


def test_restructured_text_is_fenced_by_more_backticks_than_it_holds() -> None:
    page = PageBuilder("page", BOTH)
    page.add(CellKind.RST, "``code`` and ````")
    assert _sources(_written(page.page())) == ["`````{eval-rst}\n``code`` and ````\n`````"]


def test_a_label_that_frameworks_share_has_a_name_of_its_own_in_each() -> None:
    page = PageBuilder("page", BOTH)
    page.prose("![A](a.svg)\n:label:`fig_a`\n", "pytorch")
    page.prose("![B](b.svg)\n:label:`fig_a`\n:numref:`fig_a`, :numref:`fig_b`", "jax")
    page.prose("See :numref:`fig_a`.")
    page.prose("And :numref:`fig_a`.", "pytorch")
    path = page.section.path
    labels = tuple(Label("fig_a", LabelKind.FIGURE, Span(path, line, line)) for line in (2, 6))
    page.section = replace(page.section, labels=labels)
    first, second, shared, last = _sources(_written(page.page()))
    assert ":label:`fig_a`" in first
    assert ":label:`fig_a@jax`" in second
    assert ":numref:`fig_a@jax`, :numref:`fig_b`" in second
    assert ":numref:`fig_a`" in shared
    assert ":numref:`fig_a`" in last


@pytest.mark.parametrize(("position", "line"), [(10_002, 7), (10_003, 9), (10_099, 9), (20_002, None), (5, None)])
def test_positions_lead_back_to_the_chapter(position: int, line: int | None) -> None:
    assert LinePositions(((7, 9), ())).chapter_line(position) == line


def test_a_notice_stands_before_its_code_and_sees_the_same_frameworks() -> None:
    page = PageBuilder("page", BOTH)
    page.code("x", "jax")
    page.code("y")
    page.cells = [replace(cell, notice="not *executed*") for cell in page.cells]
    written = _written(page.page())
    first, _, second, *_ = written.notebook["cells"]
    assert [cell["cell_type"] for cell in written.notebook["cells"]][:4] == ["markdown", "code"] * 2
    assert first["source"].splitlines()[0].endswith(":{d2l-frameworks} jax")
    assert "{d2l-run-notice}\n\nnot *executed*\n" in first["source"]
    assert "d2l-frameworks" not in second["source"]
    assert len({cell["id"] for cell in written.notebook["cells"]}) == len(written.notebook["cells"])
    assert written.positions.chapter_line(10_002) == 1


@pytest.mark.parametrize(("language", "lexer"), [("java", "java"), ("nobodys", "text")])
def test_code_of_another_language_names_its_highlighter(language: str, lexer: str) -> None:
    other = replace(JAX, name="other", language=language, comment="//")
    page = PageBuilder("page", ("pytorch", "other"))
    page.code("x = 1  #@save", "pytorch")
    page.code("int tab;  #@save", "other")
    notebook = page_notebook(page.page(), [PYTORCH, other], as_myst, frozenset()).notebook
    python, foreign = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert "lexer" not in python["metadata"]["d2lbuild"]
    assert foreign["metadata"]["d2lbuild"]["lexer"] == lexer
    assert foreign["source"] == "int tab;  #@save"
