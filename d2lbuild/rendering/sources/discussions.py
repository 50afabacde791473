"""Where a page is discussed: the links to a forum at its end, taken out of its text.

Books end a page with a paragraph that is one link, often one for each framework. It is told by its form, since the
words of the link are in the book's language. Renderers show the threads in their own way.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt

from d2lbuild.model import CellKind
from d2lbuild.rendering.page import Page, PageCell

__all__ = ["Discussion", "take_discussions"]

_THREAD = re.compile(r"https?://[^/\s]+/t/(?:[^/\s]+/)?\d+(?:/\d+)?/?")
"""How forums such as Discourse name a thread."""
_PARAGRAPH = 3
"""Tokens of a paragraph: its beginning, its text, its end."""
_MARKDOWN = MarkdownIt("commonmark")
_PARAGRAPHS = MarkdownIt("commonmark").disable("inline")


@dataclass(frozen=True, slots=True)
class Discussion:
    """A thread of the forum."""

    address: str
    frameworks: tuple[str, ...]
    """Those of the page whose readers meet there; empty: all."""


def take_discussions(page: Page, forum: str = "") -> tuple[Page, tuple[Discussion, ...]]:
    """Return a page without the links to threads at its end, and these, in the order of the page.

    `forum` is what addresses of threads begin with, if that is known.
    """
    cells = list(page.cells)
    found: list[Discussion] = []
    while cells:
        cell = cells[-1]
        if cell.kind is not CellKind.PROSE:
            break
        lines, addresses = _cut(cell.source, forum)
        frameworks = () if cell.everywhere else cell.frameworks
        found[:0] = [Discussion(address, frameworks) for address in addresses]
        if any(line.strip() for line in lines):
            cells[-1] = _shortened(cell, lines) if addresses else cell
            break
        cells.pop()
    return (replace(page, cells=tuple(cells)) if found else page), tuple(found)


def _shortened(cell: PageCell, lines: Sequence[str]) -> PageCell:
    return replace(cell, source="\n".join(lines), lines=cell.lines[: len(lines)])


def _cut(text: str, forum: str) -> tuple[list[str], list[str]]:
    """Return the lines of a text without the paragraphs at its end that are links to threads, and their addresses."""
    lines = text.split("\n")
    addresses: list[str] = []
    if not _THREAD.search(text) and not (forum and forum in text):
        return lines, addresses
    known: dict[str, object] = {}
    tokens = _PARAGRAPHS.parse(text, known)
    while len(tokens) >= _PARAGRAPH and tokens[-1].type == "paragraph_close" and tokens[-1].level == 0:
        begin, inline, _ = tokens[-_PARAGRAPH:]
        address = _only_link(inline.content, known)
        if not _is_thread(address, forum):
            break
        assert begin.map is not None
        lines = lines[: begin.map[0]]
        addresses.insert(0, address)
        del tokens[-_PARAGRAPH:]
    return lines, addresses


def _only_link(paragraph: str, known: Mapping[str, object]) -> str:
    """Return where a paragraph leads that is one link and nothing else; otherwise the empty string.

    `known` are the links that the text defines by name.
    """
    children = _MARKDOWN.parseInline(paragraph, dict(known))[0].children or []
    links = [child for child in children if child.type == "link_open"]
    if len(links) != 1 or children[0] is not links[0] or children[-1].type != "link_close":
        return ""
    return str(links[0].attrs["href"])


def _is_thread(address: str, forum: str) -> bool:
    return address.startswith(forum) if forum else _THREAD.fullmatch(address) is not None
