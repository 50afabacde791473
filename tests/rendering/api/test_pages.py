"""The API reference of a mini book, as pages: two frameworks, one, and a book that describes its names itself."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.model import Finding
from d2lbuild.pipeline import BuildRequest, build, select_frameworks
from tests.books import CONF, INDEX, write_book

ONE = """\
# One
:label:`sec_one`

```{.python .input}
#@tab pytorch
class Net(nn.Module):  #@save
    \"\"\"A net for $x^2$, like :class:`Net` of :numref:`sec_two`.\"\"\"
    def __init__(self, size, *, rate=0.1):
        self.size = size

    def forward(self, X):
        return X

    @property
    def width(self):
        \"\"\"How wide it is.\"\"\"

    def _hidden(self):
        \"\"\"Not for readers.\"\"\"

def _secret():  #@save
    pass
```

```{.python .input}
#@tab jax
class Net(d2l.Other):  #@save
    \"\"\"The other net.\"\"\"
    def __init__(self, size):
        self.size = size

class Other:  #@save
    pass
```

```{.python .input}
#@tab all
def train(net, rate=0.1):  #@save
    \"\"\"Train it.\"\"\"
```

## Deeper
:label:`sec_deeper`

```{.python .input}
#@tab all
#@save
LIMIT = 3
#@save
TABLE = dict(first='a long value', second='another long value', third='a third long value')
```
"""
TWO = """\
# Two
:label:`sec_two`

Use :class:`Net`, :func:`d2l.train` and :mod:`d2l.jax`.

:begin_tab:`jax`
Here :class:`Net` is another.
:end_tab:

```{.python .input}
#@tab pytorch
from d2l import torch as d2l
d2l.Net(1), d2l.Other, d2l._secret, "d2l.train"
```

```{.python .input}
#@tab jax
from d2l import jax as d2l
d2l.Net(2), d2l.Other()
```

```{.python .input}
#@tab all
@d2l.train(d2l.matmul)
def joined(): pass
```

The same for both.

```{.python .input}
#@tab all
d2l.Other if jax else d2l.train
```

```{.python .input}
#@tab pytorch
@d2l.add_to_class(Net)  #@save
def loss(self, y):
    \"\"\"Compare.\"\"\"
```
"""
OWN = """\
# Own
:begin_tab:`pytorch`
```eval_rst
.. currentmodule:: d2l.torch
```
:end_tab:

```eval_rst
.. autoclass:: Net
   :members:
```
"""
REPOSITORY = CONF + '\n[html]\nrepository = "https://git.example/book"\n'


class Site:
    """What a build has written."""

    def __init__(self, folder: Path, findings: tuple[Finding, ...]) -> None:
        self.folder = folder
        self.findings = findings

    def html(self, page: str) -> str:
        """Return the main part of a page."""
        text = (self.folder / f"{page}.html").read_text(encoding="utf-8")
        return text[text.index("<article") : text.index("</article>")]

    def entry(self, page: str, name: str) -> str:
        """Return a top-level entry of a reference page."""
        html = self.html(page)
        start = html.index(f'id="{name}"')
        return html[start : html.find('<dl class="py', html.index("d2l-origin", start)) % len(html)]

    def words(self, html: str) -> str:
        """Return what a reader reads."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).replace("&#39;", "'")


def build_site(root: Path, *frameworks: str) -> Site:
    config = replace(load_config(root), output=root / "_build")
    report = build(config, BuildRequest(select_frameworks(config, frameworks), execute=False))
    return Site(report.outputs["html"].parent, report.findings)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"index.md": INDEX, "one.md": ONE, "two.md": TWO}
    return write_book(tmp_path_factory.mktemp("book"), files, conf=REPOSITORY)


@pytest.fixture(scope="module")
def site(root: Path) -> Site:
    return build_site(root, "all")


def code_links(html: str) -> list[tuple[str, str]]:
    """Return address and text of the links in code."""
    found = re.findall(r'<a class="d2l-name" href="([^"]*)">(.*?)</a>', html)
    return [(address, re.sub(r"<[^>]*>", "", text)) for address, text in found]


def test_an_entry_has_signature_docstring_members_and_source(site: Site) -> None:
    words = site.words(site.entry("api/pytorch", "d2l.torch.Net"))
    assert "Net(size, *, rate=0.1)" in words
    assert "Bases: nn.Module" in words
    assert r"A net for \(x^2\), like Net of Section 2." in words
    assert "Defined in Section 1 · one.md, line 6" in words
    assert "def __init__(self, size, *, rate=0.1):" in words
    html = site.html("api/pytorch")
    assert 'id="d2l.torch.Net.forward"' in html
    assert re.search(r"property.*width.*How wide it is", site.words(html))
    assert 'href="https://git.example/book/blob/HEAD/chapters/one.md?plain=1#L6"' in html
    assert '<details class="d2l-source">' in html
    assert ":numref:" not in html


def test_members_that_another_section_adds_say_so(site: Site) -> None:
    html = site.html("api/pytorch")
    method = html[html.index('id="d2l.torch.Net.loss"') :]
    assert re.search(r"Defined in Section 2\b", site.words(method[: method.index("</dl>")]))


def test_private_names_are_left_out(site: Site) -> None:
    assert "d2l.torch._secret" not in site.html("api/pytorch")
    assert "d2l.torch.Net._hidden" not in site.html("api/pytorch")


def test_where_something_is_defined_is_a_link_to_the_heading_above_it(site: Site) -> None:
    html = site.html("api/jax")
    value = html[html.index('id="d2l.jax.LIMIT"') :]
    assert "LIMIT = 3" in site.words(value[: value.index("</dt>")])
    assert 'href="../one.html#sec-deeper"' in value[: value.index("</dl>")]


def test_bases_of_the_library_are_links(site: Site) -> None:
    assert 'href="#d2l.jax.Other"' in site.entry("api/jax", "d2l.jax.Net")


def test_aliases_stand_in_a_table(site: Site) -> None:
    words = site.words(site.html("api/pytorch"))
    assert "d2l.concat torch.cat" in words
    assert "d2l.reduce_sum(x, …) x.sum(…)" in words


def test_code_links_to_its_own_framework(site: Site) -> None:
    assert code_links(site.html("two")) == [
        ("api/pytorch.html#d2l.torch.Net", "d2l.Net"),
        ("api/pytorch.html#d2l.torch.train", "@d2l.train"),
        ("api/jax.html#d2l.jax.Net", "d2l.Net"),
        ("api/jax.html#d2l.jax.Other", "d2l.Other"),
        ("api/jax.html#d2l.jax.train", "@d2l.train"),
        ("api/jax.html#d2l.jax.Other", "d2l.Other"),
        ("api/pytorch.html#d2l.torch.train", "d2l.train"),
    ]


def test_names_in_prose_link_to_the_framework_of_their_tab(site: Site) -> None:
    html = site.html("two")
    links = re.findall(r'href="(api/[^"]*)"[^>]*><code class="xref', html)
    assert links == [
        "api/pytorch.html#d2l.torch.Net",
        "api/pytorch.html#d2l.torch.train",
        "api/jax.html",
        "api/jax.html#d2l.jax.Net",
    ]


def test_the_badge_of_saved_code_leads_to_the_one_name_that_it_saves(site: Site) -> None:
    badges = re.findall(r'<div class="d2l-saved[^"]*">\s*<span>(.*?)</span>', site.html("one"))
    found = [(re.findall(r'href="([^"]*)"', badge) or [""])[0] for badge in badges]
    assert found == ["api/pytorch.html#d2l.torch.Net", "", "api/pytorch.html#d2l.torch.train", ""]


def test_the_table_says_which_framework_has_what(site: Site) -> None:
    html = site.html("api/index")
    rows = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)]
    table = {site.words(row[0]).strip(" <p/>"): [site.words(cell).strip() for cell in row[1:]] for row in rows if row}
    assert table["Net"] == ["(size, *, rate=0.1)", "(size)"]
    assert table["Other"] == ["–", "✓"]
    assert table["train"] == ["✓", "✓"]
    assert 'href="jax.html#d2l.jax.Other"' in html


def test_the_reference_ends_the_contents_without_a_number(site: Site) -> None:
    html = site.html("index")
    assert re.findall(r'toctree-l1"><a[^>]*href="([^"]*)">([^<]*)', html)[-1] == ("api/index.html", "API Reference")
    assert "1. One" in site.words(html)
    assert "2. Two" in site.words(html)


def test_nothing_is_found_and_nothing_asked_of_others(site: Site) -> None:
    assert [str(finding) for finding in site.findings if finding.rule == "rendering"] == []
    for name in ("index", "pytorch", "jax"):
        text = (site.folder / "api" / f"{name}.html").read_text(encoding="utf-8")
        assert not re.findall(r'\b(?:src|srcset)="(?:https?:)?//', text)


def test_one_framework_has_one_page(root: Path) -> None:
    site = build_site(root, "jax")
    assert sorted(path.name for path in (site.folder / "api").iterdir()) == ["jax.html"]
    assert "API Reference" in site.html("index")
    assert code_links(site.html("two"))[0] == ("api/jax.html#d2l.jax.Net", "d2l.Net")


def test_pages_are_made_again_only_when_what_they_show_changes(tmp_path: Path) -> None:
    files = {"index.md": INDEX, "one.md": ONE, "two.md": TWO}
    root = write_book(tmp_path, files)
    site = build_site(root, "all")

    def made_again() -> set[str]:
        before = {path: path.stat().st_mtime_ns for path in site.folder.rglob("*.html")}
        build_site(root, "all")
        changed = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
        return {path.relative_to(site.folder).as_posix() for path in changed} - {
            "genindex.html",
            "search.html",
            "404.html",
        }

    assert made_again() == set()
    (root / "chapters" / "one.md").write_text(ONE.replace("The other net", "Quite another net"), encoding="utf-8")
    assert made_again() == {"one.html", "api/jax.html"}


def test_what_a_book_describes_itself_is_what_links_lead_to(tmp_path: Path) -> None:
    files = {"index.md": INDEX.replace("two\n", "two\nown\n"), "one.md": ONE, "two.md": TWO, "own.md": OWN}
    site = build_site(write_book(tmp_path, files), "all")
    assert [str(finding) for finding in site.findings if "duplicate" in finding.message] == []
    addresses = [address for address, text in code_links(site.html("two")) if text == "d2l.Net"]
    assert addresses == ["own.html#d2l.torch.Net", "api/jax.html#d2l.jax.Net"]
    assert 'id="d2l.torch.Net"' in site.html("own")
    assert 'id="d2l.torch.Net"' in site.html("api/pytorch")


def test_a_language_that_docutils_does_not_speak_is_no_finding(tmp_path: Path) -> None:
    conf = CONF.replace('release = "0.1"', 'release = "0.1"\nlanguage = "vi"')
    site = build_site(write_book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.md": TWO}, conf=conf))
    assert [str(finding) for finding in site.findings if finding.rule == "rendering"] == []


def test_a_chapter_called_api_keeps_its_place(tmp_path: Path) -> None:
    files = {"index.md": INDEX.replace("two", "api/pytorch"), "one.md": ONE, "api/pytorch.md": "# My own words"}
    site = build_site(write_book(tmp_path, files))
    assert "My own words" in site.html("api/pytorch")
    assert "d2l.torch.Net" in site.html("api-reference/pytorch")


def test_a_book_that_saves_nothing_has_no_reference(tmp_path: Path) -> None:
    site = build_site(write_book(tmp_path, {"index.md": INDEX, "one.md": "# One", "two.md": "# Two"}), "all")
    assert not (site.folder / "api").exists()
    assert "API Reference" not in site.html("index")
