"""A site with outputs of all kinds, as Sphinx writes it: the fast way and its own."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config.types import Html
from d2lbuild.model import CellKind, Output
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sources.page_notebook import Prose
from d2lbuild.rendering.website.html import RenderContext, render

from ..pages import PYTORCH, PageBuilder, as_myst, make_book, make_config
from .test_animation import jshtml, png
from .test_display import PNG, SVG, data, stream

HOSTILE = (
    '<p onclick="x()">text</p><script>alert(1)</script><img src="https://x.org/a.png"><iframe src="https://x.org">'
)


def _as_myst(*_: object) -> Prose:
    return as_myst


def _page() -> Page:
    page = PageBuilder("index", ["pytorch"])
    page.prose("# Outputs")
    cells: list[tuple[str, list[Output], set[str]]] = [
        ("hostile", [data({"text/html": HOSTILE}), data({"text/markdown": HOSTILE})], set()),
        ("hostile_svg", [data({"image/svg+xml": SVG.replace("<text>", "<script>alert(1)</script><text>")})], set()),
        ("widget", [data({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"})], set()),
        ("script", [data({"application/javascript": "alert(1)"})], set()),
        ("picture", [data({"image/png": PNG})], set()),
        ("animation", [data({"text/html": jshtml(png(10), png(20))})], set()),
        ("formula", [data({"text/markdown": "Some $x^2$.\n\n$$a < b$$\n"})], set()),
        ("streams", [stream("out\n"), stream("err\n", "stderr")], set()),
        ("hidden_code", [stream("seen\n")], {"hide-input"}),
        ("hidden_output", [stream("unseen\n")], {"hide-output"}),
        ("hidden_cell", [stream("unseen\n")], {"hide-cell"}),
        ("hidden_silent_cell", [stream("unseen\n", "stderr")], {"hide-cell"}),
        ("removed_output", [stream("removed\n")], {"remove-output"}),
        ("removed_code", [stream("alone\n")], {"remove-input"}),
        ("removed_cell", [stream("removed\n")], {"remove-cell"}),
        ("removed_stderr", [stream("nothing\n", "stderr")], {"remove-stderr"}),
    ]
    for source, outputs, tags in cells:
        page.add(CellKind.CODE, source, outputs=outputs, tags=frozenset(tags))
    return page.page()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> RenderContext:
    root = tmp_path_factory.mktemp("outputs")
    (root / "chapters").mkdir()
    page = _page()
    context = RenderContext(make_config(root, [PYTORCH]), make_book(page), ("pytorch",), root / "_build" / "html")
    assert render([page], context, _as_myst).findings == ()
    return context


@pytest.fixture(scope="module")
def article(context: RenderContext) -> str:
    text = (context.output / "index.html").read_text(encoding="utf-8")
    return text[text.index("<article") : text.index("</article>")]


def cell(article: str, source: str) -> str:
    """Return the part of a page from a cell's code up to the next cell."""
    return article[article.index(f">{source}<") :].partition('<div class="cell ')[0]


def test_nothing_runs_or_loads(context: RenderContext, article: str) -> None:
    assert "<script" not in article
    assert not re.search(r"<[^>]* on\w+=", article)
    assert not re.search(r'<(?!a )[^>]*(?:src|href)="(?:https?:)?//', article)
    for path in (context.output / "_images").glob("*.svg"):
        assert "script" not in path.read_text(encoding="utf-8")


def test_outputs_stand_where_they_were_made(article: str) -> None:
    assert "IntSlider()" in cell(article, "widget")
    assert "cell_output" not in cell(article, "script")
    assert "<pre>out</pre>" in cell(article, "streams")
    assert "removed<" not in article
    assert "removed_cell" not in article
    assert "alone" in article
    assert "removed_code" not in article


def test_pictures_have_names_and_files(context: RenderContext, article: str) -> None:
    names = re.findall(r'<img alt="([^"]*)" class="d2l-picture"(?: loading="lazy")? src="(_images/[^"]*)"', article)
    assert [name for name, _ in names] == [
        "Figure: epoch, loss",
        "Image",
        "The last frame of an animation",
        "An animation",
    ]
    assert all((context.output / file).is_file() for _, file in names)
    animation = cell(article, "animation")
    assert re.search(
        r'<details class="d2l-folded"><summary>Play[^<]*</summary>\s*<img [^>]*loading="lazy"[^>]*/?>\s*</details>',
        animation,
    )


def test_what_is_hidden_says_what_it_is(article: str) -> None:
    folded = re.findall(r'<details class="d2l-hidden"><summary><span class="d2l-show">([^<]*)</span>', article)
    assert folded == ["Show code", "Show output", "Show code and output", "Show code"]
    assert "aria-label" not in article[article.index("d2l-hidden") :]


def test_formulas_of_outputs_are_set(context: RenderContext, article: str) -> None:
    assert r'<p>Some <span class="math notranslate nohighlight">\(x^2\)</span>.</p>' in article
    assert r'<div class="math notranslate nohighlight">\[a &lt; b\]</div>' in re.sub(r"\n", "", article)
    assert "tex-chtml-full.js" in (context.output / "index.html").read_text(encoding="utf-8")


def test_the_setting_for_stderr_writes_the_page_again(context: RenderContext) -> None:
    config = replace(context.config, html=Html(stderr=True))
    render([_page()], replace(context, config=config), _as_myst)
    text = (context.output / "index.html").read_text(encoding="utf-8")
    assert re.search(r'd2l-stdout"><pre>out</pre>.*d2l-stderr"><pre>err</pre>', text, re.DOTALL)
    assert "nothing" not in text


def test_sphinx_by_itself_writes_the_same(context: RenderContext, tmp_path: Path) -> None:
    written = {}
    for fast in (True, False):
        output = tmp_path / str(fast) / "html"
        render([_page()], replace(context, output=output, fast=fast), _as_myst)
        written[fast] = (output / "index.html").read_text(encoding="utf-8")
    assert written[True] == written[False]
