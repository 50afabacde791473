"""What must hold for any real book, unchanged, without running its notebooks."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libcst as cst
import pytest
from bs4 import BeautifulSoup, Tag

from d2lbuild.config import Aliases, Config
from d2lbuild.config.types import SERVICES
from d2lbuild.edition.aliases import expand_code
from d2lbuild.edition.code import CodeError, is_python
from d2lbuild.edition.concrete import concrete, text_of
from d2lbuild.edition.select import has_page
from d2lbuild.extraction import libraries
from d2lbuild.model import BlockKind, Book
from d2lbuild.pipeline import BuildReport, BuildRequest, build, check, select_frameworks
from d2lbuild.source.book import load_book
from d2lbuild.source.links import SUFFIXES
from d2lbuild.source.markdown import FrameworkNames, parse_section, unparse

pytestmark = pytest.mark.integration

PROSE_MARKS = re.compile(
    r":(numref|eqref|ref|label|eqlabel|cite|citet|citep|width|height|begin_tab|end_tab|bibliography):`?"
    r"|:end_tab:|\(\*\*|\*\*\)|\[\*\*|\*\*\]|\(~~|~~\)|%%tab|#@tab"
)
CODE_MARKS = re.compile(
    r"#\s*@tab\b|%%tab\b|#\s*@save\b|tab\.selected|tab\.interact_select|:(numref|eqref|cite|citet):`"
)


@pytest.fixture(scope="session")
def book(corpus: Config) -> Book:
    return load_book(corpus)


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest, corpus: Config) -> tuple[tuple[str, ...], BuildReport]:
    names = select_frameworks(corpus, [request.param])
    return names, build(corpus, BuildRequest(names, execute=False))


def test_every_file_comes_back_byte_for_byte(corpus: Config) -> None:
    names = FrameworkNames(tuple(framework.name for framework in corpus.frameworks))
    files = list((corpus.root / corpus.chapters).rglob("*.md"))
    assert files
    for path in files:
        text = path.read_bytes().decode("utf-8", errors="surrogateescape")
        assert unparse(parse_section(text, path.relative_to(corpus.root), names)) == text, path  # type: ignore[arg-type]


def test_every_cell_comes_back_as_it_is(book: Book) -> None:
    for section in book.sections.values():
        for block in section.blocks:
            if block.kind is BlockKind.CODE and is_python(block.content):
                try:
                    module: cst.Module = concrete(block.content)
                except CodeError:
                    continue  # `check` reports it
                assert text_of(module) == block.content, block.span
                assert expand_code(block.content, Aliases()) == block.content


def test_libraries_are_python_and_deterministic(corpus: Config) -> None:
    names = [framework.name for framework in corpus.frameworks]
    first, second = libraries(corpus, names), libraries(corpus, names)
    assert list(first) == [framework.name for framework in corpus.frameworks if framework.is_python]
    for name in first:
        ast.parse(first[name].source)
        assert first[name].source == second[name].source


def test_findings_lie_in_the_book(corpus: Config) -> None:
    for finding in check(corpus):
        assert finding.span, finding
        assert (corpus.root / finding.span.path).is_file(), finding


def test_every_section_of_the_contents_has_its_page(
    corpus: Config, book: Book, built: tuple[tuple[str, ...], BuildReport]
) -> None:
    names, report = built
    site = report.outputs["html"].parent
    for section in book.sections.values():
        wanted = any(has_page(section, name) for name in names)
        assert (site / f"{section.id}.html").is_file() is wanted, section.id
    assert all(path.suffix in SUFFIXES for path in (corpus.root / one.path for one in book.sections.values()))


def test_no_mark_is_visible(book: Book, built: tuple[tuple[str, ...], BuildReport]) -> None:
    _, report = built
    site = report.outputs["html"].parent
    faults = []
    for section in book.sections:
        path = site / f"{section}.html"
        if path.is_file():
            faults += [f"{section}: {fault}" for fault in visible_marks(path)]
    assert faults == []


def visible_marks(path: Path) -> Iterator[str]:
    """Yield the marks that a reader of the page would see; listings and code spans of the prose may speak of them."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    article = soup.find("article") or soup.body
    assert isinstance(article, Tag)
    for cell in article.select("div.cell_input"):
        yield from (match.group() for match in CODE_MARKS.finditer(cell.get_text()))
    for listing in article.select("pre, code, script, style, .math"):
        listing.decompose()
    yield from (match.group() for match in PROSE_MARKS.finditer(article.get_text()))


def test_nothing_is_loaded_from_elsewhere(book: Book, built: tuple[tuple[str, ...], BuildReport]) -> None:
    """What the book's own HTML loads, such as buttons on its front page, is reported."""
    _, report = built
    reported = " ".join(found.message for found in report.findings if found.rule == "fetched-from-elsewhere")
    site = report.outputs["html"].parent
    pattern = re.compile(
        r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=\"(?:https?:)?//[^\"]*|<link\b[^>]*\bhref=\"(?:https?:)?//[^\"]*"
    )
    for section in book.sections:
        path = site / f"{section}.html"
        if path.is_file():
            text = re.sub("<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            found = [match.group() for match in pattern.finditer(text)]
            foreign = [one.partition("//")[2] for one in found if 'rel="canonical"' not in one]
            assert [address for address in foreign if address not in reported] == [], section


def test_rendering_finds_nothing_that_the_check_does_not(
    corpus: Config, built: tuple[tuple[str, ...], BuildReport]
) -> None:
    """Only what reStructuredText and HTML name, files and library names, is looked for while rendering."""
    _, report = built
    rules = {"missing-file", "undefined-name", "fetched-from-elsewhere"}
    known = {(one.rule, one.span) for one in check(corpus)}  # a finding of some frameworks alone is worded differently
    new = [str(one) for one in report.findings if one.rule not in rules and (one.rule, one.span) not in known]
    assert new == []


NOTEBOOKS = ("notebooks", *SERVICES, "slides")
"""Everything that is built as notebooks."""


@pytest.mark.timeout(900)
def test_notebooks_are_valid(corpus: Config, book: Book) -> None:
    """Of every framework, as they are and for every service: each is what the format asks for."""
    import nbformat  # noqa: PLC0415

    names = tuple(framework.name for framework in corpus.frameworks)
    config = replace(corpus, output=corpus.output / "nb")
    report = build(config, BuildRequest(names, to=NOTEBOOKS, execute=False))
    expected = {f"{name}/{one.id}.ipynb" for name in names for one in book.sections.values() if has_page(one, name)}
    for kind in NOTEBOOKS:
        place = report.outputs[kind]
        folder = place if place.is_dir() else place.parent
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.ipynb")}
        # Only sections with marks of slides have slides.
        assert found.keys() == expected if kind != "slides" else found.keys() <= expected
        for path in found.values():
            notebook = json.loads(path.read_text("utf-8"))
            ids = [cell["id"] for cell in notebook["cells"]]
            assert len(ids) == len(set(ids)), path
            nbformat.validate(notebook)
