"""Text as a terminal shows it, as HTML: colours and weights become classes, all other control codes go.

The sixteen named colours belong to the theme. Of the others the hue is kept, and the style sheet takes care that it can
be read on light and on dark paper.
"""

import re
from dataclasses import dataclass, replace
from html import escape

__all__ = ["terminal_html", "without_codes"]

_CODE = re.compile(
    r"\x1b(?:"
    r"\[(?P<values>[0-9;:]*)m"  # colours and weights
    r"|\[[0-?]*[ -/]*[@-~]"  # the cursor and the screen
    r"|[\]PX^_][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)?"  # links and titles, which end with a sign of their own
    r"|[ -/]*[0-~]"
    r"|)"
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_WEIGHTS = {1: "bold", 2: "faint", 3: "italic", 4: "underline", 9: "struck"}
_ENDS = {22: ("bold", "faint"), 23: ("italic",), 24: ("underline",), 29: ("struck",)}
_STEPS = (0, 95, 135, 175, 215, 255)
"""The six amounts of red, green and blue of the 216 colours in the middle of the 256."""


@dataclass(frozen=True, slots=True)
class _Style:
    """How text looks from some place on. A colour is a name, or ``#rrggbb``."""

    front: str = ""
    back: str = ""
    weights: frozenset[str] = frozenset()
    swapped: bool = False


def terminal_html(text: str) -> str:
    """Return a text as HTML, with a ``span`` around each piece that has a style."""
    pieces: list[str] = []
    style = _Style()
    place = 0
    for code in _CODE.finditer(text):
        pieces.append(_piece(text[place : code.start()], style))
        place = code.end()
        if code["values"] is not None:
            style = _styled(style, code["values"])
    pieces.append(_piece(text[place:], style))
    return "".join(pieces)


def without_codes(text: str) -> str:
    """Return a text without colours and other codes."""
    return _UNPRINTABLE.sub("", _CODE.sub("", text))


def _piece(text: str, style: _Style) -> str:
    text = escape(_UNPRINTABLE.sub("", text), quote=False)
    if not text or style == _Style():
        return text
    classes = [f"ansi-{weight}" for weight in sorted(style.weights)]
    values = []
    front, back = (style.back or "paper", style.front or "ink") if style.swapped else (style.front, style.back)
    for kind, colour in (("front", front), ("back", back)):
        if colour.startswith("#"):
            classes.append(f"ansi-{kind}")
            values.append(f"--ansi-{kind}:{colour}")
        elif colour:
            classes.append(f"ansi-{kind}-{colour}")
    attribute = f' style="{";".join(values)}"' if values else ""
    return f'<span class="{" ".join(classes)}"{attribute}>{text}</span>' if classes else text


def _styled(style: _Style, code: str) -> _Style:
    """Return a style after a code such as ``1;31`` or ``38;2;10;20;30``."""
    values = [int(value) if value else 0 for value in re.split("[;:]", code[:200])]
    while values:
        value = values.pop(0)
        if value == 0:
            style = _Style()
        elif value in _WEIGHTS:
            style = replace(style, weights=style.weights | {_WEIGHTS[value]})
        elif value in _ENDS:
            style = replace(style, weights=style.weights - {*_ENDS[value]})
        elif value in (7, 27):
            style = replace(style, swapped=value == 7)
        elif value in (38, 48):
            colour = _colour(values)
            style = replace(style, front=colour) if value == 38 else replace(style, back=colour)
        else:
            style = _coloured(style, value)
    return style


def _coloured(style: _Style, value: int) -> _Style:
    tens, ones = divmod(value, 10)
    if tens in (3, 9) and ones < 8:
        return replace(style, front=_name(ones + (8 if tens == 9 else 0)))
    if tens in (4, 10) and ones < 8:
        return replace(style, back=_name(ones + (8 if tens == 10 else 0)))
    if value == 39:
        return replace(style, front="")
    return replace(style, back="") if value == 49 else style


def _name(number: int) -> str:
    return _NAMES[number] if number < 8 else f"bright-{_NAMES[number - 8]}"


def _colour(values: list[int]) -> str:
    """Take a colour, of 256 or as red, green and blue, from the front of `values`; empty if it is none."""
    kind = values.pop(0) if values else 0
    if kind == 5 and values:
        number = values.pop(0)
        return _of_256(number) if number < 256 else ""
    if kind == 2 and len(values) >= 3:
        parts = [min(values.pop(0), 255) for _ in range(3)]
        return "#{:02x}{:02x}{:02x}".format(*parts)
    values.clear()
    return ""


def _of_256(number: int) -> str:
    if number < 16:
        return _name(number)
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    red, green, blue = (_STEPS[(number - 16) // factor % 6] for factor in (36, 6, 1))
    return f"#{red:02x}{green:02x}{blue:02x}"
