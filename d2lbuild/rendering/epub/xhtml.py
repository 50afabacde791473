"""HTML as XHTML: what outputs and books bring is written anew, well-formed and without what no reader of books allows.

Sphinx's own HTML is XHTML already. Pages with HTML of another origin go through here as a whole, since formulas may
stand in the middle of an output.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

__all__ = ["Xhtml", "as_xhtml"]

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_WITH_CONTENT = {"script", "style", "template", "iframe", "object", "audio", "video", "canvas", "title", "select"}
"""Elements that go with all that stands in them."""
_WITHOUT_CONTENT = {"html", "body", "head", "form", "button", "input", "label", "noscript", "embed", "source", "track"}
_WITHOUT_CONTENT |= {"base", "link", "meta", "textarea", "fieldset", "wbr", "picture"}
"""Elements that go, while their content stays."""
_RENAMED = {
    **dict.fromkeys(("font", "tt", "big", "nobr"), "span"),
    "center": "div",
    "strike": "s",
    "acronym": "abbr",
    "dir": "ul",
}
_OBSOLETE = {"align", "valign", "bgcolor", "border", "cellpadding", "cellspacing", "frame", "rules", "color", "face"}
_OBSOLETE |= {"nowrap", "hspace", "vspace", "clear", "compact", "summary", "char", "noshade", "background"}
_OF_SCREENS = {"tabindex", "loading", "aria-description", "rel", "target", "contenteditable", "hidden"}
_SIZED = {"img", "svg", "rect", "image", "mspace", "use", "math", "mpadded", "mo"}
"""Elements that may have a width and a height."""
_NAME = re.compile(r"(?:(?:epub|xml):)?[A-Za-z_][A-Za-z0-9_.-]*")
_NAMESPACES = {"svg": "http://www.w3.org/2000/svg", "math": "http://www.w3.org/1998/Math/MathML"}
_BLOCKS = {"p", "div", "table", "ul", "ol", "dl", "pre", "details", "section", "article", "figure", "blockquote", "hr"}
_BLOCKS |= {f"h{level}" for level in range(1, 7)} | {"aside", "nav", "header", "footer"}
_ENDED_BY = {
    "li": ({"li"}, {"ul", "ol"}),
    "dt": ({"dt", "dd"}, {"dl"}),
    "dd": ({"dt", "dd"}, {"dl"}),
    "tr": ({"tr", "td", "th"}, {"table"}),
    "td": ({"td", "th"}, {"tr", "table"}),
    "th": ({"td", "th"}, {"tr", "table"}),
    **dict.fromkeys(("thead", "tbody", "tfoot"), ({"thead", "tbody", "tfoot", "tr", "td", "th"}, {"table"})),
    **dict.fromkeys(_BLOCKS, ({"p"}, {"div", "td", "th", "li", "dd", "section", "figure", "blockquote", "details"})),
}
"""What ends when an element begins, unless one of the second set stands between."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)\s*=")


@dataclass(frozen=True, slots=True)
class Xhtml:
    """A text as XHTML, and the style sheets that stood in it: their place is the head of the page."""

    text: str
    styles: str


def as_xhtml(html: str, is_there: Callable[[str], bool]) -> Xhtml:
    """Return HTML as XHTML; `is_there` says of the address of an image whether the book holds it."""
    writer = _Writer(is_there)
    writer.feed(html)
    writer.close()
    return Xhtml(writer.finished(), "\n".join(writer.styles))


class _Writer(HTMLParser):
    """Reads HTML and writes XHTML."""

    def __init__(self, is_there: Callable[[str], bool]) -> None:
        super().__init__(convert_charrefs=False)
        self.styles: list[str] = []
        self._is_there = is_there
        self._pieces: list[str] = []
        self._open: list[str] = []
        self._written: list[str] = []
        self._skipped: list[str] = []
        self._ids: set[str] = set()

    def finished(self) -> str:
        """Return what was written."""
        while self._open:
            self._end()
        return "".join(self._pieces)

    # --- what the parser calls ---

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipped or (tag in _WITH_CONTENT and "svg" not in self._open):
            if tag not in _VOID:
                self._skipped.append(tag)
            return
        if tag in _WITHOUT_CONTENT or not _NAME.fullmatch(tag):
            return
        if tag == "img" and not self._is_shown(dict(attrs).get("src") or ""):
            words = dict(attrs).get("alt") or ""
            self._pieces.append(f"<em>{escape(words)}</em>" if words else "")
            return
        self._end_others(tag)
        name = _RENAMED.get(tag, tag)
        written = self._written_name(name)
        text = f"<{written}{self._attributes(tag, attrs)}"
        if tag in _VOID:
            self._pieces.append(f"{text} />")
        else:
            self._pieces.append(f"{text}>")
            self._open.append(name)
            self._written.append(written)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag in self._skipped:
                while self._skipped.pop() != tag:
                    pass
            return
        name = _RENAMED.get(tag, tag)
        if name in self._open:
            while self._end() != name:
                pass

    def handle_data(self, data: str) -> None:
        if self._skipped:
            if self._skipped == ["style"]:
                self.styles.append(_UNPRINTABLE.sub("", data).strip())
            return
        self._pieces.append(escape(_UNPRINTABLE.sub("", data), quote=False))

    def handle_entityref(self, name: str) -> None:
        self.handle_data(unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.handle_data(unescape(f"&#{name};"))

    # --- elements ---

    def _end(self) -> str:
        self._pieces.append(f"</{self._written.pop()}>")
        return self._open.pop()

    def _end_others(self, tag: str) -> None:
        ended, limits = _ENDED_BY.get(tag, (set(), set()))
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] in limits:
                return
            if self._open[at] in ended:
                while len(self._open) > at:
                    self._end()

    def _written_name(self, name: str) -> str:
        """Return an element's name, with the capitals that elements of drawings have in theirs."""
        if "svg" in self._open:
            match = re.match(r"<\s*([\w:-]+)", self.get_starttag_text() or "")
            if match and match[1].lower() == name:
                return match[1]
        return name

    def _is_shown(self, address: str) -> bool:
        return address.startswith("data:image/") or self._is_there(address)

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        capitals: dict[str, str] = {}
        if "svg" in self._open or tag == "svg":
            capitals = {found.lower(): found for found in _ATTRIBUTE.findall(self.get_starttag_text() or "")}
        written: dict[str, str] = {}
        for name, value in attrs:
            if self._is_allowed(tag, name.removeprefix("xlink:"), value or ""):
                key = capitals.get(name, name).removeprefix("xlink:")
                written.setdefault(key, _UNPRINTABLE.sub("", key if value is None else value))
        self._ids.add(written.get("id", ""))
        if tag in _NAMESPACES:
            written["xmlns"] = _NAMESPACES[tag]
        if tag == "img":
            written.setdefault("alt", "")
        return "".join(f' {name}="{escape(value)}"' for name, value in written.items())

    def _is_allowed(self, tag: str, name: str, value: str) -> bool:
        if not _NAME.fullmatch(name) or name.startswith("on") or name == "xmlns" or name in _OF_SCREENS:
            return False
        if name in {"width", "height"}:
            return tag in _SIZED or "svg" in self._open
        if name == "id":
            return bool(value) and not re.search(r"\s", value) and value not in self._ids
        if name == "href":
            place = urlsplit(value)
            return bool(place.scheme in {"http", "https", "mailto"} or value.startswith("#") or ".xhtml" in place.path)
        drawn = "svg" in self._open or tag in {"math", "mtable", "mstyle"}
        return drawn or name not in _OBSOLETE
