"""After any edits a build of what is there already gives the website that a first build gives, byte for byte.

``NEVER_STALE=200 pytest tests/integration/test_never_stale.py`` tries that many random histories; without it a few.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2lbuild import pipeline
from d2lbuild.config import default_frameworks, load_config
from d2lbuild.source.prose import parse_prose
from tests.books import write_book

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

HISTORIES = int(os.environ.get("NEVER_STALE", "0"))

CONF = """\
[book]
name = "mini"
title = "{title}"
author = "Nobody"
copyright = "2026"
release = "0.1"
frameworks = ["pytorch", "jax"]
bibliography = ["d2l.bib"]
resources = ["img"]

[html]
site_url = "https://book.example.org"
{html}
"""
INDEX = """\
# The Book
:label:`chap_book`

See :numref:`sec_one` and :ref:`sec_two`.

```eval_rst
.. raw:: html
   :file: front.html
```

```toc
preface
```

```toc
:numbered:

{contents}
```

```toc
references
```
"""
PAGE = """\
# Page {name}
:label:`sec_{name}`

Words of {name}, as :numref:`sec_one` says, see :cite:`ada` and :numref:`fig_one`.

## Part of {name}
:label:`sub_{name}`

![A figure of {name}](img/{name}.svg)
:label:`fig_{name}`

$$x = {name}$$
:eqlabel:`eq_{name}`

As in :eqref:`eq_one`.

```{{.python .input}}
#@tab pytorch
def f_{name}(x):  #@save
    \"\"\"Compute {name}.\"\"\"
    return x
```

```{{.python .input}}
#@tab jax
d2l.f_one(2)
```

:begin_tab:`jax`
[Discussions](https://discuss.example.org/t/1)
:end_tab:
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="10"><circle r="4"/></svg>'
FRONT = '<b>Front {number}</b> <img src="img/one.svg"> <a href="two.html">Two</a>'
BIB = """\
@article{{ada, author={{Ada Lovelace}}, title={{{title}}}, journal={{J}}, year={{1842}}}}
@article{{bob, author={{Bob Brown and Cy Clark}}, title={{On Bread}}, journal={{K}}, year={{1999}}}}
"""


@dataclass
class History:
    """A book's files as they are now."""

    pages: list[str] = field(default_factory=lambda: ["one", "two", "three"])
    files: dict[str, str] = field(default_factory=dict)
    title: str = "A Book"
    html: str = ""
    settings: str = ""
    """What is added to the configuration."""

    def __post_init__(self) -> None:
        for name in self.pages:
            self.add(name)
        self.files["preface.md"] = "# Preface\n:label:`chap_preface`\n\nFirst words. :citet:`ada`"
        self.files["references.md"] = "# References\n\n:bibliography:`../d2l.bib`"
        self.files["front.html"] = FRONT.format(number=0)
        self.files["../d2l.bib"] = BIB.format(title="On Engines")

    def add(self, name: str) -> None:
        self.files[f"{name}.md"] = PAGE.format(name=name)
        self.files[f"img/{name}.svg"] = SVG.format(size=20)

    def write(self, root: Path) -> None:
        """Bring the folder to this state, leaving files alone that have not changed."""
        index = INDEX.format(contents="\n".join(self.pages))
        wanted = {root / "chapters" / name: text for name, text in {**self.files, "index.md": index}.items()}
        wanted[root / "conf" / "book.toml"] = CONF.format(title=self.title, html=self.html) + self.settings
        wanted = {Path(os.path.normpath(path)): text for path, text in wanted.items()}
        for path in [path for path in root.rglob("*") if path.is_file() and path not in wanted]:
            path.unlink()
        for path, text in wanted.items():
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")


def _page(history: History, number: int) -> str:
    return f"{history.pages[number % len(history.pages)]}.md"


def _append(text: str) -> Callable[[History, int], None]:
    def edit(history: History, number: int) -> None:
        history.files[_page(history, number)] += text.format(n=number)

    return edit


def _substitute(old: str, new: str) -> Callable[[History, int], None]:
    def edit(history: History, number: int) -> None:
        name = _page(history, number)
        history.files[name] = history.files[name].replace(old, new.format(n=number))

    return edit


def _rename_page(history: History, number: int) -> None:
    at = number % len(history.pages)
    new = f"renamed{number}"
    if new not in history.pages:
        history.files[f"{new}.md"] = history.files.pop(f"{history.pages[at]}.md")
        history.pages[at] = new


def _add_page(history: History, number: int) -> None:
    name = f"new{number}"
    if f"{name}.md" not in history.files:
        history.add(name)
        history.pages.insert(number % (len(history.pages) + 1), name)


def _remove_page(history: History, number: int) -> None:
    if len(history.pages) > 1:
        name = history.pages.pop(number % len(history.pages))
        del history.files[f"{name}.md"]


def _forget_page(history: History, number: int) -> None:
    """Leave a page out of the contents, though its file stays."""
    if len(history.pages) > 1:
        history.pages.pop(number % len(history.pages))


def _reverse_contents(history: History, _number: int) -> None:
    history.pages.reverse()


def _change_image(history: History, number: int) -> None:
    images = sorted(name for name in history.files if name.endswith(".svg"))
    if images:
        history.files[images[number % len(images)]] = SVG.format(size=30 + number)


def _toggle_image(history: History, _number: int) -> None:
    if history.files.pop("img/one.svg", None) is None:
        history.files["img/one.svg"] = SVG.format(size=20)


def _change_bibliography(history: History, number: int) -> None:
    history.files["../d2l.bib"] = BIB.format(title=f"On Machine {number}")


def _grow_bibliography(history: History, number: int) -> None:
    entry = f"@book{{k{number}, author={{A{number} Aa}}, title={{T}}, publisher={{P}}, year={{200{number % 10}}}}}\n"
    if entry not in history.files["../d2l.bib"]:
        history.files["../d2l.bib"] += entry


def _change_other_work(history: History, number: int) -> None:
    """Change a work that one page cites."""
    history.files[_page(history, number)] += "\n\nRead :cite:`bob`."
    history.files["../d2l.bib"] = history.files["../d2l.bib"].replace("On Bread", f"On Bread and Butter {number}")


def _change_front(history: History, number: int) -> None:
    history.files["front.html"] = FRONT.format(number=number)


def _toggle_front(history: History, _number: int) -> None:
    if history.files.pop("front.html", None) is None:
        history.files["front.html"] = "<b>Front again</b>"


def _change_services(history: History, number: int) -> None:
    colab = f"https://colab.example.org/{{section}}/{number}"
    repository = f'repository = "https://github.com/someone/book"\nbranch = "b{number}"'
    history.html = f'{repository}\nnotebooks = {{ colab = "{colab}" }}'


def _change_versions(history: History, number: int) -> None:
    history.html = f'versions = "../versions-{number}.json"'


def _change_title(history: History, number: int) -> None:
    history.title = f"A Book {number}"


def _change_settings(history: History, number: int) -> None:
    history.settings = f'[html.math_macros]\nR = "\\\\mathbb{{R}}_{number}"\n'


def _change_aliases(history: History, number: int) -> None:
    """Give the book a definition of its own of a framework, in which a name stands for something else."""
    for file in (default_frameworks() / "jax").iterdir():
        text = file.read_text(encoding="utf-8").replace("[aliases.simple]", f'[aliases.simple]\nf_one = "f{number}"')
        history.files[f"../frameworks/jax/{file.name}"] = text


EDITS: dict[str, Callable[[History, int], None]] = {
    "prose": _append("\n\nMore words, {n}."),
    "prose above": _substitute("Words of", "\nA line {n}.\n\nWords of"),
    "title": _substitute("# Page", "# Page {n}"),
    "heading": _substitute("## Part", "## Other part {n}\n\nWords.\n\n## Part"),
    "reference": _append("\n\nSee :numref:`sub_two`, :ref:`sec_three`, :eqref:`eq_two` and :numref:`sec_new{n}`."),
    "label": _substitute(":label:`sub_", ":label:`part_"),
    "equation": _append("\n\n$$y = {n}$$\n:eqlabel:`eq_new{n}`"),
    "figure": _append("\n\n![Another figure {n}](img/two.svg)\n:label:`fig_new{n}`"),
    "citation": _append("\n\nRead :citet:`bob` and :cite:`k{n},nobody`."),
    "code": _append("\n\n```{{.python .input}}\n#@tab pytorch\nprint({n})\n```"),
    "saved code": _append("\n\n```{{.python .input}}\n#@tab jax\ndef g_{n}():  #@save\n    return {n}\n```"),
    "docstring": _substitute('"""Compute', '"""Find, see :numref:`sec_two`,'),
    "tabs": _append("\n\n:begin_tab:`jax`\nOnly {n}.\n:end_tab:\n"),
    "add page": _add_page,
    "rename page": _rename_page,
    "remove page": _remove_page,
    "leave page out": _forget_page,
    "contents": _reverse_contents,
    "image": _change_image,
    "image comes or goes": _toggle_image,
    "bibliography": _change_bibliography,
    "more works": _grow_bibliography,
    "another work": _change_other_work,
    "place": _append("\n\n[There](two.md#part-of-two), [here](#sub_one), [a file](img/one.svg)."),
    "title with references": _substitute("## Part", "# Of :cite:`bob` and :numref:`sec_three` {n}\n\n## Part"),
    "framework's label": _append(
        "\n\n:begin_tab:`pytorch`\n$$p$$\n:eqlabel:`eq_own{n}`\n:end_tab:\n\n"
        ":begin_tab:`jax`\n$$j$$\n:eqlabel:`eq_own{n}`\n\nSee :eqref:`eq_own{n}`.\n:end_tab:\n\n"
        "$$z$$\n:eqlabel:`eq_z{n}`"
    ),
    "front page": _change_front,
    "front page comes or goes": _toggle_front,
    "book's title": _change_title,
    "thread": _substitute("/t/1", "/t/1{n}"),
    "no thread": _substitute("[Discussions](https", "See https"),
    "links": _change_services,
    "versions": _change_versions,
    "configuration": _change_settings,
    "aliases": _change_aliases,
}


def _build(root: Path, output: Path, jobs: int) -> dict[str, object]:
    """Build the website, and return its files, together with what was found wrong.

    What is kept between commands lies beside the output, so that a first build has nothing of it.
    """
    config = replace(load_config(root), output=output)
    request = pipeline.BuildRequest(frameworks=("pytorch", "jax"), execute=False, jobs=jobs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("D2LBUILD_CACHE", str(output.with_name(f"{output.name}-cache")))
        parse_prose.cache_clear()
        report = pipeline.build(config, request)
    site = report.outputs["html"].parent
    found: dict[str, object] = {
        path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()
    }
    found["findings"] = sorted(str(finding) for finding in report.findings)
    return found


def _differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


edits = st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.integers(0, 5)), min_size=1, max_size=4)


@settings(
    max_examples=HISTORIES or 3,
    derandomize=not HISTORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(history=st.lists(edits, min_size=1, max_size=3))
def test_a_website_is_never_stale(history: list[list[tuple[str, int]]]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        book = History()
        root = write_book(folder / "book", {})
        book.write(root)
        _build(root, folder / "kept", jobs=2)
        kept: dict[str, object] = {}
        for batch in history:
            for kind, number in batch:
                EDITS[kind](book, number)
            book.write(root)
            kept = _build(root, folder / "kept", jobs=1)
        assert _differences(kept, _build(root, folder / "elsewhere" / "clean", jobs=1)) == []
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a book and its website, which the tests below leave as the last one has edited it."""
    folder = tmp_path_factory.mktemp("site")
    root = write_book(folder / "book", {})
    History().write(root)
    _build(root, folder / "kept", jobs=2)
    return folder


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_each_edit_by_itself(kind: str, folder: Path, tmp_path: Path) -> None:
    """Every kind of edit takes part, also where few histories are tried."""
    book = History()
    EDITS[kind](book, 1)
    book.write(folder / "book")
    kept = _build(folder / "book", folder / "kept", jobs=1)
    assert _differences(kept, _build(folder / "book", tmp_path, jobs=2)) == []


def test_one_prose_edit_writes_one_page(folder: Path) -> None:
    """Also if lines move and the number of words changes; the other pages are not even looked into."""
    site = folder / "kept" / "all" / "html"
    book = History()
    book.write(folder / "book")
    _build(folder / "book", folder / "kept", jobs=1)
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*.html")}
    EDITS["prose above"](book, 1)
    book.write(folder / "book")
    _build(folder / "book", folder / "kept", jobs=1)
    changed = {path.relative_to(site).as_posix() for path, time in before.items() if path.stat().st_mtime_ns != time}
    # The index of names, the page of searches and that for what is not there are always written.
    assert changed == {"two.html", "genindex.html", "search.html", "404.html"}


def test_a_copy_of_a_book_gives_the_same_website(folder: Path, tmp_path: Path) -> None:
    History().write(folder / "book")
    kept = _build(folder / "book", folder / "kept", jobs=1)
    shutil.copytree(folder / "book", tmp_path / "copy of it")
    assert _differences(kept, _build(tmp_path / "copy of it", tmp_path / "output", jobs=2)) == []


def _written(folder: Path, book: History) -> set[str]:
    """Return the pages that a build of `book` writes, without those that are always written."""
    site = folder / "kept" / "all" / "html"
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*.html")}
    book.write(folder / "book")
    _build(folder / "book", folder / "kept", jobs=1)
    changed = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    return {path.relative_to(site).as_posix() for path in changed} - {"genindex.html", "search.html", "404.html"}


def test_an_edit_of_the_bibliography_writes_the_pages_that_show_it(folder: Path) -> None:
    book = History()
    book.files["two.md"] += "\n\nRead :cite:`bob`."
    book.write(folder / "book")
    _build(folder / "book", folder / "kept", jobs=1)
    changed = History()
    changed.files["two.md"] = book.files["two.md"]
    changed.files["../d2l.bib"] = changed.files["../d2l.bib"].replace("On Bread", "On Bread and Butter")
    assert _written(folder, changed) == {"two.html", "references.html"}
    # A work that nobody cites is shown nowhere, wherever it stands in the file.
    changed.files["../d2l.bib"] = (
        "@misc{first, title={First}, author={A Aa}, year=2000}\n" + changed.files["../d2l.bib"]
    )
    assert _written(folder, changed) == set()


def test_a_new_citation_writes_its_page_and_the_bibliography(folder: Path) -> None:
    book = History()
    book.write(folder / "book")
    _build(folder / "book", folder / "kept", jobs=1)
    book.files["three.md"] += "\n\nRead :cite:`bob`."
    assert _written(folder, book) == {"three.html", "references.html"}
