"""Pages as Markdown files, with their index."""

from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.model import CellKind, ExecutionResult, Status
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.markdown_pages import render_markdown

from .pages import PageBuilder, make_book, make_config

BOTH = ("pytorch", "jax")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chapters" / "img").mkdir(parents=True)
    (tmp_path / "chapters" / "img" / "a.svg").write_text("<svg/>", "utf-8")
    index = PageBuilder("index", BOTH)
    index.section = replace(index.section, title="Book")
    index.prose("# Book")
    index.contents("ch/one", numbered=True)
    one = PageBuilder("ch/one", BOTH)
    one.section = replace(one.section, title="One")
    one.prose("# One\n\n![Picture](../img/a.svg)")
    one.code('x = "```"  #@save', "pytorch", text="\x1b[31mred\x1b[0m\n")
    one.code("import jax", "jax")
    one.code("hidden = 1", text="shown\n", tags=frozenset({"hide-input"}))
    one.add(
        CellKind.CODE,
        "x",
        outputs=[
            {"output_type": "stream", "name": "stderr", "text": "warned"},
            {"output_type": "execute_result", "data": {"text/plain": ["ten", "sor"], "text/html": "<b>x</b>"}},
            {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []},
        ],
    )
    pages = [index.page(), one.page({"pytorch": ExecutionResult(Status.DONE, (), 1.0, "2026-11-20T10:00:00Z")})]
    output = tmp_path / "_build" / "markdown"
    (output / "jax").mkdir(parents=True)
    (output / "jax" / "old.md").write_text("", "utf-8")
    assert render_markdown(pages, RenderContext(make_config(tmp_path), make_book(*pages), BOTH, output)) == output
    return output


def test_code_is_fenced_and_followed_by_what_it_printed(folder: Path) -> None:
    text = (folder / "pytorch" / "ch" / "one.md").read_text("utf-8")
    assert text.startswith("# 1 One\n\n![Picture](../img/a.svg)\n\n**Fig. 1.1** *Picture*\n\n")
    assert '````python\nx = "```"\n````\n\n```output\nred\n```' in text
    assert "hidden" not in text
    assert "```output\nshown\n```" in text
    assert "```output\ntensor\nValueError: no\n```" in text
    assert "warned" not in text
    assert "import jax" not in text
    assert "import jax" in (folder / "jax" / "ch" / "one.md").read_text("utf-8")


def test_the_index_leads_to_all_pages(folder: Path) -> None:
    lines = (folder / "llms.txt").read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert [line for line in lines if line.startswith(("##", "- "))] == [
        "## PyTorch",
        "- [Book](pytorch/index.md)",
        "- [1 One](pytorch/ch/one.md)",
        "## JAX",
        "- [Book](jax/index.md)",
        "- [1 One](jax/ch/one.md)",
    ]


def test_files_are_those_that_pages_show_and_no_others(folder: Path) -> None:
    names = sorted(
        path.relative_to(folder / "jax").as_posix() for path in (folder / "jax").rglob("*") if path.is_file()
    )
    assert names == ["ch/one.md", "img/a.svg", "index.md"]
