"""The sidebar's tree of pages, made once a build: the theme makes and parses it anew for each page, most of its time.

The tree is rendered as the root page sees it; what makes an entry current (classes, the opened branch, the link to the
page itself) and the way up to the root are tokens that each page fills in. In a large book a page shows the entries
below its own chapter and no others: trees of all pages on all pages would grow with the square of their number.
"""

import pickle
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from furo.navigation import get_navigation_tree  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.environment.adapters.toctree import global_toctree_for_doc

from d2lbuild.files import write_atomically
from d2lbuild.rendering.locale import translated

__all__ = ["Navigation", "NavigationTree"]

_TOKEN = re.compile(r'@@([CKH])(\d+)@@(?:="")?')
_LABEL = re.compile(r'\baria-label="Toggle navigation of ([^"]*)"')
_BRANCH = re.compile(r"@@B(\d+)@@")
_LARGE = 400
"""So many entries a page shows in full: about 80 KB of HTML."""


class NavigationTree:
    """A navigation tree with the places that depend on the page."""

    def __init__(self, html: str, large: int = _LARGE) -> None:
        soup = BeautifulSoup(html, "html.parser")
        self._links: list[str] = []
        self._parents: list[int | None] = []
        numbers: dict[int, int] = {}
        for item in soup.find_all("li"):
            link = item.find("a", recursive=False)
            if not isinstance(link, Tag) or "internal" not in link.get_attribute_list("class"):
                continue
            number = len(self._links)
            numbers[id(item)] = number
            above = item.find_parent("li")
            self._links.append(str(link["href"]))
            self._parents.append(numbers.get(id(above)) if above else None)
            item["class"] = " ".join([*item.get_attribute_list("class"), f"@@C{number}@@"])
            link["href"] = f"@@H{number}@@"
            box = item.find("input", recursive=False)
            if isinstance(box, Tag):
                box.attrs.pop("checked", None)
                box[f"@@K{number}@@"] = ""
        self._branches: dict[int, str] = {}
        """In a large tree what stands below an entry, by the entry's number, with marks for the branches in it."""
        if len(self._links) > large:
            self._take_out_branches(soup, numbers)
        self._html = str(soup)

    def _take_out_branches(self, soup: BeautifulSoup, numbers: Mapping[int, int]) -> None:
        for item in reversed(soup.find_all("li")):
            number = numbers.get(id(item))
            below = [child for child in item.find_all(True, recursive=False) if child.name != "a"]
            if number is not None and below:
                self._branches[number] = "".join(map(str, below))
                for child in below:
                    child.decompose()
                item.append(f"@@B{number}@@")

    def for_page(self, address: str, root: str) -> str:
        """Return the tree for the page at `address` (from the root), which reaches the root by the prefix `root`."""
        current = {number for number, link in enumerate(self._links) if link == address}
        opened = set(current)
        for number in current:
            parent = self._parents[number]
            while parent is not None:
                opened.add(parent)
                parent = self._parents[parent]

        def fill(match: re.Match[str]) -> str:
            kind, number = match[1], int(match[2])
            if kind == "H":
                return "#" if number in current else root + self._links[number]
            if kind == "K":
                return 'checked=""' if number in opened else ""
            return "current current-page" if number in current else "current" if number in opened else ""

        return _TOKEN.sub(fill, self._opened(self._html, opened))

    def _opened(self, html: str, opened: AbstractSet[int]) -> str:
        """Put the branches of opened entries in, and leave the others out."""

        def fill(match: re.Match[str]) -> str:
            number = int(match[1])
            return self._opened(self._branches[number], opened) if number in opened else ""

        return _BRANCH.sub(fill, html) if self._branches else html


def _made_tree(app: Sphinx, builder: Any) -> NavigationTree:
    """Return the tree of all pages, made from the theme's HTML."""
    found = global_toctree_for_doc(
        app.env,
        app.config.root_doc,
        builder,
        tags=builder.tags,
        collapse=False,
        titles_only=True,
        maxdepth=-1,
        includehidden=True,
    )
    html = builder.render_partial(found)["fragment"] if found else ""
    return NavigationTree(_translated_labels(get_navigation_tree(html), app.config.language))


def _translated_labels(html: str, language: str) -> str:
    """Say in the language of the book what opens a branch: the theme has it in English."""
    words = translated(language, "Toggle navigation of {page}")
    return _LABEL.sub(lambda match: f'aria-label="{words.format(page=match[1])}"', html)


def _kept_tree(file: Path, key: str) -> NavigationTree | None:
    """Return the tree of an earlier build; None if it has another key."""
    try:
        known, tree = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    except Exception:  # not there, or of another version of this program
        return None
    return tree if known == key and isinstance(tree, NavigationTree) else None


class Navigation:
    """Gives each page the tree in place of the theme's."""

    def __init__(self) -> None:
        self._tree: NavigationTree | None = None

    def connect(self, app: Sphinx) -> None:
        """Register with Sphinx, before and after the theme."""
        app.connect("write-started", self._prepare)
        app.connect("html-page-context", self._before_theme, priority=400)
        app.connect("html-page-context", self._after_theme, priority=600)

    def _prepare(self, app: Sphinx, builder: Any) -> None:
        """Make the tree before the writers are forked; only a website shows it. It is kept while no title changes."""
        if builder.format != "html":
            return
        file = Path(app.doctreedir).with_name("navigation.pickle")
        key = getattr(builder, "key_of_pages", "")  # stock Sphinx's builder cannot tell
        self._tree = _kept_tree(file, key) if key else None
        if self._tree is None:
            self._tree = _made_tree(app, builder)
            if key:
                write_atomically(file, pickle.dumps((key, self._tree)))

    def _before_theme(self, _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
        if self._tree:
            context["toctree"] = lambda **_options: ""

    def _after_theme(self, app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
        if self._tree:
            address = app.builder.get_target_uri(page)
            context["furo_navigation_tree"] = self._tree.for_page(address, "../" * address.count("/"))
