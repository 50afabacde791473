"""Whole EPUBs of a mini book: numbers, structure, links, and what epubcheck says of them."""

import posixpath
import re
import shutil
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from d2lbuild.pipeline import BuildReport
from d2lbuild.rendering.sphinx_speed import SWITCH
from tests.integration.whole_books import BOOK, complaints, make, needs_epubcheck
from tests.rendering.numbers import differing, numbers_of_website

pytestmark = pytest.mark.integration

EPUB = ("epub",)
WRONG = """\
# Tabs

Good $x^2$, and $\\undefinedcommand{x}$.

$$\\frac{a$$

<div align="center" onclick="x()"><b>Bold<br>text</div>
<img src="https://example.org/a.png" alt="A remote image">

![Elsewhere](https://example.org/b.png)

![Of old](../img/old.bmp)

```{.python .input}
#@tab all
%%html
```

A footnote.[^1]

[^1]: Of the page.
"""
CHINESE = "# 线性回归\n:label:`sec_tabs`\n\n模型见 :numref:`sec_deeper` 和 $x \\in \\mathbb{R}$。\n"
OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildReport]:
    root = tmp_path_factory.mktemp("ein Buch 书")
    return root, make(root, to=("html", "epub"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def text_of(path: Path, name: str) -> str:
    tree = ElementTree.fromstring(files_of(path)[f"EPUB/text/{name}.xhtml"])
    body = tree.find(f"{XHTML}body")
    assert body is not None
    return " ".join("".join(body.itertext()).split())


def test_parts_stand_in_the_contents_and_chapters_are_counted_through(built: tuple[Path, BuildReport]) -> None:
    root, _ = built
    (epub,) = (root / "_build" / "pytorch" / "epub").glob("*.epub")
    contents = ElementTree.fromstring(files_of(epub)["EPUB/nav.xhtml"])
    top = contents.find(f".//{XHTML}nav/{XHTML}ol")
    assert top is not None
    parts = {
        "".join(item[0].itertext()): [
            "".join(below[0].itertext())[:8] for below in item.findall(f"{XHTML}ol/{XHTML}li")
        ]
        for item in top
    }
    assert parts['Ones & "Others": 50%'] == ["1. Rules"]
    assert parts["Twos"] == ["2. Frame"]
    assert "Works" in parts


def test_numbers_are_those_of_the_website(built: tuple[Path, BuildReport]) -> None:
    root, report = built
    assert [str(finding) for finding in report.findings] == []
    folder = root / "_build" / "pytorch"
    site = numbers_of_website(folder / "html")
    assert {"1", "1.1", "1.1.1", "1.1.1.1", "2", "2.1"} <= set(site.values())
    assert differing(site, numbers_of_website(folder / "epub-work" / "text", ".xhtml")) == []


def test_the_text_is_that_of_the_framework(built: tuple[Path, BuildReport]) -> None:
    path = built[1].outputs["epub"]
    rules = text_of(path, "one/rules")
    for words in (
        *("1.1. Rules & More", "A rule of Knuth (1984)", "Fig. 1.1.1", "Table 1.1.1", "(1.1.1)", "saved in d2l"),
        *("β ≤ ∞ │ 书 │ a line", "😀 and 书", "Discuss this page"),
    ):
        assert words in rules, words
    tabs = text_of(path, "two/tabs")
    assert "Only for PyTorch." in tabs
    assert "Only for JAX." not in tabs
    assert "Knuth, 1984" in text_of(path, "works")
    assert 'href="https://discuss.d2l.ai/t/42"' in files_of(path)["EPUB/text/one/rules.xhtml"].decode()


def test_the_package_says_what_the_book_is(built: tuple[Path, BuildReport]) -> None:
    path = built[1].outputs["epub"]
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    files = files_of(path)
    assert files["mimetype"] == b"application/epub+zip"
    package = ElementTree.fromstring(files["EPUB/package.opf"])
    said = {one.tag.removeprefix(DC): one.text for one in package.iter() if one.tag.startswith(DC)}
    assert re.fullmatch("urn:uuid:[0-9a-f-]{36}", said.pop("identifier") or "")
    assert said == {"title": "A Mini Book (PyTorch)", "language": "en", "creator": "Nobody", "rights": "© 2026"}
    items = {one.get("href"): one for one in package.iter(f"{OPF}item")}
    assert {f"EPUB/{name}" for name in items} == files.keys() - {
        "mimetype",
        "META-INF/container.xml",
        "EPUB/package.opf",
    }
    assert items["cover.svg"].get("properties") == "cover-image"
    assert items["nav.xhtml"].get("properties") == "nav"
    assert items["text/one/rules.xhtml"].get("properties") == "mathml"
    spine = {one.get("idref"): None for one in package.iter(f"{OPF}itemref")}
    by_id = {one.get("id"): name for name, one in items.items()}
    pages = ("index", "preface", "one/index", "one/rules", "two/index", "two/tabs", "works", "api/pytorch")
    assert [by_id[one] for one in spine] == [
        *("cover.xhtml", "title.xhtml", "nav.xhtml"),
        *(f"text/{name}.xhtml" for name in pages),
        "names.xhtml",
    ]


def test_every_link_leads_somewhere(built: tuple[Path, BuildReport]) -> None:
    files = files_of(built[1].outputs["epub"])
    trees = {name: ElementTree.fromstring(text) for name, text in files.items() if name.endswith((".xhtml", ".ncx"))}
    ids = {name: {one.get("id") for one in tree.iter()} for name, tree in trees.items()}
    count = 0
    for name, tree in trees.items():
        for address in (one.get(key) for one in tree.iter() for key in ("href", "src")):
            place = urlsplit(address or "")
            if address is None or place.scheme:
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(place.path))) if place.path else name
            )
            assert target in files, (name, address)
            assert not place.fragment or unquote(place.fragment) in ids[target], (name, address)
            count += 1
    assert count > 60


def test_the_contents_have_all_sections(built: tuple[Path, BuildReport]) -> None:
    files = files_of(built[1].outputs["epub"])
    nav = ElementTree.fromstring(files["EPUB/nav.xhtml"])
    titles = [one.text for one in nav.iter(f"{XHTML}a")]
    old = ElementTree.fromstring(files["EPUB/toc.ncx"])
    assert titles[:-2] == [one.text for one in old.iter("{http://www.daisy.org/z3986/2005/ncx/}text")][1:]
    for title in (
        "Preface",
        "1. Rules of x2",
        "1.1. Rules & More",
        "1.1.1. Deeper",
        "1.1.1.1. Deepest",
        "Index of the library",
    ):
        assert title in titles, title
    assert '<a href="text/one/rules.xhtml#saved-rule"><code>rule</code></a>' in files["EPUB/names.xhtml"].decode()


def test_it_is_the_same_wherever_and_however_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: tuple[Path, BuildReport]
) -> None:
    first = built[1].outputs["epub"].read_bytes()
    assert make(tmp_path / "another", to=EPUB, jobs=1).outputs["epub"].read_bytes() == first
    monkeypatch.setenv(SWITCH, "1")
    assert make(tmp_path / "stock", to=EPUB).outputs["epub"].read_bytes() == first


def test_edits_are_not_missed(tmp_path: Path) -> None:
    make(tmp_path / "edited", to=EPUB)
    text = (BOOK / "chapters" / "one" / "rules.md").read_text("utf-8")
    changes = {"one/rules.md": text.replace("# Rules & More", "# Others").replace("## Deeper", "## First\n\n## Deeper")}
    edited = make(tmp_path / "edited", changes, to=EPUB).outputs["epub"]
    assert edited.read_bytes() == make(tmp_path / "fresh", changes, to=EPUB).outputs["epub"].read_bytes()
    assert "1.1.2" in text_of(edited, "one/rules")
    before = edited.stat().st_mtime_ns
    make(tmp_path / "edited", changes, to=EPUB)
    assert edited.stat().st_mtime_ns == before


def test_what_is_wrong_is_shown_and_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "chapters" / "img").mkdir(parents=True)
    (tmp_path / "chapters" / "img" / "old.bmp").write_bytes(b"BM")
    report = make(tmp_path, {"two/tabs.md": WRONG}, to=EPUB)
    found = {(f"{one.span.path}:{one.span.first}", one.rule) for one in report.findings if one.span}
    assert {
        ("chapters/two/tabs.md:3", "formula-not-converted"),
        ("chapters/two/tabs.md:5", "formula-not-converted"),
        ("chapters/two/tabs.md:7", "remote-image"),
        ("chapters/two/tabs.md:10", "remote-image"),
        ("chapters/two/tabs.md:12", "unknown-image"),
    } <= found
    path = report.outputs["epub"]
    page = files_of(path)["EPUB/text/two/tabs.xhtml"].decode()
    for piece in (
        r'<code class="d2l-tex">\undefinedcommand{x}</code>',
        r'<pre class="d2l-tex">\frac{a</pre>',
        "<em>A remote image</em>",
        "Bold<br />text</b></div>",
        'epub:type="noteref"',
        'epub:type="footnote"',
    ):
        assert piece in page, piece
    for piece in ("onclick", 'src="https', "align="):
        assert piece not in page, piece
    if shutil.which("epubcheck") and shutil.which("java"):
        assert complaints(path) == []


def test_each_framework_has_its_own(tmp_path: Path) -> None:
    report = make(tmp_path, to=EPUB, frameworks=("pytorch", "jax"))
    assert sorted(report.outputs) == ["epub jax", "epub pytorch"]
    assert "Only for JAX." in text_of(report.outputs["epub jax"], "two/tabs")
    assert report.outputs["epub pytorch"] == tmp_path / "_build" / "pytorch" / "epub" / "mini.epub"


def test_a_book_may_bring_its_cover_and_commands(tmp_path: Path) -> None:
    cover = b"\x89PNG\r\n\x1a\n"
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "front.png").write_bytes(cover)
    conf = '\n[html]\nmath_macros = { undefinedcommand = "\\\\mathbf{#1}" }\n[epub]\ncover = "conf/front.png"\n'
    report = make(
        tmp_path, {"two/tabs.md": "# Tabs\n:label:`sec_tabs`\n\n$\\undefinedcommand{x}$\n"}, to=EPUB, conf=conf
    )
    assert [str(finding) for finding in report.findings] == []
    files = files_of(report.outputs["epub"])
    assert files["EPUB/cover.png"] == cover
    assert b'<img src="cover.png"' in files["EPUB/cover.xhtml"]
    assert "𝐱" in text_of(report.outputs["epub"], "two/tabs")


@needs_epubcheck
def test_epubcheck_finds_nothing(tmp_path: Path, built: tuple[Path, BuildReport]) -> None:
    assert complaints(built[1].outputs["epub"]) == []
    report = make(tmp_path, {"two/tabs.md": CHINESE}, to=EPUB, conf='language = "zh"\n')
    assert complaints(report.outputs["epub"]) == []
    assert "目录" in files_of(report.outputs["epub"])["EPUB/nav.xhtml"].decode()
