"""Answers in the words of the protocol, whose columns count UTF-16 units, or what the editor prefers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lsprotocol import types
from pygls import uris
from pygls.workspace import PositionCodec

from d2lbuild.language_server import answers
from d2lbuild.language_server.places import Kind, Place, place_at, typed_at
from d2lbuild.language_server.snapshot import Snapshot
from d2lbuild.model import Finding, Section, Severity, Span

__all__ = [
    "Question",
    "completion",
    "definition",
    "diagnostic",
    "folding",
    "hover",
    "renaming",
    "uses",
    "what_is_renamed",
]

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_KINDS = {
    Kind.LABEL: types.CompletionItemKind.Reference,
    Kind.WORK: types.CompletionItemKind.Text,
    Kind.SAVED: types.CompletionItemKind.Function,
    Kind.FRAMEWORK: types.CompletionItemKind.EnumMember,
    Kind.FILE: types.CompletionItemKind.File,
    Kind.ENTRY: types.CompletionItemKind.Module,
    Kind.ROLE: types.CompletionItemKind.Keyword,
}
_UNDERLINED = re.compile(r":\w+:(`{1,2})[^`]*\1?|!?\[[^\]]*\]\([^)]*\)|[\w.]+|\S")


@dataclass(frozen=True, slots=True)
class Question:
    """A place in a section that an editor asks about."""

    snapshot: Snapshot
    section: Section
    lines: Sequence[str]
    codec: PositionCodec
    position: types.Position
    """In characters."""

    @classmethod
    def about(
        cls, snapshot: Snapshot, section: Section, codec: PositionCodec, position: types.Position | None
    ) -> "Question":
        """Return the question about a position as the editor counts it."""
        lines = snapshot.lines(section)
        known = codec.position_from_client_units(lines, position or types.Position(0, 0))
        return cls(snapshot, section, lines, codec, types.Position(known.line, known.character))

    @property
    def place(self) -> Place | None:
        """The name that stands there."""
        return place_at(self.section, self.position.line, self._text, self.position.character, self._package)

    @property
    def typed(self) -> Place | None:
        """The name that is being typed there."""
        return typed_at(self.section, self.position.line, self._text, self.position.character, self._package)

    @property
    def _text(self) -> str:
        return self.lines[self.position.line] if self.position.line < len(self.lines) else ""

    @property
    def _package(self) -> str:
        return self.snapshot.config.library.package

    def range(self, place: Place) -> types.Range:
        """Return where a name of this section stands, as the editor counts."""
        return _range(place.line, place.start, place.end, self.lines, self.codec)

    def uri(self, path: PurePosixPath) -> str:
        """Return the address of a file of the book."""
        return uris.from_fs_path(str(self.snapshot.file(path))) or ""


def _range(line: int, start: int, end: int, lines: Sequence[str], codec: PositionCodec) -> types.Range:
    return codec.range_to_client_units(lines, types.Range(types.Position(line, start), types.Position(line, end)))


def diagnostic(finding: Finding, span: Span, lines: Sequence[str], codec: PositionCodec) -> types.Diagnostic:
    """Return a finding; the mark or word at its column is underlined, or else the whole line."""
    line = min(max(span.first, 1), max(len(lines), 1)) - 1
    text = lines[line] if line < len(lines) else ""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if span.column:
        start = min(span.column - 1, len(text))
        mark = _UNDERLINED.match(text, start)
        end = mark.end() if mark else len(text)
    return types.Diagnostic(
        _range(line, start, end, lines, codec),
        f"{finding.message}\n{finding.hint}" if finding.hint else finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.rule,
        source="d2lbuild",
    )


def completion(asked: Question) -> types.CompletionList | None:
    """Return what the name that is being typed may become."""
    if (typed := asked.typed) is None:
        return None
    where = asked.range(typed)
    items = [
        types.CompletionItem(
            one.text,
            kind=_KINDS[one.kind],
            detail=one.detail or None,
            sort_text=f"{number:05}",
            filter_text=one.text,
            text_edit=types.TextEdit(where, one.text),
        )
        for number, one in enumerate(answers.choices(asked.snapshot, asked.section, typed))
    ]
    return types.CompletionList(is_incomplete=typed.kind is Kind.FILE, items=items)


def hover(asked: Question) -> types.Hover | None:
    """Return what is known of a name."""
    place = asked.place
    words = answers.explanation(asked.snapshot, asked.section, place) if place else ""
    if not place or not words:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, words), asked.range(place))


def definition(asked: Question) -> list[types.Location]:
    """Return where a name comes from."""
    place = asked.place
    found = answers.definitions(asked.snapshot, asked.section, place) if place else []
    starts = [types.Position(span.first - 1, max(span.column - 1, 0)) for span in found]
    return [
        types.Location(asked.uri(span.path), types.Range(start, start))
        for span, start in zip(found, starts, strict=True)
    ]


def uses(asked: Question, *, labels: bool) -> list[types.Location]:
    """Return where a label is referred to, on request also where it is defined."""
    found = answers.uses_of_label(asked.snapshot, answers.label_at(asked.snapshot, asked.place))
    return [
        types.Location(asked.uri(section.path), there.range(place))
        for section, places in found
        for there in [Question.about(asked.snapshot, section, asked.codec, None)]
        for place in places
        if labels or not place.role.endswith("label")
    ]


def folding(asked: Question) -> list[types.FoldingRange]:
    """Return what can be folded."""
    kind = types.FoldingRangeKind.Region
    return [
        types.FoldingRange(one.first, one.last, kind=kind, collapsed_text=one.words)
        for one in answers.folds(asked.section)
    ]


def what_is_renamed(asked: Question) -> types.PrepareRenamePlaceholder | None:
    """Return the label at a place, which is all that can be renamed."""
    place = asked.place
    if place is None or not answers.label_at(asked.snapshot, place):
        return None
    return types.PrepareRenamePlaceholder(asked.range(place), place.name)


def renaming(asked: Question, name: str) -> types.WorkspaceEdit | None:
    """Return what gives a label another name through the book; ValueError for one that it cannot have."""
    label = answers.label_at(asked.snapshot, asked.place)
    if not label:
        return None
    answers.check_new_label(asked.snapshot, label, name)
    changes: dict[str, list[types.TextEdit]] = {}
    for section, places in answers.uses_of_label(asked.snapshot, label):
        there = Question.about(asked.snapshot, section, asked.codec, None)
        changes[asked.uri(section.path)] = [types.TextEdit(there.range(one), name) for one in places]
    return types.WorkspaceEdit(changes=changes)
