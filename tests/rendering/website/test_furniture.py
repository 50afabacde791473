"""What stands around the text, on one small site."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import Html, NotebookService
from d2lbuild.model import CellKind
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.website.html import RenderContext, RenderResult, render
from tests.rendering.pages import PageBuilder, make_book, make_config

BOTH = ("pytorch", "jax")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"/>'
FRONT = """\
<!-- <img src="pictures/commented.png"> -->
<style>a::after { content: "<img src=pictures/style.png>" }</style>
<img SRC='pictures/cup &amp; saucer.svg' alt="A cup"/><img src="pictures/none.png">
<a href="ch/one.html">One</a> <a href="../../../secret.svg">Not of the book</a>
<script async src="https://elsewhere.example/widgets.js"></script>
<a href="https://elsewhere.example/">A link asks nobody</a>
"""
HTML = Html(
    repository="https://github.com/someone/book",
    site_url="https://book.example/site/",
    image=PurePosixPath("chapters/img/a.svg"),
    services=(NotebookService("Colab", {"pytorch": "https://colab.example/{section}.ipynb"}),),
)


@dataclass(frozen=True)
class Site:
    context: RenderContext
    pages: list[Page]
    result: RenderResult

    def file(self, name: str) -> str:
        return (self.context.output / name).read_text(encoding="utf-8")


def _pages() -> list[Page]:
    index = PageBuilder("index", BOTH)
    index.prose("# A Mini Book")
    index.add(CellKind.RST, ".. raw:: html\n   :file: front.html")
    index.contents("ch/index", numbered=True)
    chapter = PageBuilder("ch/index", BOTH)
    chapter.prose("# The Chapter & More")
    chapter.contents("ch/one")
    one = PageBuilder("ch/one", BOTH)
    one.prose('# One with $x$\n\n![A figure](../img/a.svg)\n\nFirst *words* of "one".\n\n' + "word " * 60)
    one.code("x", "pytorch")
    one.code("y", "jax")
    one.prose("Only exercises.")
    one.prose("[Discussions](https://discuss.example/t/27)", "pytorch")
    page = replace(one.page(), outdated={"jax": "Made with <jax 1>."})
    return [index.page(), chapter.page(), page]


def _make(root: Path, html: Html) -> Site:
    front = root / "static" / "frontpage"
    (front / "pictures").mkdir(parents=True)
    (front / "front.html").write_text(FRONT, encoding="utf-8")
    (front / "pictures" / "cup & saucer.svg").write_text(SVG, encoding="utf-8")
    (root / "chapters" / "img").mkdir(parents=True)
    (root / "chapters" / "img" / "a.svg").write_text(SVG, encoding="utf-8")
    pages = _pages()
    context = RenderContext(make_config(root, html=html), make_book(*pages), BOTH, root / "_build" / "html")
    return Site(context, pages, render(pages, context))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return _make(tmp_path_factory.mktemp("book"), HTML)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the same book, which configures nothing."""
    return _make(tmp_path_factory.mktemp("book"), Html())


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).strip()


def test_breadcrumbs_lead_to_the_chapter_with_its_number(site: Site) -> None:
    (bar,) = re.findall(r'<nav class="d2l-breadcrumbs".*?</nav>', site.file("ch/one.html"), re.DOTALL)
    assert 'href="index.html"' in bar
    assert [_words(item) for item in re.findall(r"<li>.*?</li>", bar, re.DOTALL)] == [
        "1. The Chapter &amp; More",
        r"1.1. One with \(x\)",
    ]
    assert bar.count("aria-current") == 1
    assert "d2l-breadcrumbs" not in site.file("index.html")


def test_the_menu_needs_no_script_and_names_frameworks(site: Site) -> None:
    (menu,) = re.findall(r'<details class="d2l-page-menu">.*?</details>', site.file("ch/one.html"), re.DOTALL)
    assert re.findall(r'data-framework="(\w+)">\s*<a href="([^"]*)"', menu) == [
        ("pytorch", "../_notebooks/pytorch/ch/one.ipynb"),
        ("jax", "../_notebooks/jax/ch/one.ipynb"),
        ("pytorch", "https://colab.example/ch/one.ipynb"),
    ]
    assert "Download the notebook JAX" in _words(menu)
    assert 'href="https://github.com/someone/book/edit/main/chapters/ch/one.md" rel="edit"' in menu


def test_notebooks_lie_below_the_site_and_show_its_figures(site: Site, bare: Site) -> None:
    text = site.file("_notebooks/jax/ch/one.ipynb")
    code = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert code == [["y"]]
    assert "(https://book.example/site/_notebooks/figures/chapters/img/a.svg)" in text
    assert site.file("_notebooks/figures/chapters/img/a.svg") == SVG
    assert "(../img/a.svg)" in bare.file("_notebooks/jax/ch/one.ipynb")
    assert not (site.context.output / "_notebooks" / "jax" / "ch" / "index.ipynb").exists()


def test_notebooks_that_nothing_has_changed_are_left_alone(site: Site) -> None:
    files = list((site.context.output / "_notebooks").rglob("*.*"))
    assert len(files) == 3
    before = {path: path.stat().st_mtime_ns for path in files}
    stranger = site.context.output / "_notebooks" / "jax" / "gone.ipynb"
    stranger.write_text("{}", encoding="utf-8")
    files[0].write_text("damaged", encoding="utf-8")
    render(site.pages, site.context)
    assert not stranger.exists()
    assert files[0].read_text(encoding="utf-8") != "damaged"
    assert all(path.stat().st_mtime_ns == before[path] for path in files[1:])


def test_a_page_is_discussed_where_its_framework_is(site: Site) -> None:
    html = site.file("ch/one.html")
    (thread,) = re.findall(r'<div class="d2l-discussions">.*?</div>', html, re.DOTALL)
    assert '<p data-framework="pytorch"><svg aria-hidden="true"' in thread
    assert 'href="https://discuss.example/t/27"' in thread
    assert "Discussions" not in html
    assert "discuss" not in site.file("searchindex.js")


def test_what_is_odd_about_outputs_is_said_above_the_text(site: Site) -> None:
    html = site.file("ch/one.html")
    notice = '<p class="d2l-page-notice" role="note" data-framework="jax">Made with &lt;jax 1&gt;.</p>'
    assert html.index(notice) < html.index("<h1>")


def test_a_page_says_what_it_is_about(site: Site, bare: Site) -> None:
    html = site.file("ch/one.html")
    assert '<meta name="description" content="First words of “one”.">' in html
    assert '<link rel="canonical" href="https://book.example/site/ch/one.html">' in html
    assert '<meta property="og:url" content="https://book.example/site/ch/one.html">' in html
    assert '<meta property="og:image" content="https://book.example/site/_static/a.svg">' in html
    assert '<meta property="og:type" content="website">' in site.file("index.html")
    assert not re.search(r'canonical"|og:url|og:image', bare.file("ch/one.html"))
    assert 'rel="icon" type="image/svg+xml" href="../_static/book/favicon.svg"' in html
    assert (site.context.output / "_static" / "book" / "favicon.svg").is_file()


def test_search_engines_hear_of_the_pages_alone(site: Site, bare: Site) -> None:
    pages = re.findall(r"<loc>(.*?)</loc>", site.file("sitemap.xml"))
    assert pages == [f"https://book.example/site/{name}.html" for name in ("ch/index", "ch/one", "index")]
    assert not (bare.context.output / "sitemap.xml").exists()
    for name in ("search.html", "404.html"):
        assert '<meta name="robots" content="noindex">' in site.file(name)
        assert "canonical" not in site.file(name)
    assert "noindex" not in site.file("ch/one.html")


def test_the_page_for_what_is_not_there_works_at_any_depth(site: Site, bare: Site) -> None:
    html = site.file("404.html")
    assert html.index('<base href="https://book.example/site/">') < html.index("<link")
    assert 'action="search.html"' in html
    assert "There is no such page" in html
    alone = bare.file("404.html")
    assert "There is no such page" in alone
    assert "A Mini Book" in alone
    assert re.findall(r'\b(?:href|src)="([^"]*)"', alone) == ["data:,"]


def test_a_front_page_shows_its_files(site: Site) -> None:
    html = site.file("index.html")
    assert '<div class="d2l-raw-page d2l-front-page">' in html
    assert '<img src="_images/cup%20%26%20saucer.svg" alt="A cup"/>' in html
    assert site.file("_images/cup & saucer.svg") == SVG
    for untouched in ("commented.png", "style.png", 'src="pictures/none.png"', 'href="ch/one.html"', "../../../secret"):
        assert untouched in html


def test_what_a_front_page_lacks_or_fetches_is_found(site: Site) -> None:
    found = [(str(one.span), one.rule, one.message) for one in site.result.findings if one.span]
    place = "chapters/index.md:3"
    assert found == [
        (place, "missing-file", "static/frontpage/front.html shows the file pictures/none.png, which does not exist"),
        (
            place,
            "fetched-from-elsewhere",
            "static/frontpage/front.html:5 makes the browsers of readers fetch https://elsewhere.example/widgets.js",
        ),
    ]


def test_pages_have_a_place_for_versions_where_these_are_configured(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    versions = _make(tmp_path_factory.mktemp("book"), replace(HTML, versions="../versions.json")).file("ch/one.html")
    (menu,) = re.findall(r'<details class="d2l-page-menu d2l-versions".*?</details>', versions, re.DOTALL)
    assert 'data-list="../versions.json" hidden' in menu
    assert len(re.findall(r'<script[^>]*src="[^"]*book/versions\.js[^"]*"', versions)) == 1
    (note,) = re.findall(r"<p[^>]*d2l-older.*?</p>", versions)
    assert " hidden>" in note
    # A book that says nothing of versions has pages without a trace of them.
    rest = versions.replace(menu, "").replace(note, "")
    rest = re.sub(r".*book/versions\.(js|css).*\n", "", rest)
    plain = [line for line in site.file("ch/one.html").splitlines() if line.strip()]
    assert [line for line in rest.splitlines() if line.strip()] == plain
