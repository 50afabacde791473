"""The numbers of sections, figures, tables and equations, without Sphinx: those of the website.

Notebooks and other texts that stand alone say "Section 3.1" too. The rules are Sphinx's: sections are counted in the
order of the contents, a thing with a caption within its section of the second level. Things that frameworks have in
place of each other share a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from d2lbuild.model import Book, CellKind, LabelKind
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.source.links import is_remote, resolve_path
from d2lbuild.source.marks import Mark, MarkKind
from d2lbuild.source.prose import Equation, Figure, Heading, Prose, Table, parse_prose

__all__ = ["Numbers", "number_pages"]

_DEPTH = 2
"""So many parts of a section's number stand before that of a figure."""
_Number = tuple[int, ...]
_Thing = Heading | Figure | Table | Equation


@dataclass(slots=True)
class Numbers:
    """What has which number, such as ``3.1.2``; what has none is missing."""

    labels: dict[str, str] = field(default_factory=dict)
    places: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)
    """By section and cell, and by the offset in the cell's text at which a heading, an image, a table or a formula
    begins."""
    pages: dict[str, str] = field(default_factory=dict)
    """By section, that of its first heading."""


def number_pages(pages: Sequence[Page], book: Book, root: Path) -> Numbers:
    """Number everything on the pages of an edition; `root` is the book's folder."""
    counting = _Counting({page.section.id: page for page in pages}, book, root)
    counting.page(book.root, None, ())
    return counting.numbers


@dataclass(slots=True)
class _Counter:
    """Counts the sections below another, or those of the book."""

    above: _Number = ()
    count: int = 0

    def next(self) -> _Number:
        self.count += 1
        return (*self.above, self.count)


@dataclass(slots=True)
class _Open:
    """A section that what follows belongs to."""

    level: int
    below: _Counter | None
    """None if the page has no numbers."""


@dataclass(slots=True)
class _Counting:
    pages: Mapping[str, Page]
    book: Book
    root: Path
    numbers: Numbers = field(default_factory=Numbers)
    _counts: dict[tuple[LabelKind, _Number], int] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def page(self, name: str, chapters: _Counter | None, above: _Number) -> None:
        """Number a page and what its contents lead to; `chapters` counts it, the section `above` lists it."""
        page = self.pages.get(name)
        if page is None or name in self._done:
            return
        self._done.add(name)
        opened: list[_Open] = []
        own = _Counter()
        versions: dict[str, str] = {}
        for cell in page.cells:
            here = opened[-1].below if opened else chapters
            if cell.kind is CellKind.CONTENTS:
                self._contents(page, cell, own, here, above)
            elif cell.kind is CellKind.PROSE:
                prose = parse_prose(cell.source)
                found = self.numbers.places.setdefault((name, cell.id), {})
                for start, thing in sorted(_things(prose), key=lambda pair: pair[0]):
                    if isinstance(thing, Heading):
                        if cell.everywhere:  # in a tab it opens no section
                            number = self._heading(thing, opened, chapters)
                            self._note(found, start, number, thing.labels)
                            self.numbers.pages.setdefault(name, found.get(start, ""))
                    elif (kind := self._kind(thing, prose, page)) is not None:
                        section = opened[-1].below.above if opened and opened[-1].below else above
                        self._thing(found, start, kind, section, versions, thing, cell)

    def _contents(self, page: Page, cell: PageCell, own: _Counter, here: _Counter | None, above: _Number) -> None:
        for tree in page.section.contents:
            if cell.span.first <= tree.span.first <= cell.span.last:
                counter = here or (own if tree.numbered else None)
                for entry in tree.entries:
                    self.page(entry.section, counter, here.above if here else above)

    def _heading(self, heading: Heading, opened: list[_Open], chapters: _Counter | None) -> _Number:
        opened[:] = takewhile(lambda one: one.level < heading.level, list(opened))
        counter = opened[-1].below if opened else chapters
        number = counter.next() if counter else ()
        opened.append(_Open(heading.level, _Counter(number) if number else None))
        return number

    def _kind(self, thing: Figure | Table | Equation, prose: Prose, page: Page) -> LabelKind | None:
        """Return what a thing counts as; None if it has no number."""
        labels = [label for label in _labels(thing) if self._names(label, page)]
        if isinstance(thing, Equation):
            return LabelKind.EQUATION if labels else None
        if isinstance(thing, Table):
            return LabelKind.TABLE if thing.caption is not None else None
        if not prose.text[slice(*thing.image.inner)].strip():
            return None
        address = thing.image.value
        file = None if is_remote(address) else resolve_path(self.root, page.section.path, address)
        return LabelKind.FIGURE if labels or (file is not None and file.is_file()) else None

    def _names(self, label: Mark, page: Page) -> bool:
        """Whether a label is the one of its name that references lead to."""
        first = self.book.labels.get(" ".join(label.value.split()))
        return first is None or first.span.path == page.section.path

    def _thing(  # noqa: PLR0917 - the state of one page
        self,
        found: dict[int, str],
        start: int,
        kind: LabelKind,
        section: _Number,
        versions: dict[str, str],
        thing: Figure | Table | Equation,
        cell: PageCell,
    ) -> None:
        name = next((" ".join(label.value.split()) for label in _labels(thing)), "")
        if name in versions and not cell.everywhere:
            found[start] = versions[name]
            return
        scope = section[:_DEPTH]
        count = self._counts[kind, scope] = self._counts.get((kind, scope), 0) + 1
        self._note(found, start, (*scope, count), _labels(thing))
        if name and not cell.everywhere:
            versions[name] = found[start]

    def _note(self, found: dict[int, str], start: int, number: _Number, labels: Sequence[Mark]) -> None:
        if number:
            found[start] = ".".join(map(str, number))
            for label in labels:
                self.numbers.labels.setdefault(" ".join(label.value.split()), found[start])


def _labels(thing: Figure | Table | Equation) -> Sequence[Mark]:
    if isinstance(thing, Equation):
        return (thing.label,) if thing.label else ()
    return thing.labels


def _things(prose: Prose) -> Iterator[tuple[int, _Thing]]:
    yield from ((heading.start, heading) for heading in prose.headings)
    yield from ((figure.image.start, figure) for figure in prose.figures)
    yield from ((table.start, table) for table in prose.tables)
    removed = [mark for mark in prose.marks if mark.kind is MarkKind.SLIDE and mark.name == "(~~"]
    for equation in prose.equations:
        if not any(mark.start <= equation.mark.start < mark.end for mark in removed):
            yield equation.mark.start, equation
