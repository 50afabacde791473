"""One small site for all of these: Sphinx takes seconds to start."""

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import HeaderLink, Html
from d2lbuild.model import CellKind, ExecutionResult, Status
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sources.page_notebook import Prose
from d2lbuild.rendering.website.html import Mirror, RenderContext, RenderResult, render
from tests.rendering.pages import JAX, MXNET, PYTORCH, PageBuilder, as_myst, make_book, make_config

BOTH = ("pytorch", "jax")

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><circle cx="5" cy="5" r="4"/></svg>'
FRONT = '<b class="front">Front</b><img alt="A &amp; B" src="img/a.svg#x">'
BIB = """@article{ada, author={Ada Lovelace and Charles Babbage and Some Body},
    title={On Engines}, journal={J}, year={1842}}
@article{broken, title={never closed"""
LIBRARY = '''
class Net(nn.Module):
    """A net.

    Defined in :numref:`sec_one`"""
    def __init__(self, n, *, k=3):
        self.n = n

    def forward(self, X):
        """Apply it."""

    def _hidden(self):
        """Not for readers."""


def train(net, *, rate=0.1):
    """Train it."""
'''
ONE = """(sec_one)=
# One with $x^2$

See {numref}`chap_preface`, {numref}`chap_ch`, {ref}`chap_ch`, {numref}`fig_a`, {numref}`tab_a` and {eq}`eq_a`.

:::{figure} ../img/a.svg
:name: fig_a
:width: 20px

A caption with $x_1$, by {cite:t}`ada`, see {numref}`tab_a`.
:::

:::{table} A table with $y$, from {cite:p}`ada`
:name: tab_a

| a | b |
|--:|---|
| 1 | 2 |
:::

```{math}
:label: eq_a
\\begin{align}
a &= b \\\\
c &= d
\\end{align}
```

## Deeper

{cite:p}`unknown_key`, {py:class}`Net` and {py:func}`train`.

{numref}`sec_nowhere`"""


@dataclass(frozen=True)
class Site:
    root: Path
    context: RenderContext
    pages: list[Page]
    result: RenderResult

    def html(self, name: str) -> str:
        """Return the main part of a page."""
        text = (self.context.output / f"{name}.html").read_text(encoding="utf-8")
        return text[text.index("<article") : text.index("</article>")]

    def text(self, name: str) -> str:
        """Return the words of a page's main part."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", self.html(name)))


def _pages() -> list[Page]:
    index = PageBuilder("index", BOTH)
    index.prose("# A Mini Book")
    index.contents("preface")
    index.contents("ch/index", numbered=True)
    index.contents("references")
    index.add(CellKind.RST, ".. raw:: html\n   :file: front.html")
    index.add(CellKind.RST, ".. raw:: html\n   :file: missing.html")
    index.add(CellKind.RST, ".. raw:: html\n   :file: ../../../etc/hostname")
    index.add(CellKind.RST, ".. include:: ../../../../../../etc/hostname")
    preface = PageBuilder("preface", BOTH)
    preface.prose("(chap_preface)=\n# Preface\n\n:::{figure} img/none.svg\n:::")
    chapter = PageBuilder("ch/index", BOTH)
    chapter.prose("(chap_ch)=\n# The Chapter")
    chapter.contents("ch/one", "ch/two")
    references = PageBuilder("references", BOTH)
    references.prose("# References\n\n```{bibliography}\n```")
    return [index.page(), preface.page(), chapter.page(), _one(), _two(), references.page()]


def _one() -> Page:
    one = PageBuilder("ch/one", BOTH)
    one.prose(ONE)
    one.code("import torch  #@save\nx = 1", "pytorch", text="tensor(1.)\n")
    one.prose("Only PyTorch: {numref}`sec_gone`", "pytorch")
    one.code('import jax\n"""See :numref:`fig_a`."""', "jax", text="Array(1.)\n")
    one.cells[-1] = replace(one.cells[-1], notice="This code was not executed: <b> *needs* a GPU")
    one.prose("For both.")
    one.code("secret()", text="seen\n", tags=frozenset({"hide-input"}))
    result = ExecutionResult(Status.DONE, (), 3.2, "2026-11-20T10:00:00Z", {"python": "3.11.7", "torch": "2.13.0"})
    return one.page({"pytorch": result})


def _two() -> Page:
    frameworks = ("pytorch", "jax", "mxnet")
    two = PageBuilder("ch/two", frameworks)
    two.prose("# Two")
    two.prose(
        ":::{figure} ../img/a.svg\n:name: fig_shared\n\nShared by two of three, see {eq}`eq_shared`.\n:::\n\n"
        "```{math}\n:label: eq_shared\nz\n```",
        "pytorch",
        "jax",
    )
    two.prose("For MXNet.", "mxnet")
    two.add(CellKind.RST, ".. currentmodule:: d2l.torch")
    two.add(CellKind.RST, ".. autoclass:: Net\n   :members:\n\n.. autofunction:: train\n\n.. autofunction:: nothing")
    two.prose(
        "See {numref}`fig_away`.\n\n```{d2l-absent-figure} [image at x.org]\n:name: fig_away\n"
        ":link: https://x.org/a.png\n\nFar, by {cite:t}`ada`\n```"
    )
    return two.page()


def _write_book(root: Path) -> None:
    (root / "chapters" / "img").mkdir(parents=True)
    (root / "chapters" / "img" / "a.svg").write_text(SVG, encoding="utf-8")
    (root / "chapters" / "front.html").write_text(FRONT, encoding="utf-8")
    (root / "d2l.bib").write_text(BIB, encoding="utf-8")
    (root / "torch.py").write_text(LIBRARY, encoding="utf-8")


def _as_myst(page: Page, _context: RenderContext, _pages: frozenset[str], mirror: Mirror) -> Prose:
    mirror.address(page.section.id, Path("chapters/img/a.svg"))
    return as_myst


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("a book – mit Umlaut ä")
    _write_book(root)
    html = Html(
        css=(PurePosixPath("static/none.css"),),
        header_links=(HeaderLink("Forum", "https://forum.example"), HeaderLink("No", "###_NO_###")),
    )
    config = make_config(root, (PYTORCH, JAX, MXNET), html=html)
    pages = _pages()
    frameworks = ("pytorch", "jax", "mxnet")
    context = RenderContext(
        config,
        make_book(*pages, bibliography=["d2l.bib"]),
        frameworks,
        root / "_build" / "html",
        modules={"pytorch": root / "torch.py"},
    )
    return Site(root, context, pages, render(pages, context, _as_myst))


def test_references_are_numbered_and_pages_without_a_number_give_their_title(site: Site) -> None:
    expected = "See Preface, Section 1, The Chapter, Fig. 1.1.1, Table 1.1.1 and (1.1.1)."
    assert expected in site.text("ch/one")
    assert "1.1. One with" in site.text("ch/one")
    assert "1.1.1. Deeper" in site.text("ch/one")


def test_references_in_the_docstrings_of_code_are_words(site: Site) -> None:
    assert "See Fig. 1.1.1." in site.text("ch/one")
    assert ":numref:" not in site.text("ch/one")


def test_captions_hold_maths_citations_and_references(site: Site) -> None:
    text = site.text("ch/one")
    assert r"Fig. 1.1.1 A caption with \(x_1\), by Lovelace et al. (1842), see Table 1.1.1." in text
    assert r"Table 1.1.1 A table with \(y\), from (Lovelace et al., 1842)" in text


def test_an_align_environment_is_not_wrapped_in_another(site: Site) -> None:
    html = site.html("ch/one")
    assert r"\[\begin{align}" in html
    assert r"\begin{split}" not in html
    assert '<span class="eqno">(1.1.1)' in html


def test_ids_are_unique(site: Site) -> None:
    for name in ("ch/one", "ch/two"):
        ids = re.findall(r' id="([^"]*)"', site.html(name))
        assert sorted(set(ids)) == sorted(ids)


def tabs(html: str) -> list[tuple[str, str]]:
    """Return the name and the words of each tab."""
    return re.findall(r'<button [^>]*role="tab"[^>]*data-choose="(\w+)">(\w+)</button>', html)


def panels(html: str) -> list[str]:
    """Return the framework of each panel."""
    return re.findall(r'<div class="d2l-panel" [^>]*data-framework="(\w+)">', html)


def test_pieces_of_single_frameworks_share_a_set_of_panels(site: Site) -> None:
    html = site.html("ch/one")
    assert html.count('class="d2l-tabs"') == 1
    assert tabs(html) == [("pytorch", "PyTorch"), ("jax", "JAX")]
    assert panels(html) == ["pytorch", "jax"]
    pytorch, jax = (html.index(f'id="d2l-panel-1-{name}"') for name in BOTH)
    assert pytorch < html.index("Only PyTorch") < jax < html.index("Array(1.)") < html.index("For both.")


def test_a_tab_and_its_panel_name_each_other(site: Site) -> None:
    html = site.html("ch/one")
    assert set(re.findall(r'aria-controls="([^"]*)"', html)) == set(re.findall(r'id="(d2l-panel-[^"]*)"', html))
    assert set(re.findall(r'aria-labelledby="([^"]*)"', html)) == set(re.findall(r'id="(d2l-tab-[^"]*)"', html))


def test_a_piece_for_two_of_three_frameworks_keeps_its_numbers_in_both_panels(site: Site) -> None:
    html = site.html("ch/two")
    assert panels(html) == ["pytorch", "jax", "mxnet"]
    assert html.count('<span class="caption-number">Fig. 1.2.1 </span>') == 2
    assert html.count('<span class="eqno">(1.2.1)') == 2


def test_saved_code_has_a_badge_in_place_of_the_mark(site: Site) -> None:
    html = site.html("ch/one")
    assert "@save" not in html
    assert html.count("saved in d2l") == 1


def test_hidden_input_can_be_opened(site: Site) -> None:
    assert re.search(r"<details class=.*secret.*</details>.*seen", site.html("ch/one"), re.DOTALL)


def test_a_notice_stands_above_the_code_in_its_panel_as_plain_text(site: Site) -> None:
    html = site.html("ch/one")
    notice = html.index("This code was not executed: &lt;b&gt; *needs* a GPU")
    assert html.count("d2l-run-notice") == 1
    assert html.index('id="d2l-panel-1-jax"') < notice < html.index("Array(1.)")


def test_the_end_of_a_page_says_how_it_ran(site: Site) -> None:
    text = site.text("ch/one")
    assert "Run on 2026-11-20 with PyTorch 2.13.0 · Python 3.11.7 in 3.2 s JAX: not executed" in text


def test_the_library_is_described_without_importing_it(site: Site) -> None:
    text = site.text("ch/two")
    assert "class d2l.torch.Net(n, *, k=3)" in text
    assert "Defined in Section 1.1" in text
    assert "forward(X)" in text
    assert "_hidden" not in text
    assert "d2l.torch.train(net, *, rate=0.1)" in text
    assert re.search(r'href="two.html#d2l.torch.Net"[^>]*><code', site.html("ch/one"))


def test_raw_files_are_read_beside_the_chapter(site: Site) -> None:
    written = re.search(r'<b class="front">Front</b><img alt="A &amp; B" src="([^"]*)#x">', site.html("index"))
    assert written
    assert (site.context.output / written[1]).read_text(encoding="utf-8") == SVG


def test_the_bibliography_lists_cited_works(site: Site) -> None:
    assert "On engines" in site.text("references")


def test_a_figure_without_its_image_is_numbered(site: Site) -> None:
    html = site.html("ch/two")
    (number,) = re.findall(r'See <a class="reference internal" href="#fig-away">(?:<span[^>]*>)?(Fig\. [0-9.]+)', html)
    figure = re.search(r'<figure[^>]*id="fig-away".*?</figure>', html, re.DOTALL)
    assert figure
    assert '<a class="reference external" href="https://x.org/a.png">[image at x.org]</a>' in figure[0]
    words = re.sub(r"<[^>]*>", "", figure[0])
    assert f"{number} " in words
    assert "Far, by Lovelace" in words


def test_findings_stand_at_the_lines_of_the_chapters(site: Site) -> None:
    lines = ONE.split("\n")
    deeper = next(number for number, line in enumerate(lines, start=1) if "unknown_key" in line)
    found = [(str(finding.span), finding.rule) for finding in site.result.findings]
    assert found == [
        ("None", "missing-file"),
        (f"chapters/ch/one.md:{deeper}", "undefined-citation"),
        (f"chapters/ch/one.md:{deeper + 2}", "undefined-label"),
        (f"chapters/ch/one.md:{len(lines) + 5}", "undefined-label"),
        ("chapters/ch/two.md:23", "undefined-name"),
        ("chapters/index.md:15", "missing-file"),
        ("chapters/index.md:18", "missing-file"),
        ("chapters/index.md:21", "rendering"),
        ("chapters/preface.md:4", "missing-image"),
        ("d2l.bib:3", "bibliography"),
    ]
    messages = [finding.message for finding in site.result.findings]
    assert "undefined label: sec_nowhere" in messages
    assert "the library d2l.torch has no function called nothing" in messages
    assert not any(".ipynb" in message or "WARNING" in message for message in messages)


def test_nothing_is_loaded_from_elsewhere(site: Site) -> None:
    for path in site.context.output.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//', text)
        assert not re.findall(
            r'<link\b[^>]*\brel="(?:stylesheet|preload|preconnect|prefetch|shortcut icon)"[^>]*//', text
        )
        assert not re.findall(r"""url\(\s*['"]?(?:https?:)?//""", text)
    for name in re.findall(r'<script[^>]* src="([^"?]*)', (site.context.output / "ch" / "one.html").read_text("utf-8")):
        assert (site.context.output / "ch" / name).resolve().is_file()
    assert (site.context.output / "_static" / "mathjax" / "output" / "chtml" / "fonts" / "woff-v2").is_dir()


def test_the_sidebar_opens_at_the_page(site: Site) -> None:
    text = (site.context.output / "ch" / "one.html").read_text("utf-8")
    assert re.search(
        r'class="toctree-l1 has-children current">.*class="toctree-l2 current current-page"', text, re.DOTALL
    )
    assert 'href="../preface.html">Preface' in text
    assert ">Forum</a>" in text
    assert "_NO_" not in text


def test_a_second_build_writes_nothing_and_remembers_the_findings(site: Site) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.context.output.rglob("*.html")}
    again = render(site.pages, site.context, _as_myst)
    assert again.findings == site.result.findings
    written = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    # The preface shows an image that may have come, and the index lists it.
    others = {"genindex.html", "search.html", "404.html"}
    assert {path.name for path in written} <= {*others, "preface.html", "index.html"}
