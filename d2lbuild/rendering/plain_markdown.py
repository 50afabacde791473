"""Dialect prose to the Markdown that Jupyter shows: marks become words, links and italics.

Numbers are those of the website, or, in a notebook that stands on its own, such as count within the section.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from d2lbuild.model import Book, Label, LabelKind, Section
from d2lbuild.rendering.locale import translated
from d2lbuild.source.links import find_link, is_remote, resolve_path
from d2lbuild.source.marks import Mark, MarkKind
from d2lbuild.source.prose import Figure, Heading, Prose, Table, parse_prose
from d2lbuild.source.works import Work

__all__ = ["PlainContext", "label_numbers", "plain_markdown"]

_WORDS = {
    LabelKind.SECTION: "Section %s",
    LabelKind.FIGURE: "Fig. %s",
    LabelKind.TABLE: "Table %s",
    LabelKind.EQUATION: "(%s)",
}
_COUNTED = frozenset({LabelKind.FIGURE, LabelKind.TABLE, LabelKind.EQUATION})
_OWN_NUMBERING = re.compile(r"\s*\\begin\{(align|alignat|equation|eqnarray|flalign|gather|multline)\*?\}")


@dataclass(frozen=True, slots=True)
class PlainContext:
    """What a notebook's prose must know of the rest of the book."""

    root: Path
    book: Book
    section: Section
    pages: frozenset[str]
    """Ids of the sections that have a notebook."""
    numbers: Mapping[str, str]
    """Of labels: those of the whole book (`numbering`), or of each section by itself (`label_numbers`)."""
    image: Callable[[Path], str]
    """Copies a file of the book, and gives its address for this notebook, quoted."""
    language: str = "en"
    """That of the book."""
    works: Mapping[str, Work] = field(default_factory=dict)
    """The bibliography; without it, citations show keys."""
    cited: Sequence[str] = ()
    """The works that the list shows, as Markdown."""
    suffix: str = ".ipynb"
    """What pages are written as, and so what links lead to."""


def label_numbers(book: Book) -> dict[str, str]:
    """Number the figures, tables and equations of each section that have a label."""
    numbers: dict[str, str] = {}
    for section in book.sections.values():
        counts: dict[LabelKind, int] = {}
        for label in section.labels:
            if label.kind in _COUNTED and label.name not in numbers:
                counts[label.kind] = counts.get(label.kind, 0) + 1
                numbers[label.name] = str(counts[label.kind])
    return numbers


def plain_markdown(text: str, context: PlainContext, places: Mapping[int, str] | None = None) -> str:
    """Return `text` without the marks of the dialect; `places` are the numbers of what begins at offsets in it."""
    writer = _Writer(parse_prose(text), context, places or {})
    return re.sub(r"\n{3,}", "\n\n", writer.all()).strip("\n")


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


class _Writer:
    """Replaces stretches of one text; those inside of a stretch that is replaced are its own business."""

    def __init__(self, prose: Prose, context: PlainContext, places: Mapping[int, str]) -> None:
        self._prose, self._context, self._places = prose, context, places
        marks = (self._of_mark(mark) for mark in prose.marks)
        self._inline = [edit for found in marks for edit in found]

    def all(self) -> str:
        """Return the whole text."""
        blocks = [self._figure(figure) for figure in self._prose.figures]
        blocks += [self._heading(heading) for heading in self._prose.headings if heading.start in self._places]
        for table in self._prose.tables:
            blocks.extend(self._table(table))
        for equation in self._prose.equations:
            mark, label = equation.mark, equation.label
            if label and not _OWN_NUMBERING.match(mark.value):
                number = self._context.numbers.get(label.value.strip(), "")
                formula = mark.value.rstrip()
                blocks.append(_Edit(mark.start, mark.end, f"$${formula} \\tag{{{number}}}$$"))
        return self._edited(0, len(self._prose.text), [*blocks, *self._inline])

    def _edited(self, start: int, end: int, edits: list[_Edit]) -> str:
        pieces, at = [], start
        for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
            if edit.start < at or edit.end > end:
                continue
            pieces += [self._prose.text[at : edit.start], edit.text]
            at = edit.end
        return "".join([*pieces, self._prose.text[at:end]])

    def _words(self, stretch: tuple[int, int]) -> str:
        """Return a caption or a title, on one line."""
        return " ".join(self._edited(*stretch, self._inline).split())

    # --- blocks ---

    def _heading(self, heading: Heading) -> _Edit:
        """Return the number, put between the title and what stands before it: a mark may begin the title."""
        at = heading.text[0]
        before = self._prose.text[max(at - 1, 0) : at]
        return _Edit(at - len(before), at, f"{before}{self._places[heading.start]} ")

    def _figure(self, figure: Figure) -> _Edit:
        image = figure.image
        caption = self._words(image.inner)
        address = self._address(image.value)
        picture = f"![{_alternative(caption)}]({address})"
        if figure.width and figure.width[-1:] != "%":
            alternative = _alternative(caption).replace('"', "&quot;")
            picture = f'<img src="{address}" alt="{alternative}" width="{figure.width}">'
        number = self._number_at(image.start, figure.labels)
        lines = [picture, *self._caption(caption, number, LabelKind.FIGURE)]
        return _Edit(image.start, figure.end, "\n\n".join(lines))

    def _table(self, table: Table) -> Iterator[_Edit]:
        yield from (_Edit(label.start, label.end, "") for label in table.labels)
        if table.caption and table.caption_block:
            caption = self._words(table.caption)
            lines = self._caption(caption, self._number_at(table.start, table.labels), LabelKind.TABLE)
            yield _Edit(*table.caption_block, "\n\n".join(lines))

    def _number_at(self, start: int, labels: Sequence[Mark]) -> str:
        return self._places.get(start) or next((self._context.numbers.get(one.value.strip(), "") for one in labels), "")

    def _caption(self, caption: str, number: str, kind: LabelKind) -> list[str]:
        head = f"**{self._number(kind, number)}** " if number else ""
        # Italics around a whole caption must not meet the asterisks inside of it.
        body = f"*{caption}*" if caption and "*" not in caption else caption
        return [head + body] if head or body else []

    # --- inline ---

    def _of_mark(self, mark: Mark) -> Iterator[_Edit]:
        if mark.kind is MarkKind.SLIDE:
            if mark.name == "(~~":
                yield _Edit(mark.start, mark.end, "")
            else:
                yield _Edit(mark.start, mark.inner[0], "")
                yield _Edit(mark.inner[1], mark.end, "")
        elif mark.kind is MarkKind.ROLE:
            yield _Edit(mark.start, mark.end, self._role(mark))
        elif mark.kind is MarkKind.IMAGE:
            yield _Edit(mark.inner[1], mark.end, f"]({self._address(mark.value)})")
        elif mark.kind is MarkKind.LINK:
            address = self._link(mark.value)
            if address is None:
                yield _Edit(mark.start, mark.inner[0], "")
            yield _Edit(mark.inner[1], mark.end, "" if address is None else f"]({address})")

    def _role(self, mark: Mark) -> str:
        value = " ".join(mark.value.split())
        if mark.name in {"numref", "ref", "eqref"}:
            return self._reference(mark.name, value)
        if mark.name in {"cite", "citep", "citet"}:
            return self._citation(mark.name, [key.strip() for key in value.split(",") if key.strip()])
        if mark.name == "bibliography":
            return "\n".join(f"* {work}" for work in self._context.cited)
        if mark.name in {"class", "func", "mod"}:
            return f"`{value.removeprefix('~')}`"
        return ""

    def _citation(self, role: str, keys: Sequence[str]) -> str:
        """Return the people and years of works, with links to the list of works; keys where they are not known."""
        works = [(key, self._context.works.get(key)) for key in keys]
        if not all(work and work.people for _, work in works):
            return f"({','.join(keys)})"
        two, many = (translated(self._context.language, words) for words in (" and ", " et al."))
        found = [(work.who(two, many), work.year) for _, work in works if work]
        if role == "citet":
            return ", ".join(self._to_works(f"{who} ({year})" if year else who) for who, year in found)
        return f"({'; '.join(self._to_works(', '.join(filter(None, pair))) for pair in found)})"

    def _to_works(self, words: str) -> str:
        sections = self._context.book.sections.values()
        lists = (one.id for one in sections if one.bibliographies and one.id in self._context.pages)
        target = next(lists, "")
        return f"[{words}]({self._page(target)})" if target and target != self._context.section.id else words

    def _reference(self, role: str, name: str) -> str:
        label = self._context.book.labels.get(name)
        if label is None:
            return f"\\[{name}?\\]"
        title = self._title(label, named=role == "ref")
        section = self._section_of(label)
        if section == self._context.section.id and label.kind in _COUNTED:
            return title
        return f"[{title}]({self._page(section)})" if section in self._context.pages else f"*{title}*"

    def _title(self, label: Label, *, named: bool) -> str:
        """Return how a label is referred to: by its number, if it has one and is not to be `named`."""
        number = self._context.numbers.get(label.name, "")
        if label.kind in _WORDS and number and not (named and label.kind is LabelKind.SECTION):
            return self._number(label.kind, number)
        title = label.text or label.name
        return " ".join(_Writer(parse_prose(title), self._context, {}).all().split())

    def _number(self, kind: LabelKind, number: str) -> str:
        return translated(self._context.language, _WORDS[kind]) % number

    def _section_of(self, label: Label) -> str:
        sections = self._context.book.sections.values()
        return next((section.id for section in sections if section.path == label.span.path), "")

    def _page(self, section: str) -> str:
        folder = posixpath.dirname(self._context.section.id)
        return quote(posixpath.relpath(f"{section}{self._context.suffix}", folder or "."))

    def _link(self, target: str) -> str | None:
        """Return the address that a link leads to; None for a section that has no page here."""
        if is_remote(target) or not target:
            return target
        link = find_link(target, self._context.section, self._context.book.sections, self._context.root)
        fragment = f"#{quote(link.fragment)}" if link.fragment else ""
        if link.section == self._context.section.id and fragment:
            return fragment
        if link.section:
            return self._page(link.section) + fragment if link.section in self._context.pages else None
        return self._address(target)

    def _address(self, target: str) -> str:
        if is_remote(target):
            return target
        file = resolve_path(self._context.root, self._context.section.path, target)
        if file is None or not file.is_file():
            return PurePosixPath(target).name
        return self._context.image(file)


def _alternative(caption: str) -> str:
    return re.sub(r"[\[\]*`$]|\]\([^)]*\)", "", re.sub(r"\]\([^)]*\)", "]", caption))
