"""What stands at a position of a section's text, finished or while it is typed."""

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from d2lbuild.model import Block, BlockKind, Section

__all__ = ["Kind", "Place", "block_at", "is_code", "place_at", "places_of_label", "typed_at"]


class Kind(enum.Enum):
    """What a name names."""

    LABEL = "label"
    WORK = "work"
    SAVED = "saved name"
    FRAMEWORK = "framework"
    FILE = "file"
    """An image, or what a link leads to."""
    ENTRY = "entry"
    """A line of a table of contents."""
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a line of the text. Lines and columns are counted from 0, in characters; `end` is behind the last."""

    kind: Kind
    name: str
    line: int
    start: int
    end: int
    role: str = ""
    """The mark that it stands in: ``numref``, ``cite``, …"""


_ROLES = {
    Kind.LABEL: ("numref", "ref", "eqref", "label", "eqlabel"),
    Kind.WORK: ("cite", "citet", "citep"),
    Kind.SAVED: ("class", "func", "mod"),
    Kind.FRAMEWORK: ("begin_tab",),
    Kind.FILE: ("bibliography",),
}
_KINDS = {role: kind for kind, roles in _ROLES.items() for role in roles}
_ROLE = re.compile(rf":(?P<role>{'|'.join(_KINDS)}):`{{1,2}}(?P<value>[^`]*)")
_ROLE_BEGUN = re.compile(r"(?:^|[\s(\[*_]):(?P<name>\w*)$")
_NAME = re.compile(r"[^,\s]+|(?<![^,\s])$")
"""Of a list; at its end also the empty name that is about to be typed."""
_MARK = re.compile(r"^\s*(?:\w*//|#|--|%|;)?\s*(?:%%|@)tab\s+(?P<value>.*)")
_TARGET = re.compile(r"\]\((?P<target>[^()\s]*)")
_NO_ENTRY = re.compile(r"\s*(?::|```)")


def place_at(section: Section, line: int, text: str, column: int, package: str) -> Place | None:
    """Return the name at a column of a line, whose `text` is given; `package` is that of the library."""
    found = (one for one in _places(section, text, line, package) if one.name)
    return next((one for one in found if one.start <= column <= one.end), None)


def typed_at(section: Section, line: int, text: str, column: int, package: str) -> Place | None:
    """Return the name that is being typed up to a column of a line: its beginning, which may be empty."""
    before = text[:column]
    found = [one for one in _places(section, before, line, package) if one.end == column]
    if not found and not is_code(section, line) and (match := _ROLE_BEGUN.search(before)):
        return Place(Kind.ROLE, match["name"], line, match.start("name") - 1, column)
    return found[-1] if found else None


def places_of_label(section: Section, lines: Sequence[str], label: str) -> Iterator[Place]:
    """Yield where a section names a label: the label itself and references, also those in comments of code."""
    for number, text in enumerate(lines):
        if label in text:
            for place in _places(section, text, number, ""):
                if place.kind is Kind.LABEL and place.name == label:
                    start = text.index(label, place.start)
                    yield replace(place, start=start, end=start + len(label))


def is_code(section: Section, line: int) -> bool:
    """Whether a line (from 0) stands in a cell."""
    block = block_at(section, line)
    return block is not None and block.kind is BlockKind.CODE and line >= block.span.first


def block_at(section: Section, line: int) -> Block | None:
    """Return the block of a line (from 0)."""
    return next((one for one in section.blocks if one.span.first <= line + 1 <= one.span.last), None)


def _places(section: Section, text: str, line: int, package: str) -> Iterator[Place]:
    """Yield the names of a line; those of an unfinished mark reach to the line's end."""
    in_code = is_code(section, line)
    if in_code:
        if match := _MARK.match(text):
            yield from _names(Kind.FRAMEWORK, match["value"], line, match.start("value"), "tab")
        for match in re.finditer(rf"\b{re.escape(package)}\s*\.\s*(?P<name>\w*)", text) if package else ():
            yield Place(Kind.SAVED, match["name"], line, *match.span("name"))
    for match in _ROLE.finditer(text):
        yield from _names(_KINDS[match["role"]], match["value"], line, match.start("value"), match["role"])
    if in_code:
        return
    for match in _TARGET.finditer(text):
        yield Place(Kind.FILE, match["target"], line, *match.span("target"))
    block = block_at(section, line)
    if block and block.kind is BlockKind.CONTENTS and line >= block.span.first and not _NO_ENTRY.match(text):
        name = text.strip()
        start = len(text) - len(text.lstrip())
        yield Place(Kind.ENTRY, name, line, start, start + len(name))


def _names(kind: Kind, value: str, line: int, at: int, role: str) -> Iterator[Place]:
    """Yield the names of a mark."""
    if kind in {Kind.WORK, Kind.FRAMEWORK}:
        for match in _NAME.finditer(value):
            yield Place(kind, match[0], line, at + match.start(), at + match.end(), role)
    elif kind is Kind.SAVED:
        name = value.lstrip("~").rpartition(".")[2]
        yield Place(kind, name, line, at + len(value) - len(name), at + len(value), role)
    else:
        yield Place(kind, value.strip(), line, at, at + len(value), role)
