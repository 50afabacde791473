"""A book in each language that we have texts for: no page of its website and slides says anything in English."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Comment, Doctype, Tag

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build
from d2lbuild.rendering.locale import languages, texts_of
from tests.books import write_book

pytestmark = pytest.mark.integration

CODE = "```{.python .input}\n#@tab %s\n%s\n```\n"
FILES = {
    "index.md": "# 0 1\n:label:`sec_0`\n\n```toc\none\ntwo\n```\n",
    "one.md": (
        "# 1 2\n:label:`sec_1`\n\n[**3 4**]\n\n"
        "```{code-cell}\n:tags: [hide-input]\n#@tab pytorch\ndef f(x):  #@save\n    return x\n```\n"
        "\n"
        + CODE % ("jax", "def f(x):  #@save\n    return x")
        + "\n![6](img/a.svg)\n:label:`fig_a`\n\n$$x$$\n:eqlabel:`eq_a`\n\n|7|8|\n|-|-|\n|9|0|\n:1 2\n\n[5](https://discuss.d2l.ai/t/5)\n"
    ),
    "img/a.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "two.md": "# 2 3\n:label:`sec_2`\n\n" + CODE % ("pytorch", "1 + 1"),
}
CONF = """\
[book]
name = "mini"
title = "0 0"
language = "%s"
frameworks = ["pytorch", "jax"]
[html]
versions = "../versions.json"
repository = "https://github.com/me/book"
site_url = "https://book.example/"
[html.notebooks]
colab = "https://colab.research.google.com/github/me/book-{framework}/blob/main/{section}.ipynb"
"""
ENGLISH = re.compile(r"\b(?:the|this|of|to|and|was|is|page|next|previous|toggle|show|hide|search)\b", re.I)


def _said(page: Tag) -> Iterator[str]:
    """Yield what readers are told: all text but code, and what attributes say to who does not see it."""
    for element in page.find_all(["script", "style", "pre", "code", "svg"]):
        element.decompose()
    yield from (text for text in page.stripped_strings if not isinstance(text, Comment | Doctype))
    for name in ("aria-label", "title", "alt", "placeholder", "data-left", "data-right"):
        yield from (str(element[name]).strip() for element in page.select(f"[{name}]"))


@pytest.mark.parametrize("language", languages())
def test_no_page_says_anything_of_ours_in_english(language: str, tmp_path: Path) -> None:
    root = write_book(tmp_path, FILES, conf=CONF % language)
    config = load_config(root)
    report = build(config, BuildRequest(("pytorch", "jax"), to=("html", "slides"), execute=False))
    table = {text: own for text, own in texts_of(language).items() if text != own}
    pages = sorted((root / "_build").rglob("*.html"))
    assert {"404.html", "genindex.html", "search.html", "one.html", "one.slides.html"} <= {one.name for one in pages}
    seen = set()
    for path in pages:
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        words = set(_said(page))
        seen |= words
        assert {one for one in words if one in table or ENGLISH.search(one)} == set(), path.name
    for text in (
        "Show code",
        "Toggle Light / Dark / Auto color theme",
        "Next slide",
        "Notebook",
        "Version",
        "Framework",
    ):
        assert texts_of(language)[text] in seen, text
    assert report.findings == ()
