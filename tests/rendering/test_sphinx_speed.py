"""What is faster is the same: pages of stock Sphinx beside ours, and what happens with versions that are not known."""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest
import sphinx.util.docutils
from docutils import nodes
from docutils.core import publish_doctree
from docutils.transforms.universal import SmartQuotes
from docutils.utils import new_document
from myst_parser.mdit_to_docutils import base
from pybtex.plugin import find_plugin
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped,unused-ignore]
from sphinxcontrib.bibtex.bibfile import parse_bibdata

from d2lbuild.rendering import sphinx_speed
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.references.works_ahead import no_works, works_ahead
from d2lbuild.rendering.sources.page_notebook import Prose
from d2lbuild.rendering.sphinx_speed.bibliographies import formatted_works
from d2lbuild.rendering.sphinx_speed.lexers import first_characters
from d2lbuild.rendering.sphinx_speed.override import Override, fits, put_in_place
from d2lbuild.rendering.sphinx_speed.searches import note_kind, one_page
from d2lbuild.rendering.website.html import Mirror, render
from tests.rendering.website.test_html import _pages, _write_book

from .pages import as_myst, make_book, make_config


def _translator(_page: Page, _context: RenderContext, _pages: frozenset[str], _mirror: Mirror) -> Prose:
    return as_myst


def _site(root: Path, output: Path, **changes: object) -> dict[str, bytes]:
    """Make the site of the pages that `test_html` has."""
    pages = _pages()
    config = make_config(root)
    context = RenderContext(config, make_book(*pages, bibliography=["d2l.bib"]), ("pytorch", "jax"), output / "html")
    render(pages, replace(context, **changes), _translator)  # type: ignore[arg-type]
    return _files(output / "html")


def _files(folder: Path) -> dict[str, bytes]:
    """Return a site's files without Sphinx's own record, which ours leaves out."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".buildinfo")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _different(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@pytest.mark.integration
def test_pages_are_those_of_stock_sphinx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_book(tmp_path)
    assert sphinx_speed.is_fast()
    fast = _site(tmp_path, tmp_path / "fast")
    together = _site(tmp_path, tmp_path / "together", jobs=3)
    assert _different(fast, together) == []
    assert _different(fast, _site(tmp_path, tmp_path / "slow", fast=False)) == []
    monkeypatch.setenv(sphinx_speed.SWITCH, "1")
    assert not sphinx_speed.is_fast()
    assert _different(fast, _site(tmp_path, tmp_path / "off")) == []


@pytest.mark.parametrize("missing", ["d2lbuild.rendering.sphinx_speed.PAGE_BUILDER"])
def test_other_versions_of_sphinx_build_as_they_do(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_book(tmp_path)
    monkeypatch.setattr(missing, ("Sphinx", "1.0"))
    assert not sphinx_speed.is_fast()
    first = _site(tmp_path, tmp_path / "site")
    assert ".buildinfo" not in first
    assert (tmp_path / "site" / "html" / ".buildinfo").is_file()
    assert _different(first, _site(tmp_path, tmp_path / "site")) == []


def test_overrides_are_undone(tmp_path: Path) -> None:
    before = (nodes.Node.findall, nodes.Node.walkabout, vars(base)["get_default_settings"], SmartQuotes.apply)
    visit = sphinx.util.docutils.SphinxTranslator.dispatch_visit
    with sphinx_speed.fast_sphinx(tmp_path, fast=True):
        assert nodes.Node.findall is not before[0]
        assert sphinx.util.docutils.SphinxTranslator.dispatch_visit is not visit
    after = (nodes.Node.findall, nodes.Node.walkabout, vars(base)["get_default_settings"], SmartQuotes.apply)
    assert after == before
    assert sphinx.util.docutils.SphinxTranslator.dispatch_visit is visit
    with sphinx_speed.fast_sphinx(tmp_path, fast=False):
        assert nodes.Node.findall is before[0]


def _here() -> str:
    return "original"


def _module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("d2lbuild_overridden")
    module._here = _here  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    return module


@pytest.mark.parametrize(
    ("distribution", "versions", "name"),
    [
        ("docutils", "0.1", "_here"),  # 0.1 is not the beginning of 0.22
        ("no-such-distribution", "1", "_here"),
        ("docutils", "0", "gone"),
        ("docutils", "0", "gone.too"),
    ],
)
def test_what_is_not_known_stays(distribution: str, versions: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = _module(monkeypatch)
    with put_in_place(Override(distribution, versions, module.__name__, name, lambda _: None)) as done:
        assert not done
        assert module._here is _here


def test_an_override_is_given_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _module(monkeypatch)
    override = Override("docutils", "0", module.__name__, "_here", lambda one: lambda: f"not {one()}")
    with put_in_place(override) as done:
        assert done
        assert module._here() == "not original"
    assert module._here is _here


def test_every_override_finds_its_function_in_the_tested_versions(tmp_path: Path) -> None:
    """Otherwise a new version of a package would make builds slow, and nobody would know."""
    for override in sphinx_speed.overrides(tmp_path):
        with put_in_place(override) as done:
            assert done == fits(override.distribution, override.versions)
            assert done, f"{override.module}.{override.name} of {override.distribution} {override.versions}"


@pytest.mark.parametrize(
    "text",
    [
        'a "quoted" word',
        "it's",
        "wait ...",
        "1--2 --- 3",
        "no quotes. None. At all.",
        "dots . . . apart",
        r"a \" b",
        "`a`",
        'a "`` literal ``" quote',
        'an *"emphasised* word"',
        "an escaped \\'quote\\'",
        '.. class:: language-de\n\nGerman "words"',
        '.. class:: language-xx\n\nUnknown "words"',
    ],
)
def test_smart_quotes_are_the_same(text: str, tmp_path: Path) -> None:
    options = {"smart_quotes": "alt", "report_level": 5}

    def published() -> str:
        return str(publish_doctree(text, settings_overrides=options))

    expected = published()
    with sphinx_speed.fast_sphinx(tmp_path, fast=True):
        assert published() == expected


_CODE = """\
%%time
!pip install d2l
class Net(nn.Module):  #@save
    'Doc.'
    @d2l.add_to_class(Net)
    async def f(self, x: int = 0b11, *, ſ=None) -> "torch.Tensor":
        return f"{x!r:>{9}} {'é'}" + rb'\\n' + u\'\'\'a
b\'\'\' if x @ 2 != 1.5e-3j else x?
\tprint(lambda: ..., naïve, $, \x0c)
"""


@pytest.mark.parametrize(
    "name", ["python", "ipython3", "pycon", "bash", "html", "json", "cpp", "r", "julia", "js", "yaml", "csharp"]
)
def test_tokens_are_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sphinx_speed.lexers, "_FEW", 0)
    every = "".join(map(chr, range(300)))
    for text in (_CODE, every, "", "\n\n", _CODE.upper()):
        expected = list(get_lexer_by_name(name).get_tokens(text))
        with sphinx_speed.fast_sphinx(tmp_path, fast=True):
            assert list(get_lexer_by_name(name).get_tokens(text)) == expected


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("ab", "a"),
        ("a?b|c", "abc"),
        (r"(\s*)(%%time)", "\t\n\v\f\r\x1c\x1d\x1e\x1f %"),
        ("(?i)rb", "rR"),
        ("[^\x01-\x7f]", "\0"),
        ("(?=x)y", "y"),
        ("^[a-c]+?d", "abc"),
        ("a*", None),
        ("(a|)", None),
        ("", None),
        (".", None),
        ("(?i)ſ", None),  # which `s` matches
        ("(?i:a)", None),
        (r"(a?)\1b", None),
    ],
)
def test_what_rules_can_begin_with(pattern: str, first: str | None) -> None:
    found = first_characters(re.compile(pattern))
    assert found == (None if first is None else frozenset(first))
    matching = {character for character in map(chr, range(128)) if re.match(pattern, character + "ab%%time")}
    assert found is None or matching <= found


def test_searches_find_the_same(tmp_path: Path) -> None:
    inner = nodes.paragraph("", "", nodes.emphasis("", "a"), nodes.Text("b"), nodes.strong("", "", nodes.Text("c")))
    tree = nodes.section("", nodes.title("", "T"), inner, nodes.section("", nodes.paragraph("", "d")))
    questions = [
        {},
        {"condition": nodes.Text},
        {"condition": nodes.paragraph, "include_self": False},
        {"condition": lambda node: isinstance(node, nodes.TextElement)},
        {"descend": False, "siblings": True},
        {"ascend": True},
    ]
    starts = [tree, inner, inner[0], inner[1]]
    expected = [list(start.findall(**question)) for start in starts for question in questions]  # type: ignore[arg-type]
    with sphinx_speed.fast_sphinx(tmp_path, fast=True):
        found = [list(start.findall(**question)) for start in starts for question in questions]  # type: ignore[arg-type]
    assert found == expected


def test_searches_find_what_is_made_meanwhile_or_comes_from_a_file(tmp_path: Path) -> None:
    def document(*children: nodes.Node) -> nodes.document:
        found = new_document("page")
        found += children
        return found

    admonition: Any = nodes.Admonition
    inline: Any = nodes.Inline
    figure = nodes.figure()
    kept = document(nodes.table(), nodes.paragraph("", "a"))  # nobody has noted what it holds
    with sphinx_speed.fast_sphinx(tmp_path, fast=True):
        assert len(list(kept.findall(nodes.table))) == 1
        with one_page():
            page = document(nodes.paragraph("", "a", nodes.emphasis("", "b")))
            assert not list(page.findall(nodes.table))
            assert not list(page.findall(admonition))
            assert len(list(page.findall(inline))) == 1
            assert len(list(page.findall(nodes.Text))) == 2
            page += nodes.note()
            assert len(list(page.findall(admonition))) == 1
            note_kind(nodes.figure)
            page.children.append(figure)
            assert len(list(page.findall(nodes.figure))) == 1
        with one_page():
            assert not list(document().findall(nodes.note))


def test_works_are_formatted_ahead_as_they_are_later(tmp_path: Path) -> None:
    (tmp_path / "d2l.bib").write_text(
        "@article{A.2020, author = {Ann {\\O}sten}, title = {On {Tea}}, journal = {J}, year = 2020}\n"
        "@article{Lacking, author = {Bob}}\n"
        "@book{B.2021, author = {Bo B}, title = {Leaves}, publisher = {P}, year = 2021}\n",
        encoding="utf-8",
    )
    ahead = formatted_works([tmp_path / "d2l.bib"])
    assert len(ahead) == 2
    assert any("Østen" in str(text) and "On Tea" in str(text) for text in ahead.values())
    style = find_plugin("pybtex.style.formatting", "plain")()
    data = parse_bibdata([tmp_path / "d2l.bib"], "utf-8").data
    later = {str(style.format_entry("", data.entries[key]).text) for key in ("A.2020", "B.2021")}
    assert {str(text) for text in ahead.values()} == later


def test_works_are_formatted_once(tmp_path: Path) -> None:
    _write_book(tmp_path)
    config = make_config(tmp_path, bibliography=(PurePosixPath("d2l.bib"),))
    works = works_ahead(config, tmp_path / "site" / "html")
    assert works is not no_works
    assert works()
    assert not works()
    pages = _pages()
    context = RenderContext(
        config, make_book(*pages, bibliography=["d2l.bib"]), ("pytorch", "jax"), tmp_path / "site/html"
    )
    render(pages, replace(context, works=works_ahead(config, context.output)), _translator)
    assert works_ahead(config, context.output) is no_works
    assert works_ahead(make_config(tmp_path), tmp_path / "other" / "html") is no_works
