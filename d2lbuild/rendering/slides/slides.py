"""Pages as slides, by the marks of their prose. Pure functions.

``(**text**)`` goes on the current slide, ``[**text**]`` begins a new one, ``(~~text~~)`` is on the slide only. Headings
begin slides too, and code stays on the slide that it comes to. Prose that is not on a slide becomes its notes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from d2lbuild.model import CellKind
from d2lbuild.rendering.numbering import Numbers
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.rendering.plain_book import page_text
from d2lbuild.rendering.plain_markdown import PlainContext, plain_markdown
from d2lbuild.source.marks import Mark, MarkKind
from d2lbuild.source.prose import Prose, block_parser, parse_prose

__all__ = ["HIDES_CODE", "HIDES_OUTPUTS", "Slide", "SlideText", "has_slides", "make_slides"]

HIDES_CODE = frozenset({"hide-input", "remove-input", "remove-cell", "hide-cell"})
"""Tags of cells whose code nobody is shown at once: it is on no slide."""
HIDES_OUTPUTS = frozenset({"hide-output", "remove-output", "remove-cell", "hide-cell"})

_BLOCKS = block_parser()
_ITEM = re.compile(r"[ \t]*([-*+]|\d+[.)])[ \t]+")
_APART = re.compile(r"\n[ \t]*(?:\n|[-*+][ \t]|\d+[.)][ \t])|\n\Z")
"""What stands between words that are not to be read as one sentence."""
_SAYS_NOTHING = re.compile(r":(?:label|eqlabel|width|height):`[^`]*`|^[ \t]*(?:[-*+]|\d+[.)])[ \t]", re.MULTILINE)
_Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SlideText:
    """A piece of Markdown on a slide."""

    text: str
    level: int = 0
    """That of a heading; 0 for other words."""


@dataclass(frozen=True, slots=True)
class Slide:
    """What is seen at once, and what a speaker may say about it."""

    parts: tuple[SlideText | PageCell, ...]
    """Words and cells of code, in the order of the section."""
    notes: str
    """The prose that is not on the slide, as Markdown."""

    @property
    def title(self) -> str:
        """The first heading, as Markdown without its sign; empty if the slide has none."""
        heads = (one.text for one in self.parts if isinstance(one, SlideText) and one.level)
        return next(heads, "").lstrip("#").strip().partition("\n")[0]

    @property
    def code(self) -> tuple[PageCell, ...]:
        """The cells of code, also those whose code is hidden."""
        return tuple(one for one in self.parts if isinstance(one, PageCell))


def has_slides(page: Page, framework: str) -> bool:
    """Whether a page has marks of slides in what a framework sees of it."""
    return any(
        mark.kind is MarkKind.SLIDE
        for cell in page.cells
        if framework in cell.frameworks and cell.kind is CellKind.PROSE
        for mark in parse_prose(cell.source).marks
    )


def make_slides(page: Page, framework: str, context: PlainContext, numbers: Numbers) -> tuple[Slide, ...]:
    """Return the slides of what a framework sees of a page; marks become words as in a notebook."""
    deck = _Deck()
    for cell in page.cells:
        if framework not in cell.frameworks:
            continue
        if cell.kind is CellKind.CODE:
            deck.now.parts.append(cell)
        elif cell.kind is CellKind.PROSE:
            _Reading(cell.source, context, numbers.places.get((page.section.id, cell.id), {}), deck).all()
        else:
            deck.note(page_text(cell, page, context, numbers))
    return tuple(Slide(tuple(one.parts), "\n\n".join(one.notes)) for one in deck.slides if one.parts or one.notes)


@dataclass(slots=True)
class _Open:
    """A slide that is being filled."""

    parts: list[SlideText | PageCell] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def level(self) -> int | None:
        """The level of its last heading if there is nothing to see but headings, 0 if nothing at all, else None."""
        seen = [one for one in self.parts if isinstance(one, SlideText) or _is_seen(one)]
        levels = [one.level if isinstance(one, SlideText) else 0 for one in seen]
        return None if 0 in levels else (levels or [0])[-1]


def _is_seen(cell: PageCell) -> bool:
    return not cell.tags & HIDES_CODE or (bool(cell.outputs) and not cell.tags & HIDES_OUTPUTS)


@dataclass(slots=True)
class _Deck:
    slides: list[_Open] = field(default_factory=lambda: [_Open()])

    @property
    def now(self) -> _Open:
        return self.slides[-1]

    def heading(self, text: str, level: int) -> None:
        """Begin a slide; a heading right below that of its chapter stays with it, but the first has its own slide."""
        last = self.now.level
        if last is None or last == 1 or last >= level:
            self.slides.append(_Open())
        self.now.parts.append(SlideText(text, level))

    def begin(self) -> None:
        """Begin a slide, unless there is one that has nothing but headings."""
        if self.now.level is None:
            self.slides.append(_Open())

    def words(self, text: str, *, goes_on: bool) -> None:
        """Put words on the slide, as a paragraph or behind the last ones."""
        last = self.now.parts[-1] if goes_on else None
        if isinstance(last, SlideText):
            text = f"{last.text} {text}"
            self.now.parts.pop()
        self.now.parts.append(SlideText(text))

    def note(self, text: str) -> None:
        if text.strip():
            self.now.notes.append(text.rstrip())


@dataclass(frozen=True, slots=True)
class _Piece:
    """A marked stretch of the text, or the figure or table whose caption is marked."""

    mark: Mark
    start: int
    end: int
    whole: bool
    """Whether it is a figure or table, with the mark somewhere in it."""


class _Reading:
    """Reads one piece of prose into a deck."""

    def __init__(self, text: str, context: PlainContext, places: Mapping[int, str], deck: _Deck) -> None:
        self._prose, self._context, self._places, self._deck = parse_prose(text), context, places, deck
        self._things = list(_things(self._prose))
        self._pieces = list(self._marked())

    def all(self) -> None:
        headings = {heading.start: heading for heading in self._prose.headings}
        for start, end in self._blocks():
            text = self._prose.text[start:end]
            heading = headings.get(start + len(text) - len(text.lstrip())) if text.strip() else None
            if heading:
                self._deck.heading(self._plain(start, end), heading.level)
            else:
                self._block(start, end)

    def _block(self, start: int, end: int) -> None:
        """Put what is marked on slides; what is not becomes a note of the first of them."""
        pieces = [piece for piece in self._pieces if start <= piece.start < end]
        if pieces and pieces[0].mark.name == "[**":
            self._deck.begin()
        if self._says_more(start, end, pieces):
            self._deck.note(self._plain(start, end))
        before: _Piece | None = None
        for piece in pieces:
            if before and piece.mark.name == "[**":
                self._deck.begin()
                before = None
            if words := self._words(piece):
                self._deck.words(words, goes_on=before is not None and self._goes_on(before, piece))
                before = piece

    def _goes_on(self, before: _Piece, piece: _Piece) -> bool:
        """Whether two pieces are of one paragraph, so that they may be read as one sentence."""
        between = self._prose.text[before.end : piece.mark.inner[0] + 1]
        return not before.whole and not piece.whole and not _APART.search(between)

    def _says_more(self, start: int, end: int, pieces: Sequence[_Piece]) -> bool:
        rest, at = "", start
        for piece in pieces:
            rest += self._prose.text[at : piece.start] + " "
            at = max(at, piece.end)
        return re.search(r"\w", _SAYS_NOTHING.sub("", rest + self._prose.text[at:end])) is not None

    def _blocks(self) -> Iterator[_Stretch]:
        """Yield the stretches between which a slide may end: paragraphs, lists, things with their captions, marks."""
        prose = self._prose
        lines = {token.map[0] for token in _BLOCKS.parse(prose.text) if token.level == 0 and token.map}
        starts = {prose.line_starts[line] for line in lines if line < len(prose.line_starts)}
        held = [*self._things, *((piece.mark.start, piece.mark.end) for piece in self._pieces)]
        free = sorted({0} | {at for at in starts if not any(start < at < end for start, end in held)})
        yield from zip(free, [*free[1:], len(prose.text)], strict=True)

    def _marked(self) -> Iterator[_Piece]:
        last = 0
        for mark in self._prose.marks:
            if mark.kind is MarkKind.SLIDE and mark.start >= last:
                thing = next((one for one in self._things if one[0] <= mark.start and mark.end <= one[1]), None)
                start, end = thing or (mark.start, mark.end)
                # Two marks in one caption are one figure.
                last = end
                yield _Piece(mark, start, end, whole=thing is not None)

    def _words(self, piece: _Piece) -> str:
        """Return a piece as Markdown, with the sign of the list item that it begins and the label of its formula."""
        text = self._prose.text
        if piece.whole:
            return self._plain(piece.start, piece.end)
        start, end = piece.mark.inner
        label = next((one.label for one in self._prose.equations if start <= one.mark.start < end and one.label), None)
        after = f"\n{text[label.start : label.end]}" if label and label.start >= end else ""
        item = _ITEM.fullmatch(text, text.rfind("\n", 0, piece.mark.start) + 1, piece.mark.start)
        before = f"{item[1]} " if item else ""
        inner = _shown(text[start:end])
        shift = start + len(inner) - len(inner.lstrip()) - len(before)
        places = {at - shift: number for at, number in self._places.items() if start <= at < end}
        return plain_markdown(before + inner.strip() + after, self._context, places)

    def _plain(self, start: int, end: int) -> str:
        places = {at - start: number for at, number in self._places.items() if start <= at < end}
        return plain_markdown(self._prose.text[start:end], self._context, places)


def _shown(text: str) -> str:
    """Return the text of a mark so that what is for slides only, within it, is shown too; its length is the same."""
    marks = [one for one in parse_prose(text).marks if one.kind is MarkKind.SLIDE and one.name == "(~~"]
    for mark in marks:
        text = f"{text[: mark.start]}(**{text[slice(*mark.inner)]}**){text[mark.end :]}"
    return text


def _things(prose: Prose) -> Iterator[_Stretch]:
    """Yield figures, tables and formulas with what belongs to them."""
    yield from ((figure.image.start, figure.end) for figure in prose.figures)
    for table in prose.tables:
        places = [(table.start, table.end), *((one.start, one.end) for one in table.labels)]
        places += [table.caption_block] if table.caption_block else []
        yield min(start for start, _ in places), max(end for _, end in places)
    for equation in prose.equations:
        if equation.label:
            yield equation.mark.start, equation.label.end
