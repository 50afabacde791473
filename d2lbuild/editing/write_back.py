"""What was changed in one framework's notebook, written into the text of its section.

Only lines that an edited cell shows change. What other frameworks see stays as it is, except where a cell that they
share was edited; a cell that is deleted, moved or added is so for this framework alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from d2lbuild.editing.code_text import longer_fence, marked, ordered_names, renamed
from d2lbuild.editing.layout import Layout, Piece, Region, is_blank, lay_out, without_blank_ends
from d2lbuild.editing.line_edits import BEFORE, Chunk, LineEdits, rewritten
from d2lbuild.editing.matching import Match, matched
from d2lbuild.editing.new_cells import NewCells
from d2lbuild.editing.notebook import KEY, Json, cells_of, lines_of, source_of
from d2lbuild.editing.reading_back import check_reads_back
from d2lbuild.model import BlockKind, Frameworks
from d2lbuild.source.cells import FrameworkNames

__all__ = ["Written", "write_back"]


@dataclass(frozen=True, slots=True)
class Written:
    """A section as it is after an edit."""

    text: str
    notebook: Json
    """The cells as they are now in the notebook, each with the lines of `text` that it shows."""
    notes: tuple[str, ...] = ()
    """What the edit did that its author may not expect, a sentence each."""


def write_back(
    text: str, before: Mapping[str, Any], after: Mapping[str, Any], framework: str, names: FrameworkNames
) -> Written:
    """Return the text of a section with what was changed in the notebook of `framework`.

    `before` is a notebook that was made from `text`, or that `write_back` returned with it, and `after` what Jupyter
    has saved since. Raises BookError, and changes nothing, if the result would not read back as it was written.
    """
    writer = _Writer(text, before, after, framework, names)
    writer.write()
    if not writer.changed:
        return Written(text, writer.notebook(writer.unmoved()), tuple(writer.notes))
    made, numbers, placed = writer.edits.make()
    check_reads_back(
        made,
        text,
        writer.shared_edits().make()[0] if writer.edited else text,
        cells=writer.cells,
        framework=framework,
        names=names,
        unsure=writer.others,
    )
    return Written(made, writer.notebook(writer.moved(numbers, placed)), tuple(writer.notes))


@dataclass(slots=True)
class _Edit:
    """An edited cell: what comes in place of which lines."""

    first: int
    end: int
    lines: list[str]
    cell: int
    fence: tuple[int, int, str] | None = None
    """The lines of a fence that must be longer, and how long."""


@dataclass(slots=True)
class _Writer:
    text: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    framework: str
    names: FrameworkNames
    layout: Layout = field(init=False)
    edits: LineEdits = field(init=False)
    cells: list[Json] = field(init=False)
    """Those of `after` that say anything."""
    matches: list[Match | None] = field(init=False)
    edited: list[_Edit] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    """Frameworks that the author has named: they get, or lose, a cell."""
    notes: list[str] = field(default_factory=list)
    changed: bool = False

    def __post_init__(self) -> None:
        self.layout = lay_out(self.text, self.names)
        self.edits = LineEdits(self.layout.lines, self.layout.newline)
        self.cells = [one for one in cells_of(self.after) if self._says_something(one)]
        self.matches = matched(list(cells_of(self.before)), self.cells)

    def _says_something(self, cell: Json) -> bool:
        known = {one["id"] for one in cells_of(self.before) if one["cell_type"] == "code"}
        return bool(source_of(cell).strip()) or (cell["cell_type"] == "code" and cell.get("id") in known)

    # --- the cells, in order ---

    def write(self) -> None:
        """Collect all edits."""
        stay = {match.cell["id"] for match in self.matches if match and match.stays}
        for cell in cells_of(self.before):
            if cell["id"] not in stay:
                self._delete(self._piece(cell), lines_of(cell), moved=self._moves(cell))
        place = self._start()
        new = NewCells(self.layout, self.edits, self.framework, self.names)
        for number, (cell, match) in enumerate(zip(self.cells, self.matches, strict=True)):
            if match is None or not match.stays:
                origin = self._piece(match.cell) if match else self._origin(cell)
                frameworks = new.add(number, cell, place, origin, moved=match is not None)
                self.others |= self._named(frameworks) if match is None else set()
                self.changed = True
            else:
                if source_of(cell) != source_of(match.cell):
                    self._edit(number, cell, match.cell)
                place = self._after(match.cell)
        new.flush()
        for edit in self.edited:
            self._apply(edit, self.edits)
        self._remove_empty_regions()

    def _piece(self, cell: Json) -> Piece:
        return self.layout.piece_at(lines_of(cell)[0])

    def _moves(self, cell: Json) -> bool:
        return any(match and match.cell["id"] == cell["id"] for match in self.matches)

    def _origin(self, cell: Json) -> Piece | None:
        """Return what a new cell was split or copied from."""
        name = cell.get("metadata", {}).get(KEY, {}).get("cell")
        found = next((one for one in cells_of(self.before) if one["metadata"][KEY]["cell"] == name), None)
        return self._piece(found) if found else None

    def _named(self, frameworks: Frameworks) -> set[str]:
        return set(self.names.book if frameworks is None else frameworks) - {self.framework}

    def _start(self) -> tuple[int, Region | None]:
        """Return where a new first cell goes: to the beginning, but below a file's head."""
        stay = [self._piece(match.cell) for match in self.matches if match and match.stays]
        first = stay[0] if stay else None
        head = self.layout.pieces[:1]
        line = head[0].end if head and head[0].block.kind is BlockKind.MARK and head[0].block.text[:3] == "---" else 0
        return (first.first, first.region) if first and not head_only(self.layout, first) else (line, None)

    def _after(self, cell: Json) -> tuple[int, Region | None]:
        """Return the line below a cell, and the tab block that it stands in."""
        piece = self._piece(cell)
        end = lines_of(cell)[1]
        if piece.is_code or end >= piece.shown[1]:
            return piece.end, piece.region
        while end < piece.end and is_blank(self.layout.lines[end]):
            end += 1
        return end, piece.region

    # --- edits ---

    def _edit(self, number: int, cell: Json, old: Json) -> None:
        self.changed = True
        piece = self._piece(old)
        first, end = lines_of(old)
        raw = self.layout.lines[first:end]
        shown = piece.texts[first - piece.shown[0] : end - piece.shown[0]]
        lines = without_blank_ends(source_of(cell).split("\n"))
        fence = None
        if piece.is_code:
            lines = without_blank_ends(self._with_marks(lines, piece, old))
            fence = self._fence_for(piece, lines)
        made = rewritten(shown, raw, lines, newline=self.layout.newline, prefix=piece.prefix)
        self.edited.append(_Edit(first, end, made, number, fence))
        if list(raw) != made and ((who := piece.seen_by) is None or len(who) > 1):
            self._note_shared(first, who, piece)

    def _note_shared(self, line: int, who: Frameworks, piece: Piece) -> None:
        others = [one for one in self.names.book if one != self.framework and (who is None or one in who)]
        if others:
            kind = "code" if piece.is_code else "text"
            self.notes.append(f"line {line + 1}: this {kind} was changed for {', '.join(others)} as well")

    def _with_marks(self, lines: list[str], piece: Piece, old: Json) -> list[str]:
        """Give a cell the marks that it shall have: those of the file, unless the author has changed them."""
        assert piece.language is not None
        marks = piece.language.marks
        new = marked(lines, marks)
        in_file = marked(piece.texts, marks).tabs
        in_cell = marked(source_of(old).split("\n"), marks).tabs
        if new.tabs == in_cell:
            return new.with_tabs(in_file)
        if not new.tabs:
            self.notes.append(f"line {piece.first + 1}: the mark `{in_file[-1]}` was put back, since it was removed")
            return new.with_tabs(in_file)
        self.others |= set(self.names.book) - {self.framework}
        return lines

    def _fence_for(self, piece: Piece, lines: Sequence[str]) -> tuple[int, int, str] | None:
        assert piece.fence is not None
        longer = longer_fence(piece.fence.markup, lines)
        return (piece.first, piece.end - 1 if piece.fence.closed else piece.first, longer)

    def _apply(self, edit: _Edit, edits: LineEdits) -> None:
        edits.remove(edit.first, edit.end)
        edits.insert(edit.first, Chunk(edit.lines, cells=[(edit.cell, 0, len(edit.lines))]), BEFORE)
        if edit.fence:
            opening, closing, markup = edit.fence
            for line in {opening, closing}:
                old = self.layout.lines[line]
                self._replace(edits, line, _with_fence(old, markup))

    def _replace(self, edits: LineEdits, line: int, new: str) -> None:
        if new != self.layout.lines[line]:
            edits.remove(line, line + 1)
            edits.insert(line, Chunk([new]), BEFORE)

    def shared_edits(self) -> LineEdits:
        """Return the edits of cells alone, without what came, went or moved."""
        edits = LineEdits(self.layout.lines, self.layout.newline)
        for edit in self.edited:
            self._apply(edit, edits)
        return edits

    # --- deletions ---

    def _delete(self, piece: Piece, lines: tuple[int, int], *, moved: bool) -> None:
        if piece.block.kind is BlockKind.FURNITURE:
            self.notes.append(f"line {piece.first + 1}: this cell serves every framework, and stays in the file")
            return
        self.changed = True
        own = piece.seen_by is not None and piece.seen_by <= {self.framework}
        rest = frozenset[str]() if own else self._rest(piece)
        if not rest:
            self._remove_block(*((piece.first, piece.end) if piece.is_code else lines))
            return
        what = "moved" if moved else "deleted"
        self.notes.append(
            f"line {lines[0] + 1}: this cell was {what} for {self.framework} alone; {', '.join(sorted(rest))} keep it"
        )
        if piece.is_code:
            self._leave_code_to(rest, piece)
        else:
            self._leave_text_to(rest, piece.region, *lines)

    def _rest(self, piece: Piece) -> frozenset[str]:
        """Return the frameworks that keep a cell which this one loses."""
        known = piece.language.frameworks if piece.language else self.names.book
        everyone = frozenset(known) if piece.seen_by is None else piece.seen_by
        return everyone - {self.framework}

    def _remove_block(self, first: int, end: int) -> None:
        lines = self.layout.lines
        if first == 0 or is_blank(lines[first - 1]) or self.edits.removes(first - 1):
            while end < len(lines) and is_blank(lines[end]):
                end += 1
        while end == len(lines) and first > 0 and is_blank(lines[first - 1]):
            first -= 1  # a file does not end with blank lines
        self.edits.remove(first, end)

    def _leave_code_to(self, rest: frozenset[str], piece: Piece) -> None:
        assert piece.language is not None
        marks, wanted = piece.language.marks, ordered_names(rest, self.names)
        header = marked(piece.texts, marks)
        if not header.tabs:
            style = NewCells(self.layout, self.edits, self.framework, self.names).mark(rest, piece.language)
            self.edits.insert(piece.shown[0], Chunk([piece.prefix + style + self.layout.newline]), BEFORE)
            return
        at = header.last
        line = self.layout.lines[piece.shown[0] + at]
        end = line[len(line.rstrip("\r\n")) :]
        prefix = line.rstrip("\r\n").removesuffix(piece.texts[at])
        self._replace(self.edits, piece.shown[0] + at, prefix + renamed(piece.texts[at], wanted, marks) + end)

    def _leave_text_to(self, rest: frozenset[str], region: Region | None, first: int, end: int) -> None:
        newline = self.layout.newline
        opening = [f":begin_tab:`{ordered_names(rest, self.names)}`{newline}"]
        closing = [f":end_tab:{newline}"]
        if region is not None:
            opening, closing = [f":end_tab:{newline}", newline, *opening], [*closing, newline, region.line + newline]
        self.edits.insert(first, Chunk(opening), BEFORE)
        self.edits.insert(end, Chunk(closing))

    def _remove_empty_regions(self) -> None:
        lines = self.layout.lines
        for region in self.layout.regions:
            if region.end is None or self.edits.has_inserts(region.first + 1, region.end):
                continue
            inside = [n for n in range(region.first + 1, region.end) if not is_blank(lines[n])]
            if inside and all(self.edits.removes(n) for n in inside):
                self._remove_block(region.first, region.end + 1)

    # --- what the notebook shows now ---

    def unmoved(self) -> Iterator[tuple[int, int]]:
        """Yield the lines of each cell of a notebook in which nothing was changed."""
        for match in self.matches:
            assert match is not None
            yield lines_of(match.cell)

    def moved(self, numbers: Sequence[int], placed: Mapping[int, tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield the lines of each cell in the new text."""
        for number, match in enumerate(self.matches):
            if number in placed:
                yield placed[number]
            else:
                assert match is not None
                first, end = lines_of(match.cell)
                yield numbers[first], numbers[first] + end - first

    def notebook(self, lines: Iterator[tuple[int, int]]) -> Json:
        """Return the saved notebook with the lines that its cells show, and without outputs."""
        cells: list[Json] = []
        seen = set[str]()
        for number, (cell, where) in enumerate(zip(self.cells, lines, strict=True)):
            name = cell.get("id") or f"new-{number}"
            name = f"{name}-{number}" if name in seen else name
            seen.add(name)
            metadata = {KEY: {"cell": cell.get("metadata", {}).get(KEY, {}).get("cell", name), "lines": list(where)}}
            cells.append({
                "cell_type": cell["cell_type"], "id": name, "metadata": metadata, "source": source_of(cell),
            })  # fmt: skip
        return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def head_only(layout: Layout, first: Piece) -> bool:
    """Whether nothing but marks and blank lines stands above a piece."""
    return all(not one.is_shown for one in layout.pieces[: layout.pieces.index(first)])


def _with_fence(line: str, markup: str) -> str:
    at = line.index(markup[0] * 3)
    end = at
    while line[end : end + 1] == markup[0]:
        end += 1
    return line[:at] + markup + line[end:] if end - at < len(markup) else line
