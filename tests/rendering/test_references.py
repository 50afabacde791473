"""Whole small books: where references, links and citations lead, and what they say, in four languages."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild import pipeline
from d2lbuild.config import load_config
from d2lbuild.model import Finding
from d2lbuild.rendering.sphinx_speed import SWITCH
from tests.books import CONF, write_book

pytestmark = pytest.mark.integration

BIB = """\
@article{ada.1842, author={Ada Lovelace and Charles Babbage and Some Body}, title={On Engines},
    journal={arXiv preprint arXiv:1842.01234}, year={1842}}
@book{knuth, author={Donald E. Knuth and John Doe}, title={The Book}, publisher={AW}, year={1984}, doi={10.1000/182}}
@misc{web, author={Tim Lee}, title={The Web}, url={https://example.org/a_b}, year=1990}
@misc{unused, author={No Body}, title={Unused}, year=1990}
"""
ONE = """\
# One by :citet:`knuth`, see :numref:`sec_two` and :eqref:`eq_a`
:label:`sec_one`

See :numref:`sec_one`, :numref:`sec_deep`, :numref:`fig_a`, :numref:`tab_a`, :eqref:`eq_a`, :ref:`fig_a`.
Also :numref:`chap_pre`, :numref:`fig_own`, :numref:`fig_jax`, :eqref:`eq_own`, :numref:`sec_own`.

![Caption by :citet:`ada.1842`, see :numref:`sec_two` and :eqref:`eq_a`.](img/a.svg)
:label:`fig_a`

:Table by :citep:`knuth` and :numref:`fig_a`

| a :cite:`web` | :eqref:`eq_a` |
|---|---|
| :numref:`fig_a` | :cite:`knuth,web` |
:label:`tab_a`

$$a = b$$
:eqlabel:`eq_a`

* item :numref:`tab_a`, :cite:`web`

Foot[^1].

[^1]: A note :numref:`fig_a`.

## Deep & `code`
:label:`sec_deep`

## Plain

:begin_tab:`pytorch`
## In a tab
:label:`sec_own`

PyTorch :numref:`fig_own`, :eqref:`eq_own`, :cite:`ada.1842`.

![P](img/a.svg)
:label:`fig_own`

$$p$$
:eqlabel:`eq_own`
:end_tab:

:begin_tab:`jax`
JAX :numref:`fig_own`, :eqref:`eq_own`.

![J](img/a.svg)
:label:`fig_own`

$$j$$
:eqlabel:`eq_own`

![Only J](img/a.svg)
:label:`fig_jax`
:end_tab:

```{.python .input}
#@tab pytorch
def f(x):  #@save
    return x

class Net:  #@save
    def forward(self, x):
        return x
```

```{.python .input}
#@tab jax
def f(x):  #@save
    return x
```
"""
TWO = """\
# Two
:label:`sec_two`

[page](../one.md) [notebook](../one.ipynb) [html](/one.html) [heading](../one.md#deep--code) [plain](../one.md#plain)
[label](../one.md#sec_deep) [equation](../one.md#eq_a) [figure](../one.md#fig_jax) [**bold**](#two)
[nowhere](../one.md#nowhere) [file](../img/data.csv) [gone](gone.md) :ref:`sec_one` :cite:`web` 线性回归与交叉熵 redes
"""
FILES: dict[str, str | bytes] = {
    "index.md": "# Book\n```toc\npreface\n```\n```toc\n:numbered:\none\npart/two\n```\n```toc\nreferences\n```\n",
    "preface.md": "# Preface\n:label:`chap_pre`\n\nWords. :cite:`ada.1842`\n",
    "one.md": ONE,
    "part/two.md": TWO,
    "references.md": "# References\n\n:bibliography:`refs.bib`\n",
    "refs.bib": BIB,
    "img/a.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
    "img/data.csv": "1,2\n",
}


class Site:
    """A book's website."""

    def __init__(self, root: Path, output: Path, *frameworks: str, fast: bool = True) -> None:
        config = replace(load_config(root), output=output)
        with pytest.MonkeyPatch.context() as patch:
            if not fast:
                patch.setenv(SWITCH, "1")
            report = pipeline.build(config, pipeline.BuildRequest(frameworks or ("pytorch", "jax"), execute=False))
        self.folder = report.outputs["html"].parent
        self.findings: list[Finding] = list(report.findings)

    def page(self, name: str) -> str:
        """Return a page's file."""
        return (self.folder / f"{name}.html").read_text(encoding="utf-8")

    def main(self, name: str) -> str:
        """Return the main part of a page."""
        text = self.page(name)
        return text[text.index("<article") : text.index("</article>")]

    def words(self, name: str) -> str:
        """Return the words of a page's main part."""
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", self.main(name))))

    def link(self, name: str, words: str) -> str:
        """Return where the first link of these words leads."""
        links = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', self.main(name), re.DOTALL)
        return str(next(address for address, text in links if re.sub(r"<[^>]*>", "", text) == words))

    def terms(self) -> set[str]:
        """Return what the search finds."""
        text = (self.folder / "searchindex.js").read_text(encoding="utf-8")
        found: dict[str, object] = json.loads(text[text.index("{") : text.rindex("}") + 1])["terms"]
        return set(found)


def _write(root: Path, language: str = "en") -> Path:
    return write_book(root, FILES, conf=f'{CONF}language = "{language}"\n')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = _write(tmp_path_factory.mktemp("references"))
    return Site(root, root / "_build")


def test_every_kind_of_reference(site: Site) -> None:
    words = site.words("one")
    assert (
        "See Section 1, Section 1.1, Fig. 1.1, Table 1.1, (1.1), "
        "Caption by Lovelace et al. (1842), see Section 2 and (1.1).. "
        "Also Preface, Fig. 1.2.1, Fig. 1.2.2, (1.2.1), In a tab." in words
    )
    assert "Fig. 1.1 Caption by Lovelace et al. (1842), see Section 2 and (1.1)." in words
    assert "Table 1.1 Table by (Knuth and Doe, 1984) and Fig. 1.1" in words
    assert "a (Lee, 1990) (1.1) Fig. 1.1 (Knuth and Doe, 1984, Lee, 1990)" in words
    assert "item Table 1.1, (Lee, 1990)" in words
    assert "A note Fig. 1.1." in words


def test_titles_show_what_they_refer_to_wherever_they_stand(site: Site) -> None:
    title = "One by Knuth and Doe (1984), see Section 2 and (1.1)"
    assert f"1. {title}" in site.words("one")
    assert f"<title>1. {title} - A Mini Book</title>" in site.page("one")
    assert title in site.words("index")
    assert title in site.words("part/two")
    assert f'href="one.html">1. {title}</a>' in site.page("preface")


def test_what_frameworks_have_in_place_of_each_other_has_one_number_and_two_anchors(site: Site) -> None:
    words, main = site.words("one"), site.main("one")
    assert "PyTorch Fig. 1.2.1, (1.2.1), (Lovelace et al., 1842). Fig. 1.2.1 P" in words
    assert "JAX Fig. 1.2.1, (1.2.1). Fig. 1.2.1 J" in words
    assert "Fig. 1.2.2 Only J" in words
    jax = main[main.index("JAX <a") :]
    assert re.findall(r'href="(#[^"]*)"', jax)[:2] == ["#fig-own-jax", "#equation-eq-own-jax"]
    for anchor in ("fig-own", "fig-own-jax", "equation-eq-own", "equation-eq-own-jax"):
        assert main.count(f' id="{anchor}"') == 1


def test_ids_are_unique_and_links_lead_somewhere(site: Site) -> None:
    ids = {path: re.findall(r' id="([^"]*)"', path.read_text("utf-8")) for path in site.folder.rglob("*.html")}
    assert len(ids) > 8
    for path, found in ids.items():
        assert sorted(set(found)) == sorted(found), path
        for address in re.findall(r'<a [^>]*href="([^"]*)"', path.read_text("utf-8")):
            file, _, fragment = html.unescape(address).partition("#")
            if "//" not in file:
                target = (path.parent / file).resolve() if file else path
                assert target.is_file(), (path, address)
                assert not fragment or fragment in ids[target], (path, address)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("page", "../one.html"),
        ("notebook", "../one.html"),
        ("html", "../one.html"),
        ("heading", "../one.html#sec-deep"),
        ("plain", "../one.html#plain"),
        ("label", "../one.html#sec-deep"),
        ("equation", "../one.html#equation-eq-a"),
        ("figure", "../one.html#fig-jax"),
        ("bold", "#sec-two"),
        ("nowhere", "../one.html"),
    ],
)
def test_links(words: str, address: str, site: Site) -> None:
    assert site.link("part/two", words) == address


def test_a_file_of_the_book_can_be_downloaded_and_a_missing_section_is_words(site: Site) -> None:
    file = (site.folder / "part" / site.link("part/two", "file")).resolve()
    assert file.read_text(encoding="utf-8") == "1,2\n"
    assert ">gone<" not in site.main("part/two")
    assert "gone" in site.words("part/two")


def test_a_section_that_this_edition_lacks_is_words(tmp_path: Path) -> None:
    only = "# Only\n:label:`sec_only`\n\n```{.python .input}\n#@tab pytorch\n1\n```\n"
    index = "# Book\n```toc\none\nonly\n```\n"
    files = {"index.md": index, "one.md": "# One\n[Link](only.md#sec_only), :numref:`sec_only`.\n", "only.md": only}
    site = Site(write_book(tmp_path, files), tmp_path / "_build", "jax")
    assert not (site.folder / "only.html").exists()
    assert "Link, Only." in site.words("one")
    assert ">Link<" not in site.main("one")


def test_findings(site: Site) -> None:
    found = [(one.rule, str(one.span).rpartition(":")[0]) for one in site.findings]
    assert found == [("missing-anchor", "chapters/part/two.md:6"), ("missing-link", "chapters/part/two.md:6")]


def test_a_citation_says_the_whole_reference_outside_of_the_text(site: Site) -> None:
    main = site.main("part/two")
    (link,) = re.findall(r'<a aria-description="([^"]*)" class="reference internal d2l-citation" href="([^"]*)">', main)
    assert link == ("Tim Lee. The web. 1990. URL: https://example.org/a_b.", "../references.html#work-web")
    assert "title=" not in main[main.index("d2l-citation") :].partition("</a>")[0]
    assert "The web" not in site.words("part/two")


def test_the_bibliography_lists_what_is_cited_with_links_and_where(site: Site) -> None:
    words = site.words("references")
    assert (
        "Knuth and Doe, 1984 Donald E. Knuth and John Doe. The Book. AW, 1984. doi:10.1000/182. Cited in Section 1"
        in words
    )
    assert "arXiv:1842.01234, 1842. Cited in Preface, Section 1" in words
    assert "Unused" not in words
    assert site.link("references", "arXiv:1842.01234") == "https://arxiv.org/abs/1842.01234"
    assert site.link("references", "doi:10.1000/182") == "https://doi.org/10.1000/182"
    assert site.link("references", "https://example.org/a_b") == "https://example.org/a_b"
    assert site.link("references", "Section 2") == "part/two.html"


def test_the_index_has_the_names_of_the_library_by_framework(site: Site) -> None:
    words = site.words("genindex")
    assert "f() PyTorch · JAX" in words
    assert "forward() (Net method) PyTorch" in words
    assert "Net PyTorch" in words
    assert site.link("genindex", "JAX") == "api/jax.html#d2l.jax.f"
    for name in ("genindex", "search"):
        assert not re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=| style=", site.main(name))


def test_stock_sphinx_makes_the_same_pages(site: Site, tmp_path: Path) -> None:
    other = Site(_write(tmp_path), tmp_path / "_build", fast=False)
    for path in sorted(site.folder.rglob("*")):
        if path.is_file():
            assert (other.folder / path.relative_to(site.folder)).read_bytes() == path.read_bytes(), path
    assert other.findings == site.findings


@pytest.mark.parametrize(
    ("language", "tag", "expected", "terms"),
    [
        (
            "zh",
            "zh-CN",
            ["See 1节, 1.1节, 图1.1, 表1.1, (1.1)", "Knuth和Doe (1984)", "本页的代码没有运行。", "图1.2.1 P"],
            {"线性", "回归", "交叉", "熵"},
        ),
        (
            "pt",
            "pt",
            ["See Seção 1, Seção 1.1, Fig. 1.1, Tabela 1.1, (1.1)", "Knuth e Doe (1984)", "não foi executado"],
            {"red"},
        ),
        (
            "tr",
            "tr",
            ["See Bölüm 1, Bölüm 1.1, Şekil 1.1, Tablo 1.1, (1.1)", "Knuth ve Doe (1984)", "çalıştırılmadı"],
            {"redes"},
        ),
    ],
)
def test_other_languages(language: str, tag: str, expected: list[str], terms: set[str], tmp_path: Path) -> None:
    site = Site(_write(tmp_path, language), tmp_path / "_build")
    assert f'<html class="no-js" lang="{tag}"' in site.page("one")
    for words in expected:
        assert words in site.words("one")
    assert terms <= site.terms()
    assert "Cited in" not in site.words("references")
    assert "API Reference" not in site.words("api/index")
    assert "Skip to content" not in site.page("one")
