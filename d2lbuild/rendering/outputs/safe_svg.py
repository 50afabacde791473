"""Drawings of outputs as files that hold nothing but a drawing, and the words that stand in them.

A page shows a drawing as an image: there its ids cannot meet those of others, nothing in it can run, and it is loaded
once it is looked at. But a reader may also open it by itself, so that what could run or load goes all the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from xml.etree import ElementTree as Tree

__all__ = ["Drawing", "safe_svg"]

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = ("href", "{http://www.w3.org/1999/xlink}href")
_SPACE = "{http://www.w3.org/XML/1998/namespace}"
_ELEMENTS = frozenset(
    (
        *("svg", "g", "defs", "symbol", "use", "switch", "title", "desc", "style", "view"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image"),
        *("text", "tspan", "textPath", "clipPath", "mask", "pattern", "marker"),
        *("linearGradient", "radialGradient", "stop", "filter", "feBlend", "feColorMatrix", "feComponentTransfer"),
        *("feComposite", "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur", "feMerge"),
        *("feMergeNode", "feMorphology", "feOffset", "feTurbulence"),
    )
)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp)[;,]", re.IGNORECASE)
_ELSEWHERE = re.compile(r"url\(\s*['\"]?\s*(?!#)|@|\\|javascript:|expression\(|image(?:-set)?\(", re.IGNORECASE)
"""In the values of attributes and in styles."""
_NUMBER = re.compile(r"[\s\d.,:%×+\-−e^{}$]*")
_TEX = re.compile(r"\\(?:mathdefault|mathrm|mathit|mathbf|mathregular)\{|\\|[${}]")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A harmless drawing."""

    text: str
    words: tuple[str, ...]
    """What is written in it, without numbers, each word once."""


def safe_svg(text: str) -> Drawing | None:
    """Return a drawing without what could run or load; None if it is no drawing."""
    if "<!ENTITY" in text:
        return None
    parser = Tree.XMLParser(target=Tree.TreeBuilder(insert_comments=True))  # noqa: S314 - it has no entities
    try:
        root = Tree.fromstring(text.strip(), parser)  # noqa: S314
    except (Tree.ParseError, ValueError):
        return None
    if _name(root) != "svg":
        return None
    words = tuple(dict.fromkeys(_words(root)))
    try:
        _clean(root)
        root.set("xmlns", _SVG[1:-1])
        return Drawing(Tree.tostring(root, encoding="unicode", short_empty_elements=True), words)
    except RecursionError:  # nobody draws hundreds of groups within each other
        return None


def _name(element: Tree.Element) -> str:
    """Return the name of an element of SVG; empty for comments and for elements of anything else."""
    tag: object = element.tag  # of a comment, a function
    if not isinstance(tag, str):
        return ""
    return tag.removeprefix(_SVG) if tag.startswith(_SVG) or not tag.startswith("{") else ""


def _words(root: Tree.Element) -> Iterator[str]:
    """Yield what is written; Matplotlib draws letters as lines, and says in a comment which they are."""
    for element in root.iter():
        tag: object = element.tag
        if tag is Tree.Comment or _name(element) in ("text", "title"):
            text = unescape(element.text or "") if tag is Tree.Comment else "".join(element.itertext())
            words = " ".join(_TEX.sub("", text.replace(r"\times", "×")).split())
            if words and not _NUMBER.fullmatch(words):
                yield words


def _clean(element: Tree.Element) -> None:
    element.tag = _name(element)
    element.attrib = dict(_attributes(element))
    for child in list(element):
        name = _name(child)
        if name == "a":
            child.tag = f"{_SVG}g"
            child.attrib = {}
        elif name not in _ELEMENTS or (name == "style" and _ELSEWHERE.search("".join(child.itertext()))):
            _remove(element, child)
            continue
        _clean(child)


def _remove(parent: Tree.Element, child: Tree.Element) -> None:
    """Remove an element, but not the text behind it."""
    if child.tail:
        place = list(parent).index(child)
        if place:
            parent[place - 1].tail = (parent[place - 1].tail or "") + child.tail
        else:
            parent.text = (parent.text or "") + child.tail
    parent.remove(child)


def _attributes(element: Tree.Element) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if name in _LINK:
            if value.startswith("#") or (element.tag == "image" and _PICTURE.match(value.strip())):
                yield "href", value
        elif name.startswith(_SPACE):
            yield f"xml:{name.removeprefix(_SPACE)}", value
        elif not name.startswith("{") and not name.lower().startswith("on") and not _ELSEWHERE.search(value):
            yield name, value
