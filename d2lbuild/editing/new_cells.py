"""Cells that an author has added, as lines of the section: in the style of the file, for the framework alone.

A cell that says itself whom it is for, by a mark, is for those; so is one that was split off or copied from another.
"""

from collections import Counter
from dataclasses import dataclass, field

from d2lbuild.editing.code_text import framework_language, longer_fence, marked, ordered_names
from d2lbuild.editing.layout import Layout, Piece, Region, without_blank_ends
from d2lbuild.editing.line_edits import Chunk, LineEdits
from d2lbuild.editing.notebook import Json, source_of
from d2lbuild.model import BlockKind, Frameworks
from d2lbuild.source.cells import CellLanguage, FrameworkNames

__all__ = ["NewCells"]


@dataclass(slots=True)
class NewCells:
    """Collects new cells that stand together, and puts them where they belong."""

    layout: Layout
    edits: LineEdits
    framework: str
    names: FrameworkNames
    _place: int = 0
    _region: Region | None = None
    _waiting: list[tuple[Frameworks, Chunk]] = field(default_factory=list)
    """Whom each is for if it must say so by a tab block."""

    def add(
        self, number: int, cell: Json, place: tuple[int, Region | None], origin: Piece | None, *, moved: bool
    ) -> Frameworks:
        """Add a cell below a place; return whom it is for. What was moved is for this framework alone."""
        if (self._place, self._region) != self._resting(place):
            self.flush()
            self._place, self._region = self._resting(place)
        if cell["cell_type"] == "code":
            return self._code(number, cell, origin, moved=moved)
        origin = None if origin and origin.is_code else origin
        wanted: Frameworks = origin.seen_by if origin and not moved else frozenset({self.framework})
        lines = [line + self.layout.newline for line in without_blank_ends(source_of(cell).split("\n"))]
        self._waiting.append((wanted, Chunk(lines, apart=True, cells=[(number, 0, len(lines))])))
        return wanted

    def _resting(self, place: tuple[int, Region | None]) -> tuple[int, Region | None]:
        """Step out of a tab block that ends here, if it is for others too."""
        line, region = place
        if region is not None and region.end == line and region.frameworks != frozenset({self.framework}):
            return line + 1, None
        return place

    # --- code ---

    def _code(self, number: int, cell: Json, origin: Piece | None, *, moved: bool) -> Frameworks:
        language = framework_language(self.framework, self.names)
        origin = origin if origin and origin.is_code else None
        lines = without_blank_ends(source_of(cell).split("\n"))
        own = marked(lines, language.marks)
        wanted: Frameworks = frozenset({self.framework})
        if own.tabs and not moved:
            wanted = self._named(own.tabs[-1], language)
        elif not own.tabs or self._named(own.tabs[-1], language) != wanted:
            if origin and not moved:
                wanted = origin.seen_by
            here = self._region.frameworks if self._region else None
            default: Frameworks = frozenset(language.frameworks[:1])
            unmarked = default if here is None or not _within(wanted, here) else here
            lines = without_blank_ends(own.with_tabs([] if wanted == unmarked else [self.mark(wanted, language)]))
        opening, prefix = self._opening(origin if moved else None, language)
        markup = longer_fence("```", lines)
        made = [markup + opening, *lines, markup]
        raw = [(prefix + line if line else "") + self.layout.newline for line in made]
        where: Frameworks = self._region.frameworks if self._region else None
        place = where if _within(wanted, where) else wanted
        self._waiting.append((place, Chunk(raw, apart=True, cells=[(number, 1, len(lines))])))
        return wanted

    def _named(self, mark: str, language: CellLanguage) -> Frameworks:
        match = language.marks.tab.match(mark.strip())
        found = match["names"].replace(",", " ").split() if match else []
        return None if "all" in found else frozenset(found)

    def mark(self, wanted: Frameworks, language: CellLanguage) -> str:
        """Return the line that marks a cell, in the style of the file."""
        seen = Counter[str]()
        for piece in self.layout.pieces:
            if piece.language:
                seen.update(one.strip()[:2] for one in marked(piece.texts, piece.language.marks).tabs)
        name = ordered_names(wanted, self.names)
        if seen["%%"] > sum(seen.values()) / 2:
            return f"%%tab {name}"
        return f"{self.names.comments.get(language.name, '#')}@tab {name}"

    def _opening(self, origin: Piece | None, language: CellLanguage) -> tuple[str, str]:
        """Return what stands behind the backticks of a fence, and what before it."""
        if origin and origin.fence:
            return origin.fence.info, ""
        kinds = Counter(
            piece.fence.info.strip()
            for piece in self.layout.pieces
            if piece.fence and piece.block.kind is BlockKind.CODE and piece.language == language
        )
        if kinds and all(info.startswith("{code-cell}") for info in kinds):
            return min(kinds, key=lambda info: (-kinds[info], info)), ""
        return f"{{.{language.name} .input}}", ""

    # --- putting them there ---

    def flush(self) -> None:
        """Put the cells that wait into the file."""
        here: Frameworks = self._region.frameworks if self._region else None
        newline = self.layout.newline
        made: list[tuple[Frameworks, Chunk]] = []
        for wanted, chunk in self._waiting:
            if made and made[-1][0] == wanted:
                made[-1][1].add(Chunk([newline]))
                made[-1][1].add(chunk)
            else:
                made.append((wanted, Chunk(list(chunk.lines), apart=True, cells=list(chunk.cells))))
        for wanted, chunk in made:
            self.edits.insert(self._place, chunk if wanted == here else self._in_tab(wanted, chunk))
        self._waiting.clear()

    def _in_tab(self, wanted: Frameworks, chunk: Chunk) -> Chunk:
        """Return a chunk in a tab block of its own, between the halves of the one that it stands in."""
        newline = self.layout.newline
        whole = Chunk([], apart=True)
        if self._region is not None:
            whole.add(Chunk([f":end_tab:{newline}", newline]))
        if wanted is not None:
            whole.add(Chunk([f":begin_tab:`{ordered_names(wanted, self.names)}`{newline}"]))
        whole.add(chunk)
        if wanted is not None:
            whole.add(Chunk([f":end_tab:{newline}"]))
        if self._region is not None:
            whole.add(Chunk([newline, self._region.line + newline]))
        return whole


def _within(wanted: Frameworks, region: Frameworks) -> bool:
    """Whether a cell for `wanted` can stand in a tab block."""
    return region is None or (wanted is not None and wanted <= region)
