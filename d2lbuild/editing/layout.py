"""A section's file as lines, with what an editor shows of them.

Every line belongs to one piece. What a piece shows is a stretch of its lines without their prefix: code without its
fence, prose without the blank lines around it. All other lines are never touched by an edit of what is shown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from d2lbuild.model import Block, BlockKind, Frameworks
from d2lbuild.source.cells import CellLanguage, FrameworkNames, cell_options
from d2lbuild.source.fences import FencedBlock, find_fences
from d2lbuild.source.markdown import BEGIN_TAB, END_TAB, cut_section
from d2lbuild.source.prose import split_lines

__all__ = ["Layout", "Piece", "Region", "is_blank", "lay_out", "without_blank_ends"]

_SOMEWHERE = PurePosixPath("section.md")
_CELLS = {BlockKind.CODE: "code", BlockKind.FURNITURE: "code", BlockKind.PROSE: "markdown"}


@dataclass(slots=True)
class Region:
    """The lines between ``:begin_tab:`` and ``:end_tab:``."""

    line: str
    """The line that opens it, without its end."""
    frameworks: Frameworks
    first: int
    """The number of that line, counted from 0."""
    end: int | None = None
    """The line that closes it; None if there is none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A block with its lines, counted from 0."""

    block: Block
    first: int
    end: int
    """The line after it."""
    shown: tuple[int, int]
    """The lines that are shown of it: the first, and the one after the last."""
    texts: tuple[str, ...]
    """What is shown of those: without prefix and line end."""
    region: Region | None
    fence: FencedBlock | None = None
    language: CellLanguage | None = None
    """Of a code cell."""
    prefix: str = ""
    """What stands before each line inside of a list or a quotation."""

    @property
    def cell_type(self) -> str:
        """What Jupyter calls a cell that shows it."""
        return _CELLS.get(self.block.kind, "raw")

    @property
    def is_code(self) -> bool:
        """Whether it is an executable cell, if only for the editor."""
        return self.language is not None

    @property
    def seen_by(self) -> Frameworks:
        """The frameworks whose notebooks show it: what serves the editor serves it for all of them."""
        return None if self.block.kind is BlockKind.FURNITURE else self.block.frameworks

    @property
    def is_shown(self) -> bool:
        """Whether there is a cell for it."""
        if self.block.kind is BlockKind.MARK:
            return False
        return self.is_code or self.shown[0] < self.shown[1]


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a file and the pieces that they make up."""

    lines: tuple[str, ...]
    """With their ends."""
    pieces: tuple[Piece, ...]
    newline: str
    """What ends its lines."""
    regions: tuple[Region, ...]

    def piece_at(self, line: int) -> Piece:
        """Return the piece that shows a line, or would show it if it were not empty."""
        found = [one for one in self.pieces if one.first <= line < one.end or one.shown[0] <= line <= one.shown[1]]
        return next((one for one in found if one.first <= line < one.end), found[0] if found else self.pieces[-1])


def is_blank(line: str) -> bool:
    """Whether a line has nothing on it."""
    return not line.strip()


def without_blank_ends(lines: Sequence[str]) -> list[str]:
    """Return lines without the blank ones at both ends."""
    kept = list(lines)
    for end in (-1, 0):
        while kept and is_blank(kept[end]):
            del kept[end]
    return kept


def lay_out(text: str, names: FrameworkNames) -> Layout:
    """Cut the text of a section into pieces."""
    lines = tuple(split_lines(text))
    fences = find_fences(lines)
    section = cut_section(text, _SOMEWHERE, names)
    pieces: list[Piece] = []
    regions: list[Region] = []
    region: Region | None = None
    at = 0
    for block in section.blocks:
        end = at + len(split_lines(block.text))
        if block.kind is BlockKind.MARK:
            pieces.append(Piece(block, at, end, (at, at), (), None))
            if match := BEGIN_TAB.match(block.text):
                region = Region(block.text.strip(), _frameworks(match["names"], names), at)
                regions.append(region)
            elif END_TAB.match(block.text):
                if region is not None:
                    region.end = at
                region = None
        elif (fence := fences.get(at)) and (language := names.cell_language(fence.info.strip())):
            pieces.append(_code(block, fence, language, lines, end=end, region=region))
        else:
            shown = _without_blanks(lines, at, end)
            texts = tuple(line.rstrip("\r\n") for line in lines[shown[0] : shown[1]])
            pieces.append(Piece(block, at, end, shown, texts, region))
        at = end
    endings = [line[len(line.rstrip("\r\n")) :] for line in lines[:1]]
    return Layout(lines, tuple(pieces), endings[0] if endings and endings[0] else "\n", tuple(regions))


def _code(
    block: Block, fence: FencedBlock, language: CellLanguage, lines: Sequence[str], *, end: int, region: Region | None
) -> Piece:
    body = fence.content.split("\n")[:-1]
    options = cell_options(body)[0] if fence.info.strip().startswith("{code-cell}") else 0
    first = fence.first + 1
    last = min(first + len(body), end - 1 if fence.closed else end)
    shown = _without_blanks(lines, min(first + options, last), last, prefix=">")
    opening = lines[fence.first]
    prefix = re.sub(r"[^\s>]", " ", opening[: opening.index(fence.markup)])
    texts = tuple(body[shown[0] - first : shown[1] - first])
    return Piece(block, fence.first, end, shown, texts, region, fence, language, prefix)


def _without_blanks(lines: Sequence[str], first: int, end: int, prefix: str = "") -> tuple[int, int]:
    """Return the stretch without the blank lines at both of its ends; an empty one stands at its beginning."""
    start = first
    while start < end and is_blank(lines[start].replace(prefix, "") if prefix else lines[start]):
        start += 1
    if start == end:
        return first, first
    while is_blank(lines[end - 1].replace(prefix, "") if prefix else lines[end - 1]):
        end -= 1
    return start, end


def _frameworks(text: str, names: FrameworkNames) -> Frameworks:
    found = [name for name in re.split(r"[\s,]+", text) if name]
    return None if "all" in found else frozenset(one for one in found if one in names.book or one in names.others)
