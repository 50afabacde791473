"""What prose says: its marks, headings, figures, tables, equations and fences, with their place in the text.

markdown-it says which lines are paragraphs, headings, tables and fences; inside those lines `marks` are found.
Nothing is changed here: `check` and the renderers read the same marks, and edit the text by their offsets.
"""

import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from d2lbuild.source.marks import Mark, MarkKind, Opened, marks_in
from d2lbuild.source.paragraphs import stretches

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = [
    "Equation",
    "Fence",
    "Figure",
    "Heading",
    "Prose",
    "Table",
    "block_parser",
    "is_closed",
    "parse_prose",
    "plain_words",
    "split_lines",
]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with the labels under it."""

    level: int
    start: int
    end: int
    text: tuple[int, int]
    labels: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """An image on lines of its own, with what the lines under it say."""

    image: Mark
    end: int
    labels: tuple[Mark, ...]
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Table:
    """A pipe table with its caption and labels."""

    start: int
    end: int
    caption: tuple[int, int] | None
    caption_block: tuple[int, int] | None
    """The caption's whole paragraph, its colon and labels included."""
    labels: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """A displayed formula with its label."""

    mark: Mark
    label: Mark | None


@dataclass(frozen=True, slots=True)
class Fence:
    """A listing that is not executed."""

    start: int
    """Offset of the first character of the opening fence's line."""
    end: int
    info: str
    info_at: int
    """Offset of the info string."""
    closed: bool


@dataclass(frozen=True, slots=True)
class Prose:
    """A text and everything in it that has a meaning."""

    text: str
    marks: tuple[Mark, ...]
    """In order of their start; those inside a caption or a slide mark follow the one around them."""
    headings: tuple[Heading, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    equations: tuple[Equation, ...]
    fences: tuple[Fence, ...]
    line_starts: tuple[int, ...]
    lazy: Mapping[int, int]
    """Lines, counted from 0, of displayed maths that belongs to a list item though it is not indented: by how much."""

    def line(self, offset: int) -> int:
        """Return the line of `offset`, counted from 0."""
        return bisect_right(self.line_starts, offset) - 1

    def column(self, offset: int) -> int:
        """Return the column of `offset`, counted from 1."""
        return offset - self.line_starts[self.line(offset)] + 1


_LINE_END = re.compile(r"\r\n|\r|\n")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?=\S)")
_ATTRIBUTE = re.compile(r"\s*:(?:label|width|height):`[^`]*`")
_LABEL_LINE = re.compile(r"\s*:(?:label|eqlabel|width|height):`")
_CLOSING_SLIDE = re.compile(r"\s*(?:\*\*\)|\*\*\]|~~\))?[.,;]?\s*")


def split_lines(text: str) -> list[str]:
    """Split at the line ends that Markdown knows, keeping them.

    `str.splitlines` would also split at form feeds and Unicode separators, and so disagree with the parser about lines.
    """
    return list(io.StringIO(text, newline=""))


def block_parser() -> "MarkdownIt":
    """Return a parser for blocks alone: CommonMark, pipe tables and displayed maths."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import, and a book of which nothing has changed does without
    from mdit_py_plugins.dollarmath import dollarmath_plugin  # noqa: PLC0415

    parser = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, allow_labels=False)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


@cache
def _parser() -> "MarkdownIt":
    return block_parser()


def is_closed(lines: Sequence[str], markup: str) -> bool:
    """Whether a fence, given by its lines, has a closing line, or only ends with what it stands in."""
    closing = lines[-1].strip(" \t>\r\n") if len(lines) > 1 else ""
    return closing.startswith(markup) and not closing.strip(markup[0])


@lru_cache(maxsize=8192)
def parse_prose(text: str) -> Prose:
    """Find the marks of `text`, which may use any line ends.

    A book's prose is parsed to be checked, and what is parsed then is there when it is translated.
    """
    lines = split_lines(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    lazy = _lazy_maths(lines)
    indented = [" " * lazy.get(n, 0) + line.rstrip("\r\n") + "\n" for n, line in enumerate(lines)]
    scanner = _Scanner(text, lines, starts, lazy)
    for first, last, plain in stretches(indented):
        if plain:
            scanner.paragraph(first, last)
            continue
        for token in _parser().parse("".join(indented[first:last])):
            scanner.take(token, first)
    return scanner.finish()


def _lazy_maths(lines: Sequence[str]) -> dict[int, int]:
    """Return the lines of displayed maths that follow a list item without a blank line and without its indentation.

    Other Markdown readers take them as the item's text going on; here they would end the list.
    """
    found: dict[int, int] = {}
    indent, fenced, maths = 0, False, False
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or (not stripped and not maths):
            indent = 0
            continue
        starts = not maths and stripped.startswith("$$")
        if match := _LIST_ITEM.match(line):
            indent = len(match.group()) if not maths else indent
        elif indent and (starts or maths) and len(line) - len(line.lstrip()) < indent:
            found[number] = indent
        if starts or maths:
            maths = (line.count("$$") + maths) % 2 == 1
    return found


def plain_words(prose: Prose, start: int, end: int) -> str:
    """Return a caption or a title as plain words: marks are gone, what they hold stays."""
    pieces, at = [], start
    for mark in prose.marks:
        if not start <= mark.start < end or mark.start < at:
            continue
        pieces.append(prose.text[at : mark.start])
        if mark.kind in {MarkKind.MATH, MarkKind.DISPLAY}:
            pieces.append(mark.value)
        elif mark.kind in {MarkKind.LINK, MarkKind.SLIDE}:
            pieces.append(prose.text[slice(*mark.inner)])
        elif mark.kind is MarkKind.CODE:
            pieces.append(prose.text[mark.start : mark.end].strip("`"))
        at = mark.end
    pieces.append(prose.text[at:end])
    return " ".join("".join(pieces).replace("*", "").split())


@dataclass(frozen=True, slots=True)
class _Region:
    """A run of lines in which inline marks may stand."""

    start: int
    end: int
    kind: str
    level: int = 0


class _Scanner:
    """Collects regions from block tokens, then marks and items from the regions."""

    def __init__(self, text: str, lines: Sequence[str], starts: Sequence[int], lazy: Mapping[int, int]) -> None:
        self.text, self.lines, self.starts, self.lazy = text, lines, starts, lazy
        self.regions: list[_Region] = []
        self.fences: list[Fence] = []

    def paragraph(self, first: int, last: int) -> None:
        """Take a paragraph that stands on its own."""
        self.regions.append(_Region(self.starts[first], self._content_end(first, last), "paragraph"))

    def take(self, token: "Token", begun: int) -> None:
        """Take what was parsed from the line `begun` on."""
        if token.map is None:
            return
        first, last = begun + token.map[0], min(begun + token.map[1], len(self.lines))
        start, end = self.starts[first], self._content_end(first, last)
        if token.type == "heading_open":
            self.regions.append(_Region(start, end, "heading", int(token.tag[1])))
        elif token.type == "paragraph_open":
            self.regions.append(_Region(start, end, "paragraph"))
        elif token.type == "math_block":
            self.regions.append(_Region(start, end, "math"))
        elif token.type == "table_open":
            cut = next((n for n in range(first, last) if _LABEL_LINE.match(self.lines[n])), last)
            self.regions.append(_Region(start, self._content_end(first, cut), "table"))
            if cut < last:
                self.regions.append(_Region(self.starts[cut], end, "paragraph"))
        elif token.type == "fence":
            opening = self.lines[first]
            at = opening.find(token.markup) + len(token.markup)
            closed = is_closed(self.lines[first:last], token.markup)
            self.fences.append(Fence(start, end, token.info.strip(), start + at, closed))

    def _content_end(self, first: int, last: int) -> int:
        """Offset after the last character of line `last - 1`, its line end left out; blank lines at the end too."""
        while last > first + 1 and not self.lines[last - 1].strip():
            last -= 1
        return self.starts[last - 1] + len(self.lines[last - 1].rstrip("\r\n"))

    def finish(self) -> Prose:
        marks = sorted(self._marks(), key=lambda mark: (mark.start, -mark.end))
        roles = {mark.start: mark for mark in marks if mark.kind is MarkKind.ROLE}
        equations = list(self._equations(marks))
        return Prose(
            text=self.text,
            marks=tuple(marks),
            headings=tuple(self._headings(roles)),
            figures=tuple(self._figures(marks, roles)),
            tables=tuple(self._tables(roles)),
            equations=tuple(equations),
            fences=tuple(self.fences),
            line_starts=tuple(self.starts),
            lazy=self.lazy,
        )

    def _marks(self) -> Iterator[Mark]:
        slides: list[Opened] = []
        for region in self.regions:
            if region.kind == "math":
                yield self._displayed(region)
            else:
                yield from marks_in(self.text, region.start, region.end, slides)

    def _displayed(self, region: _Region) -> Mark:
        start = self.text.index("$$", region.start)
        closed = self.text.count("$$", start, region.end) > 1
        end = self.text.rindex("$$", start + 2, region.end) + 2 if closed else region.end
        return Mark(MarkKind.DISPLAY, start, end, value=self.text[start + 2 : end - 2])

    def _attributes(self, offset: int, roles: dict[int, Mark]) -> Iterator[Mark]:
        """Yield the label, width and height roles that follow `offset` with only white space between."""
        while match := _ATTRIBUTE.match(self.text, offset):
            start = offset + len(match.group()) - len(match.group().lstrip())
            if start not in roles:
                return
            yield roles[start]
            offset = match.end()

    def _headings(self, roles: dict[int, Mark]) -> Iterator[Heading]:
        for region in self.regions:
            if region.kind != "heading":
                continue
            first_line = self.text[region.start : region.end].split("\n")[0].rstrip("\r")
            match = re.match(r"[ \t>]*#{1,6}[ \t]*(.*?)[ \t]*#*$", first_line)
            inside = (region.start + match.start(1), region.start + match.end(1)) if match else None
            if inside is None:  # a heading that is underlined
                inside = (region.start, region.start + len(first_line))
            labels = tuple(mark for mark in self._attributes(region.end, roles) if mark.name == "label")
            yield Heading(region.level, region.start, region.end, inside, labels)

    def _figures(self, marks: Sequence[Mark], roles: dict[int, Mark]) -> Iterator[Figure]:
        paragraphs = {region.start: region for region in self.regions if region.kind == "paragraph"}
        starts = sorted(paragraphs)
        for mark in marks:
            if mark.kind is not MarkKind.IMAGE:
                continue
            at = bisect_right(starts, mark.start) - 1
            if at < 0 or not (region := paragraphs[starts[at]]).end >= mark.end:
                continue
            line_start = self.text.rfind("\n", 0, mark.start) + 1
            before = self.text[line_start : mark.start]
            rest_of_line = self.text[mark.end : self._line_end(mark.end)]
            alone_before = not before.strip() or re.fullmatch(r"[ \t>]*(?:[-*+]|\d+[.)])[ \t]+", before) is not None
            attributes = tuple(self._attributes(mark.end, roles))
            if not alone_before or (rest_of_line.strip() and not _ATTRIBUTE.match(rest_of_line)):
                continue
            whole = not self.text[mark.end : region.end].strip() and line_start <= region.start
            if not whole and not attributes:
                continue
            values = {attribute.name: attribute.value.strip() for attribute in attributes}
            yield Figure(
                image=mark,
                end=attributes[-1].end if attributes else mark.end,
                labels=tuple(attribute for attribute in attributes if attribute.name == "label"),
                width=values.get("width", ""),
                height=values.get("height", ""),
            )

    def _tables(self, roles: dict[int, Mark]) -> Iterator[Table]:
        for index, region in enumerate(self.regions):
            if region.kind != "table":
                continue
            caption = block = None
            labels = [mark for mark in self._attributes(region.end, roles) if mark.name == "label"]
            before = self.regions[index - 1] if index else None
            if before and not self.text[before.end : region.start].strip() and self._is_caption(before):
                caption, block, more = self._caption(before, roles)
                labels = [*more, *labels]
            end = labels[-1].end if labels and labels[-1].start >= region.end else region.end
            after = self.regions[index + 1] if index + 1 < len(self.regions) else None
            if caption is None and after and not self.text[end : after.start].strip() and self._is_caption(after):
                caption, block, more = self._caption(after, roles)
                labels = [*labels, *more]
            yield Table(region.start, region.end, caption, block, tuple(labels))

    def _is_caption(self, region: _Region) -> bool:
        match = re.compile(r"[ \t]*:(?!:)").match(self.text, region.start)
        if match is None or region.kind != "paragraph":
            return False
        role = re.compile(r"[ \t]*:[A-Za-z][\w.+-]*:`").match(self.text, region.start)
        return role is None

    def _caption(self, region: _Region, roles: dict[int, Mark]) -> tuple[tuple[int, int], tuple[int, int], list[Mark]]:
        start = self.text.index(":", region.start) + 1
        inside = [role for role in roles.values() if start <= role.start < region.end and role.name == "label"]
        end = min((role.start for role in inside), default=region.end)
        while end > start and self.text[end - 1].isspace():
            end -= 1
        while start < end and self.text[start].isspace():
            start += 1
        return (start, end), (region.start, region.end), inside

    def _equations(self, marks: Sequence[Mark]) -> Iterator[Equation]:
        labels = {mark.start: mark for mark in marks if mark.name in {"eqlabel", "label"}}
        for mark in marks:
            if mark.kind is not MarkKind.DISPLAY:
                continue
            match = _CLOSING_SLIDE.match(self.text, mark.end)
            yield Equation(mark, labels.get(match.end()) if match else None)

    def _line_end(self, offset: int) -> int:
        match = _LINE_END.search(self.text, offset)
        return match.start() if match else len(self.text)
