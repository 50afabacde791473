"""What the prose of a section names and refers to: title, labels, references, images."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import accumulate

from d2lbuild.model import (
    Block,
    BlockKind,
    Finding,
    Frameworks,
    Image,
    Label,
    LabelKind,
    Reference,
    Section,
    Severity,
    Span,
)
from d2lbuild.source.ignores import without_comment
from d2lbuild.source.links import unique_key
from d2lbuild.source.marks import REFERENCE_ROLES, ROLES, Mark, MarkKind
from d2lbuild.source.prose import Prose, parse_prose, plain_words, split_lines

__all__ = ["prose_groups", "read_labels", "read_section"]

_WORTH_READING = re.compile(r":`|\]\(|\$\$|^[ \t]*(?:#|[=-]+[ \t]*$)", re.MULTILINE)


def read_section(section: Section) -> Section:
    """Return a section that was cut into blocks with its prose read: everything but `blocks` and `contents`."""
    return _Reader(section).read()


def read_labels(section: Section) -> Section:
    """Return a section that was cut into blocks with only what `:label:` names read: most prose is not parsed."""
    reader = _Reader(section)
    reader.read_blocks(lambda text: ":label:`" in text)
    return replace(section, labels=tuple(reader.labels))


class _Reader:
    """Reads the prose of a section's blocks: title, labels, references, images."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.labels: list[Label] = []
        self.references: list[Reference] = []
        self.images: list[Image] = []
        self.anchors: list[str] = []
        self.bibliographies: list[Reference] = []
        self.findings = list(section.findings)
        self.title = ""

    def read(self) -> Section:
        self.read_blocks(lambda text: not self.title or _WORTH_READING.search(text) is not None)
        if not self.title and any(block.text.strip() for block in self.section.blocks):
            self._find(
                "no-title",
                "the section has no heading",
                0,
                severity=Severity.WARNING,
                hint="begin with a line `# Title`",
            )
        self.findings.sort(key=lambda finding: finding.span.first if finding.span else 0)
        return replace(
            self.section,
            title=self.title,
            labels=tuple(self.labels),
            references=tuple(self.references),
            images=tuple(self.images),
            anchors=tuple(self.anchors),
            bibliographies=tuple(self.bibliographies),
            findings=tuple(self.findings),
        )

    def read_blocks(self, wanted: Callable[[str], bool]) -> None:
        for blocks, text, line in prose_groups(self.section.blocks):
            if wanted(text):
                self._prose(blocks, parse_prose(text), line)

    def _prose(self, blocks: Sequence[Block], prose: Prose, line: int) -> None:
        def span(offset: int) -> Span:
            return self._span(line + prose.line(offset), prose.column(offset))

        def frameworks(offset: int) -> Frameworks:
            ends = accumulate(len(block.text) for block in blocks)
            return next((block.frameworks for block, end in zip(blocks, ends, strict=True) if offset < end), None)

        named: dict[int, tuple[LabelKind, str]] = dict(_named(prose))
        for heading in prose.headings:
            text = without_comment(prose.text[slice(*heading.text)])
            if heading.level == 1 and not self.title:
                self.title = text
            if frameworks(heading.start) is None:
                self.anchors.append(unique_key(without_comment(plain_words(prose, *heading.text)), self.anchors))
        for mark in prose.marks:
            if mark.kind is MarkKind.ROLE:
                self._role(mark, span(mark.start), frameworks(mark.start), named)
            elif mark.kind is MarkKind.IMAGE:
                caption = prose.text[slice(*mark.inner)]
                self.images.append(Image(mark.value, caption, span(mark.start), frameworks(mark.start)))
            elif mark.kind is MarkKind.LINK:
                self.references.append(Reference("link", mark.value, span(mark.start), frameworks(mark.start)))

    def _role(self, mark: Mark, span: Span, frameworks: Frameworks, named: dict[int, tuple[LabelKind, str]]) -> None:
        value = " ".join(mark.value.split())
        if mark.name in {"label", "eqlabel"}:
            kind, text = named.get(mark.start, (LabelKind.OTHER, ""))
            self.labels.append(Label(value, kind, span, frameworks, text))
            if kind is LabelKind.OTHER:
                what = "an equation" if mark.name == "eqlabel" else "a heading, an image or a table"
                self._add("loose-label", f"the label '{value}' does not follow {what}", span, Severity.WARNING)
        elif mark.name in REFERENCE_ROLES:
            targets = [part.strip() for part in value.split(",")] if mark.name.startswith("cite") else [value]
            self.references += [Reference(mark.name, target, span, frameworks) for target in targets if target]
        elif mark.name == "bibliography":
            self.bibliographies.append(Reference("bibliography", value, span, frameworks))
        elif mark.name in {"begin_tab", "end_tab"}:
            self._add("misplaced-tab", f"`:{mark.name}:` must stand on a line of its own", span, Severity.ERROR)
        elif mark.name not in ROLES:
            near = get_close_matches(mark.name, sorted(ROLES), n=1)
            self._add(
                "unknown-mark",
                f"unknown mark `:{mark.name}:`",
                span,
                Severity.WARNING,
                f"did you mean `:{near[0]}:`?" if near else "",
            )

    def _add(self, rule: str, message: str, span: Span, severity: Severity, hint: str = "") -> None:
        self.findings.append(Finding(rule, message, span, severity, hint))

    def _find(self, rule: str, message: str, at: int, *, severity: Severity, hint: str) -> None:
        self._add(rule, message, self._span(at), severity, hint)

    def _span(self, line: int, column: int = 0) -> Span:
        """Return the span of a line of the text, counted from 0."""
        lines = self.section.lines
        number = lines[min(line, len(lines) - 1)] if lines else line + 1
        return Span(self.section.path, number, number, column)


def prose_groups(blocks: Sequence[Block]) -> Iterator[tuple[Sequence[Block], str, int]]:
    """Yield the blocks whose prose is to be read together, the text, and its first line, counted from 0."""
    line = 0
    for group in _with_lists(blocks):
        if any(block.kind is BlockKind.PROSE for block in group):
            yield group, "".join(_as_prose(block) for block in group), line
        line += sum(_count_lines(block.text) for block in group)


def _count_lines(text: str) -> int:
    if "\r" in text:
        return len(split_lines(text))
    return text.count("\n") + bool(text and not text.endswith("\n"))


def _with_lists(blocks: Sequence[Block]) -> Iterator[Sequence[Block]]:
    """Yield the blocks, those together that a list may hold: what is indented, and the prose before and after it."""
    group: list[Block] = []
    marks: list[Block] = []
    goes_on = False
    for block in blocks:
        if block.kind is BlockKind.MARK:
            marks.append(block)
            continue
        if group and not (goes_on or _is_indented(block)):
            yield group
            yield marks
            group = [block]
        else:
            group += [*marks, block]
        goes_on, marks = _is_indented(block), []
    yield group
    yield marks


def _is_indented(block: Block) -> bool:
    if block.kind is BlockKind.PROSE and block.frameworks is not None:
        return block.text.lstrip("\r\n").startswith(" ")
    return block.indent > 0


def _as_prose(block: Block) -> str:
    """Return a block's text for a reader of prose; marks between blocks are none of its."""
    return re.sub(r"[^\r\n]", " ", block.text) if block.kind is BlockKind.MARK else block.text


def _named(prose: Prose) -> Iterator[tuple[int, tuple[LabelKind, str]]]:
    """Yield what each label, known by its offset, names, with the title or caption."""
    for heading in prose.headings:
        yield from (
            (mark.start, (LabelKind.SECTION, without_comment(prose.text[slice(*heading.text)])))
            for mark in heading.labels
        )
    for figure in prose.figures:
        caption = prose.text[slice(*figure.image.inner)]
        yield from ((mark.start, (LabelKind.FIGURE, caption)) for mark in figure.labels)
    for table in prose.tables:
        caption = prose.text[slice(*table.caption)] if table.caption else ""
        yield from ((mark.start, (LabelKind.TABLE, caption)) for mark in table.labels)
    for equation in prose.equations:
        if equation.label:
            yield equation.label.start, (LabelKind.EQUATION, "")
