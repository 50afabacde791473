"""The marks of the dialect within a run of lines: roles, code, maths, images, links and slide marks."""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

__all__ = ["REFERENCE_ROLES", "ROLES", "Mark", "MarkKind", "Opened", "marks_in"]

REFERENCE_ROLES = frozenset({"numref", "ref", "eqref", "cite", "citet", "citep", "class", "func", "mod"})
ROLES = REFERENCE_ROLES | {"label", "eqlabel", "width", "height", "bibliography"}
"""Every role of the dialect; any other is reported as unknown."""


class MarkKind(enum.Enum):
    """What a stretch of prose is."""

    ROLE = "role"
    CODE = "code"
    MATH = "math"
    DISPLAY = "display"
    IMAGE = "image"
    LINK = "link"
    SLIDE = "slide"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text that is not plain words. Offsets are characters from the start of the text."""

    kind: MarkKind
    start: int
    end: int
    name: str = ""
    """A role's name; a slide mark's opening (``(**``, ``[**``, ``(~~``)."""
    value: str = ""
    """A role's argument, a formula, the address of an image or a link."""
    inner: tuple[int, int] = (0, 0)
    """Where the caption of an image, the text of a link or of a slide mark stands."""


_DESTINATION = r"<[^>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*"
_SIGN = re.compile(r"[:`$\\!(\[*~\]]")
"""What marks begin with: there are few in a text, and finding them takes a tenth of the time of trying every mark."""
_SLIDE_CLOSE = {"(**": "**)", "[**": "**]", "(~~": "~~)"}
_GROUPS = ("role", "code", "display", "math", "escape", "image", "slide_open", "slide_close", "close", "open", "shut")

Opened = tuple[str, re.Match[str]]
"""A mark that is open: its kind and where."""


@cache
def _mark() -> re.Pattern[str]:
    """Return what every mark looks like: slow to compile, and a book of which nothing has changed does without."""
    return re.compile(
        rf"""
      (?P<role>:(?P<name>[A-Za-z][\w.+-]*):(?P<quotes>`{{1,2}})(?P<value>[^`]*)(?P=quotes))
    | (?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))
    | (?P<display>\$\$(?P<display_math>.+?)(?<!\\)\$\$)
    | (?P<math>(?<![\\$])\$(?![\s$])(?P<inline_math>(?:\\.|[^$\\])+?)(?<!\s)\$(?!\d))
    | (?P<escape>\\[!-/:-@\[-`{{-~])
    | (?P<image>!\[)
    | (?P<slide_open>\(\*\*|\[\*\*|\(~~)
    | (?P<slide_close>\*\*\)|\*\*\](?!\((?:{_DESTINATION})\))|~~\))
    | (?P<close>\]\(\s*(?P<destination>{_DESTINATION})(?:\s+(?:"[^"]*"|'[^']*'))?\s*\))
    | (?P<open>\[)
    | (?P<shut>\])
    """,
        re.VERBOSE | re.DOTALL,
    )


def marks_in(text: str, begin: int, end: int, slides: list[Opened]) -> Iterator[Mark]:
    """Yield the marks between two offsets; brackets are matched by a stack, unmatched ones are plain text.

    `slides` holds the slide marks that earlier runs of lines have opened, and takes those of this one: a slide mark may
    run over several paragraphs, if its end stands first on a line.
    """
    stack: list[Opened] = []
    for match in _inline(text, begin, end):
        group = next(name for name in _GROUPS if match[name] is not None)
        if group == "role":
            yield Mark(MarkKind.ROLE, match.start(), match.end(), match["name"], match["value"])
        elif group == "code":
            yield Mark(MarkKind.CODE, match.start(), match.end())
        elif group == "display":
            yield Mark(MarkKind.DISPLAY, match.start(), match.end(), value=match["display_math"])
        elif group == "math":
            yield Mark(MarkKind.MATH, match.start(), match.end(), value=match["inline_math"])
        elif group in {"image", "open", "slide_open"}:
            stack.append((group, match))
        elif group == "slide_close":
            first_on_line = not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
            yield from _close_slide(stack, match) or (_close_slide(slides, match) if first_on_line else [])
        elif group == "close":
            yield from _close_bracket(stack, match)
        elif group == "shut" and stack and stack[-1][0] in {"open", "image"}:
            stack.pop()
    slides += [one for one in stack if one[0] == "slide_open"]


def _inline(text: str, at: int, end: int) -> Iterator[re.Match[str]]:
    """Yield what ``_mark().finditer`` would."""
    mark = _mark()
    while sign := _SIGN.search(text, at, end):
        match = mark.match(text, sign.start(), end)
        at = match.end() if match else sign.end()
        if match:
            yield match


def _close_slide(stack: list[Opened], match: re.Match[str]) -> list[Mark]:
    for index in range(len(stack) - 1, -1, -1):
        kind, opening = stack[index]
        if kind == "slide_open" and _SLIDE_CLOSE[opening.group()] == match.group():
            del stack[index:]
            inner = (opening.end(), match.start())
            return [Mark(MarkKind.SLIDE, opening.start(), match.end(), opening.group(), inner=inner)]
    return []


def _close_bracket(stack: list[Opened], match: re.Match[str]) -> Iterator[Mark]:
    for index in range(len(stack) - 1, -1, -1):
        kind, opening = stack[index]
        if kind == "slide_open" and opening.group() != "[**":
            continue
        del stack[index:]
        inside = opening.start() + 1 if kind == "slide_open" else opening.end()
        mark = MarkKind.IMAGE if kind == "image" else MarkKind.LINK
        target = match["destination"].removeprefix("<").removesuffix(">")
        yield Mark(mark, opening.start(), match.end(), value=target, inner=(inside, match.start()))
        return
