"""HTML that a book brings itself, such as its front page: where its files lie, and what it fetches from elsewhere.

What its addresses lead to, relative to the HTML's own folder, is copied into the site and the addresses are changed;
everything else about it stays as the book has it.
"""

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from docutils import nodes
from docutils.parsers.rst.directives.misc import Raw
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

__all__ = ["RawFromBook", "connect"]

logger = logging.getLogger(__name__)

_FRONT_PAGES = Path("static/frontpage")
"""Where existing books keep their front pages: scripts of theirs put them beside the first chapter."""
_ADDRESSES = ("src", "href", "poster", "data")
"""Attributes that may name a file."""
_FETCHING = {"script", "img", "iframe", "video", "audio", "source", "embed", "object"}
"""Elements that fetch what they name as soon as the page is shown; so does a `link` to a style sheet."""
_PAGES = {"", ".html", ".htm"}
"""Suffixes of addresses that lead to pages of the site."""
_PIECES = "d2l_pieces"
_Piece = str | tuple[str, str]
"""Text as it is; or an address as written, and the file that it leads to as Sphinx knows it."""


class BookHtml(nodes.raw):
    """HTML of the book, with its addresses apart."""


class RawFromBook(Raw):
    """``raw`` whose ``:file:`` lies beside the chapter, not beside the notebook that was made of it."""

    def run(self) -> list[nodes.Node]:
        """Read the file, if it is there and in the book."""
        if "url" in self.options:
            return self._nothing("a page cannot take in text from an address (raw:: with :url:)")
        if "file" not in self.options:
            return list(super().run())
        env = self.state.document.settings.env
        root = Path(env.config.d2lbuild_root).resolve()
        chapter = (root / env.config.d2lbuild_sources.get(env.current_document.docname, "")).parent
        places = [(folder / self.options["file"]).resolve() for folder in (chapter, root / _FRONT_PAGES)]
        if not places[0].is_relative_to(root):
            return self._nothing(f"the file {self.options['file']} lies outside of the book")
        for path in places:
            if path.is_relative_to(root):
                env.note_dependency(str(path))  # also one that is not there: it may come
        path = next((path for path in places if path.is_relative_to(root) and path.is_file()), places[0])
        if not path.is_file():
            return self._nothing(f"the file {self.options['file']} does not exist")
        text, form = path.read_text(encoding="utf-8"), self.arguments[0].lower()
        if form != "html":
            return [nodes.raw("", text, format=form)]
        return [BookHtml("", text, format=form, **{_PIECES: list(self._pieces(text, path, root))})]

    def _pieces(self, text: str, path: Path, root: Path) -> Iterator[_Piece]:
        """Yield the text in pieces, with a pair for each address of a file."""
        env = self.state.document.settings.env
        front = env.current_document.docname == env.config.root_doc
        if front:
            # It has the whole width.
            env.metadata[env.config.root_doc]["hide-toc"] = ""
        yield f'<div class="d2l-raw-page{" d2l-front-page" if front else ""}">\n'
        at = 0
        for tag in _tags(text):
            found = {name: file for name, value in tag.files() if (file := self._file(value, path, root))}
            for address in tag.fetched():
                message = f"{path.relative_to(root)}:{tag.line} makes the browsers of readers fetch {address}"
                self._warn(message, "remote")
            if not found:
                continue
            yield f"{text[at : tag.start]}<{tag.name}"
            for name, value in tag.attributes:
                if name in found:
                    env.images.add_file(env.current_document.docname, found[name])
                    yield f' {name}="'
                    yield value or "", found[name]
                    yield '"'
                else:
                    yield f" {name}" if value is None else f' {name}="{escape(value)}"'
            at = tag.end
            yield "/>" if text[:at].endswith("/>") else ">"
        yield f"{text[at:]}\n</div>\n"

    def _file(self, address: str, path: Path, root: Path) -> str:
        """Return the file that an address leads to, as pages name images; empty if it is none of the book."""
        env = self.state.document.settings.env
        file = (path.parent / unquote(urlsplit(address).path)).resolve()
        if not file.is_relative_to(root):
            return ""
        if not file.is_file():
            env.note_dependency(str(file))
            self._warn(f"{path.relative_to(root)} shows the file {address}, which does not exist", "raw")
            return ""
        return Path(os.path.relpath(file, env.srcdir)).as_posix()

    def _nothing(self, reason: str) -> list[nodes.Node]:
        self._warn(reason, "raw")
        return []

    def _warn(self, reason: str, kind: str) -> None:
        docname = self.state.document.settings.env.current_document.docname
        logger.warning(reason, location=(docname, self.lineno), type="d2l", subtype=kind)


def _visit_book_html(self: HTML5Translator, node: BookHtml) -> None:
    builder: Any = self.builder
    for piece in node[_PIECES]:
        if isinstance(piece, str):
            self.body.append(piece)
            continue
        written, file = piece
        name = builder.images[file] = builder.env.images[file][1]
        rest = urlsplit(written)._replace(scheme="", netloc="", path="").geturl()
        self.body.append(escape(quote(posixpath.join(builder.imgpath, name)) + rest))
    raise nodes.SkipNode


# --- reading HTML ---


@dataclass(frozen=True, slots=True)
class _Tag:
    """The beginning of an element, with its place in the text."""

    name: str
    attributes: Sequence[tuple[str, str | None]]
    start: int
    end: int
    line: int

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the attributes that may name files of the book."""
        for name, value in self.attributes:
            if name not in _ADDRESSES or not value:
                continue
            place = urlsplit(value)
            remote = place.scheme or place.netloc or place.path.startswith("/")
            if not remote and posixpath.splitext(place.path)[1] not in _PAGES:
                yield name, value

    def fetched(self) -> Iterator[str]:
        """Yield the addresses elsewhere that a browser asks when it shows the element."""
        values = dict(self.attributes)
        style_sheet = self.name == "link" and "stylesheet" in (values.get("rel") or "").split()
        if self.name in _FETCHING or style_sheet:
            for name in _ADDRESSES:
                value = values.get(name) or ""
                if value.startswith("//") or urlsplit(value).scheme in {"http", "https"}:
                    yield value


class _TagFinder(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[_Tag] = []
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, column = self.getpos()
        start = self._lines[line - 1] + column
        self.tags.append(_Tag(tag, attrs, start, start + len(self.get_starttag_text() or ""), line))


def _tags(text: str) -> list[_Tag]:
    """Return the tags that begin elements, without those in comments."""
    return _TagFinder(text).tags


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_directive("raw", RawFromBook, override=True)
    app.add_node(BookHtml, html=(_visit_book_html, None))
