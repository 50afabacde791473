"""HTML of outputs, without all that could run, load, lead astray or change the page around it."""

import contextlib
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from d2lbuild.rendering.outputs.safe_css import KEPT_CLASSES, renamed, safe_declarations, safe_rules

__all__ = ["SafeHtml", "safe_html"]

_TABLES = {"caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_MEDIA = {"audio", "img", "source", "video"}
_TAGS = {
    *_TABLES, *_MEDIA,
    *("a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "center", "cite", "code", "dd", "del", "details", "dfn"),
    *("div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd"),
    *("li", "mark", "meter", "ol", "p", "pre", "progress", "q", "rp", "rt", "ruby", "s", "samp", "small", "span"),
    *("strike", "strong", "sub", "summary", "sup", "time", "tt", "u", "ul", "var", "wbr"),
}  # fmt: skip
_EMPTIED = {
    *("script", "style", "svg", "math", "iframe", "object", "template", "noscript", "noembed", "noframes", "title"),
    *("xmp", "plaintext", "canvas", "select", "textarea"),
}
"""Elements that go with all that stands in them; of others that are not known the content stays."""
_ATTRIBUTES = {
    "*": {"align", "class", "dir", "height", "hidden", "id", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "audio": {"controls", "loop", "muted", "src"},
    "details": {"open"},
    "img": {"alt", "src"},
    "li": {"value"},
    "meter": {"high", "low", "max", "min", "optimum", "value"},
    "ol": {"reversed", "start"},
    "progress": {"max", "value"},
    "source": {"src", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"abbr", "colspan", "rowspan"},
    "th": {"abbr", "colspan", "rowspan", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "video": {"controls", "loop", "muted", "src"},
}
_NEEDED = _EMPTIED - {"style", "title", "math", "noscript", "template", "noembed", "noframes"} | {
    *("button", "embed", "form", "frame", "input"),
}
"""Elements without which an output hardly says what it should."""
_LOADING = {"audio", "embed", "iframe", "img", "object", "source", "video"}
_DATA = ("data:image/", "data:audio/", "data:video/")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_FLAT = (
    _TABLES - {"table"}
    | _MEDIA
    | {"area", "base", "br", "embed", "hr", "input", "link", "meta", "track", "wbr"}
    | {
        *("dd", "dt", "li", "option", "p"),
    }
)
"""Elements in which nothing stands, and those that end by themselves where the next one begins."""
_MOST_OPEN = 100
"""Comments without an end."""
_DEEPEST = 1_000
"""Elements within others."""
_SHOWN = {"hr", "meter", "progress"}


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """What is left of an output."""

    text: str
    visible: bool
    """Whether there is anything to see."""
    lost: bool
    """Whether something that it needs is gone: scripts, frames, controls."""
    elsewhere: tuple[str, ...] = ()
    """Addresses of what it would have loaded."""
    has_table: bool = False
    own_colours: bool = False
    """Whether it says which colours it has; those are meant for light paper."""


def safe_html(html: str, scope: str, *, formulas: bool = False) -> SafeHtml:
    """Return what can be shown of a piece of HTML; `scope` is a class that no other output of the page has.

    With `formulas`, MathJax sets what has the class ``math``.
    """
    if not _can_be_read(html):
        return SafeHtml("", visible=False, lost=True)
    before = _read(html)
    rules = "\n".join(filter(None, (safe_rules(css, scope) for css in before.styles)))
    body = _cleaned(html, scope, formulas=formulas).strip()
    after = _read(body)
    colours = " ".join([rules, *after.attributes])
    return SafeHtml(
        text=f'<div class="{scope}">\n<style>\n{rules}\n</style>\n{body}\n</div>' if rules else body,
        visible=after.words or after.has_media or bool(_SHOWN & after.tags),
        lost=bool(_NEEDED & before.tags),
        elsewhere=tuple(dict.fromkeys(before.addresses)),
        has_table="table" in after.tags,
        own_colours="color:" in colours or "background:" in colours,
    )


def _can_be_read(html: str) -> bool:
    """Whether a piece of HTML is such that it is read in a time that grows with its length, and no faster."""
    if html.count("<!--") - html.count("-->") > _MOST_OPEN or html.count("<![") > _MOST_OPEN:
        return False
    depth = deepest = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _FLAT:
            depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest <= _DEEPEST


def _cleaned(html: str, scope: str, *, formulas: bool) -> str:
    own = KEPT_CLASSES | ({"math"} if formulas else set())

    def kept(_tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return safe_declarations(value) or None
        if name == "class":
            return " ".join(one if one in own else renamed(one) for one in value.split()) or None
        if name == "id":
            return f"{scope}-{value}"
        if name == "href":
            return _link(value, scope)
        if name == "src":
            return value if value.lower().startswith(_DATA) else None
        return value

    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_EMPTIED,
        attributes=_ATTRIBUTES,
        attribute_filter=kept,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
    )


def _link(address: str, scope: str) -> str | None:
    """Return where a link may lead: within the output or to another site, but not to files that a site lacks."""
    if address.startswith("#"):
        return f"#{scope}-{address[1:]}"
    return address if re.match(r"(https?://|mailto:)", address, re.IGNORECASE) else None


class _Reading(HTMLParser):
    """Notes what a piece of HTML consists of. What it overlooks is still taken out by the cleaning."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.styles: list[str] = []
        self.attributes: list[str] = []
        self.addresses: list[str] = []
        self.words = False
        self.has_media = False
        """Whether there is a picture or a sound."""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        # pandas has such styles at each table, of which pages take care.
        self._inside = "script" if "scoped" in found else tag if tag in ("script", "style") else ""
        self.attributes.append(found.get("style") or "")
        address = (found.get("src") or found.get("data") or "").strip()
        if tag in _LOADING and address.startswith(("http://", "https://", "//")):
            self.addresses.append(f"https:{address}" if address.startswith("//") else address)
        if tag in _MEDIA and found.get("src"):
            self.has_media = True

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.styles.append(data)
        elif not self._inside and data.strip():
            self.words = True


def _read(html: str) -> _Reading:
    reading = _Reading()
    with contextlib.suppress(AssertionError):  # of some declarations that nobody knows
        reading.feed(html)
        reading.close()
    return reading
