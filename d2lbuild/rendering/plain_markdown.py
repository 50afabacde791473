"""Dialect prose to the Markdown that Jupyter shows: marks become words, links and italics.

Figures, tables and equations are numbered within their section, since a notebook stands on its own.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from d2lbuild.model import Book, Label, LabelKind, Section
from d2lbuild.rendering.locale import translated
from d2lbuild.source.links import find_link, is_remote, resolve_path
from d2lbuild.source.prose import Figure, Mark, MarkKind, Prose, Table, parse_prose

__all__ = ["PlainContext", "label_numbers", "plain_markdown"]

_WORDS = {LabelKind.FIGURE: "Fig. %s", LabelKind.TABLE: "Table %s", LabelKind.EQUATION: "(%s)"}
_OWN_NUMBERING = re.compile(r"\s*\\begin\{(align|alignat|equation|eqnarray|flalign|gather|multline)\*?\}")


@dataclass(frozen=True, slots=True)
class PlainContext:
    """What a notebook's prose must know of the rest of the book."""

    root: Path
    book: Book
    section: Section
    pages: frozenset[str]
    """Ids of the sections that have a notebook."""
    numbers: Mapping[str, int]
    """Of labels, see `label_numbers`."""
    image: Callable[[Path], str]
    """Copies a file of the book, and gives its address for this notebook, quoted."""
    language: str = "en"
    """That of the book."""


def label_numbers(book: Book) -> dict[str, int]:
    """Number the figures, tables and equations of each section that have a label."""
    numbers: dict[str, int] = {}
    for section in book.sections.values():
        counts: dict[LabelKind, int] = {}
        for label in section.labels:
            if label.kind in _WORDS and label.name not in numbers:
                counts[label.kind] = counts.get(label.kind, 0) + 1
                numbers[label.name] = counts[label.kind]
    return numbers


def plain_markdown(text: str, context: PlainContext) -> str:
    """Return `text` without the marks of the dialect."""
    writer = _Writer(parse_prose(text), context)
    return re.sub(r"\n{3,}", "\n\n", writer.all()).strip("\n")


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


class _Writer:
    """Replaces stretches of one text; those inside of a stretch that is replaced are its own business."""

    def __init__(self, prose: Prose, context: PlainContext) -> None:
        self._prose, self._context = prose, context
        marks = (self._of_mark(mark) for mark in prose.marks)
        self._inline = [edit for found in marks for edit in found]

    def all(self) -> str:
        """Return the whole text."""
        blocks = [self._figure(figure) for figure in self._prose.figures]
        for table in self._prose.tables:
            blocks.extend(self._table(table))
        for equation in self._prose.equations:
            mark, label = equation.mark, equation.label
            if label and not _OWN_NUMBERING.match(mark.value):
                number = self._context.numbers.get(label.value.strip(), 0)
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

    def _figure(self, figure: Figure) -> _Edit:
        image = figure.image
        caption = self._words(image.inner)
        address = self._address(image.value)
        picture = f"![{_alternative(caption)}]({address})"
        if figure.width and figure.width[-1:] != "%":
            alternative = _alternative(caption).replace('"', "&quot;")
            picture = f'<img src="{address}" alt="{alternative}" width="{figure.width}">'
        lines = [picture, *self._caption(caption, [label.value for label in figure.labels], LabelKind.FIGURE)]
        return _Edit(image.start, figure.end, "\n\n".join(lines))

    def _table(self, table: Table) -> Iterator[_Edit]:
        yield from (_Edit(label.start, label.end, "") for label in table.labels)
        if table.caption and table.caption_block:
            caption = self._words(table.caption)
            lines = self._caption(caption, [label.value for label in table.labels], LabelKind.TABLE)
            yield _Edit(*table.caption_block, "\n\n".join(lines))

    def _caption(self, caption: str, labels: list[str], kind: LabelKind) -> list[str]:
        number = self._context.numbers.get(labels[0]) if labels else None
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
            yield _Edit(mark.inner[1], mark.end, f"]({self._link(mark.value)})")

    def _role(self, mark: Mark) -> str:
        value = " ".join(mark.value.split())
        if mark.name in {"numref", "ref", "eqref"}:
            return self._reference(value)
        if mark.name in {"cite", "citep", "citet"}:
            return f"({value})"
        if mark.name in {"class", "func", "mod"}:
            return f"`{value.removeprefix('~')}`"
        return ""

    def _reference(self, name: str) -> str:
        label = self._context.book.labels.get(name)
        if label is None:
            return f"\\[{name}?\\]"
        title = self._title(label)
        section = self._section_of(label)
        if section == self._context.section.id and label.kind in _WORDS:
            return title
        return f"[{title}]({self._notebook(section)})" if section in self._context.pages else f"*{title}*"

    def _title(self, label: Label) -> str:
        if label.kind in _WORDS:
            return self._number(label.kind, self._context.numbers.get(label.name, 0))
        title = label.text or label.name
        return " ".join(_Writer(parse_prose(title), self._context).all().split())

    def _number(self, kind: LabelKind, number: int) -> str:
        return translated(self._context.language, _WORDS[kind]) % number

    def _section_of(self, label: Label) -> str:
        sections = self._context.book.sections.values()
        return next((section.id for section in sections if section.path == label.span.path), "")

    def _notebook(self, section: str) -> str:
        folder = posixpath.dirname(self._context.section.id)
        return quote(posixpath.relpath(f"{section}.ipynb", folder or "."))

    def _link(self, target: str) -> str:
        if is_remote(target) or not target:
            return target
        link = find_link(target, self._context.section, self._context.book.sections, self._context.root)
        fragment = f"#{quote(link.fragment)}" if link.fragment else ""
        if link.section == self._context.section.id and fragment:
            return fragment
        return self._notebook(link.section) + fragment if link.section in self._context.pages else self._address(target)

    def _address(self, target: str) -> str:
        if is_remote(target):
            return target
        file = resolve_path(self._context.root, self._context.section.path, target)
        if file is None or not file.is_file():
            return PurePosixPath(target).name
        return self._context.image(file)


def _alternative(caption: str) -> str:
    return re.sub(r"[\[\]*`$]|\]\([^)]*\)", "", re.sub(r"\]\([^)]*\)", "]", caption))
