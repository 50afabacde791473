"""Formulas as MathML, with the source beside it for readers that show none.

What is no command of LaTeX's, of the book's or of `amsmath` is an error here, never a formula with a hole in it.
"""

import re
from collections.abc import Mapping
from html import unescape
from xml.etree import ElementTree

from math_core import LatexError, LatexToMathML

from d2lbuild.rendering.displays import LAST_LINE_ENDS, OWN_LINES, has_open_lines, two_columns

__all__ = ["Formulas", "NotConvertedError"]

_LINES = re.compile(r"\\(begin|end)\{(align|alignat|flalign|gather|split)\*?\}(?:\{\d\})?")
_INNER = {"gather": "gathered"}
"""What holds lines and counts none: `aligned`, unless it is said here."""
_IN_TEXT = re.compile(r"\\(text[a-z]*|mbox|hbox)\{((?:[^{}$]|\\\$)*(?:\$[^{}$]*\$(?:[^{}$]|\\\$)*)+)\}")
"""Text within a formula, with formulas within the text."""
_TAGS = re.compile(r"<[^>]*>")
_LABELS = re.compile(r"\\(?:label\{[^{}]*\}|nonumber(?![A-Za-z])|notag(?![A-Za-z]))")


_USUAL_MACROS = {
    "hbox": r"\text{#1}",
    "mbox": r"\text{#1}",
    "substack": r"\begin{matrix}#1\end{matrix}",
}
"""What MathJax knows and the converter does not."""
_VARIANTS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "code": "monospace"}
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;)\w+;")
_ALIGNED = re.compile(r"text-align: (left|right);")
_STYLES = ("displaystyle", "scriptlevel")
_STYLED = {"math", "mstyle", "mtable"}
"""Elements that may say how large formulas are in them."""


class NotConvertedError(Exception):
    """A formula is not understood; the text says why."""


class Formulas:
    """Writes the formulas of a book, which may have commands of its own."""

    def __init__(self, macros: Mapping[str, str]) -> None:
        known = {name: text for name, text in {**_USUAL_MACROS, **macros}.items() if _is_macro(name, text)}
        self._converter = _converter(known)

    def mathml(self, tex: str, *, display: bool) -> str:
        """Return a formula as MathML.

        Raises NotConvertedError.
        """
        source = " ".join(tex.split())
        try:
            found = self._converter.convert_with_local_state(_prepared(tex, display=display), displaystyle=display)
        except LatexError as error:
            raise NotConvertedError(re.sub(r"^[\d.]+: ?", "", str(error).strip()).rstrip(".")) from None
        return _for_readers(found, source)

    def words(self, tex: str) -> str:
        """Return a formula as plain text, for titles in tables of contents."""
        try:
            return " ".join(unescape(_TAGS.sub("", self.mathml(tex, display=False))).split())
        except NotConvertedError:
            return tex


def _converter(macros: Mapping[str, str]) -> LatexToMathML:
    return LatexToMathML(macros=dict(macros), fancy_error=False, allow_unreliable_rendering=True)


def _is_macro(name: str, text: str) -> bool:
    """Whether a macro is understood; formulas that use another one are told as such."""
    try:
        _converter({name: text})
    except LatexError:
        return False
    return True


def _for_readers(mathml: str, source: str) -> str:
    """Return MathML Core as MathML 3, which the rules of EPUB ask for and older readers know."""
    tree = ElementTree.fromstring(_ENTITY.sub(lambda match: unescape(match[0]), mathml))  # noqa: S314 - it is ours
    for text in tree.iter("mtext"):
        _flatten(text)
    for element in list(tree.iter()):
        if element.tag != "mtable":
            for at, child in enumerate(list(element)):
                if child.tag not in _STYLED and any(name in child.attrib for name in _STYLES):
                    element[at] = _styled(child)
        if element.tag == "mtd" and (match := _ALIGNED.match(element.get("style", ""))):
            element.set("columnalign", match[1])
        if element.tag == "mtable":
            element.attrib.pop("scriptlevel", None)
    tree.attrib = {"xmlns": "http://www.w3.org/1998/Math/MathML", "alttext": source, **tree.attrib}
    return ElementTree.tostring(tree, encoding="unicode")


def _styled(element: ElementTree.Element) -> ElementTree.Element:
    """Put an element into the one that may say how large it is."""
    style = ElementTree.Element(
        "mstyle", {name: element.attrib.pop(name) for name in _STYLES if name in element.attrib}
    )
    element.tail, style.tail = None, element.tail
    style.append(element)
    return style


def _flatten(text: ElementTree.Element) -> None:
    """Let a text be in the font that elements of HTML within it ask for."""
    for child in text.iter():
        variant = "sans-serif" if "sans-serif" in child.get("class", "") else _VARIANTS.get(child.tag)
        if variant:
            text.set("mathvariant", variant)
    words = "".join(text.itertext())
    for child in list(text):
        text.remove(child)
    text.text = words


def _prepared(tex: str, *, display: bool) -> str:
    """Return a formula without what numbers it: the book has done that."""
    tex = _LABELS.sub("", _IN_TEXT.sub(_outside, tex)).strip()
    if not display:
        return tex
    tex = "\n".join(line for line in tex.splitlines() if line.strip())
    match = OWN_LINES.match(tex)
    if match is None:
        tex = LAST_LINE_ENDS.sub("", tex)
        if r"\tag" in tex:
            return rf"\begin{{equation*}}{tex}\end{{equation*}}"
        return rf"\begin{{aligned}}{tex}\end{{aligned}}" if has_open_lines(tex) else tex
    body = tex[match.end() :].rsplit(rf"\end{{{match[1]}{match[2]}}}", 1)[0]
    if match[1] == "equation" and r"\tag" not in body:
        return _inner(body)
    if match[1] == "eqnarray":
        return rf"\begin{{aligned}}{two_columns(body)}\end{{aligned}}"
    if match[1] == "multline" or r"\tag" in body:
        return f"\\begin{{{match[1]}*}}{body}\\end{{{match[1]}*}}"
    return _inner(tex)


def _inner(tex: str) -> str:
    return _LINES.sub(lambda match: f"\\{match[1]}{{{_INNER.get(match[2], 'aligned')}}}", tex)


def _outside(match: re.Match[str]) -> str:
    r"""Take formulas out of the text that they stand in: ``\text{if $x$ is}`` is ``\text{if }x\text{ is}``."""
    parts = re.split(r"(?<!\\)\$", match[2])
    return "".join(
        f"{{{part}}}" if at % 2 else (f"\\{match[1]}{{{part}}}" if part else "") for at, part in enumerate(parts)
    )
