"""Which line of a chapter a line of the LaTeX came from: comments that the translator writes, and reads here again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from d2lbuild.model import Span
from d2lbuild.rendering.sources.page_notebook import LinePositions

__all__ = ["Block", "Places", "begin_of_block", "begin_of_pages", "end_of_block", "pages_in_place"]

_INCLUDED = re.compile(r"^%@include (.*)\n", re.MULTILINE)
_MARK = re.compile(r"%@(?:(?P<page>\S+) (?P<position>\d+))?")


def begin_of_block(page: str, position: int) -> str:
    """Return the line that begins what was made of a node; `position` is that of MyST-NB in the page's notebook."""
    return f"%@{page} {position}\n"


def end_of_block() -> str:
    """Return the line that ends it."""
    return "%@\n"


def begin_of_pages(names: Sequence[str]) -> str:
    """Return the line that stands for a table of contents: the pages that follow there."""
    return f"%@include {' '.join(names)}\n"


def pages_in_place(root: str, texts: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Return the text of the page `root`, with the texts of all pages below it; `before` some pages stands more."""
    waiting = dict(texts)

    def text_of(name: str) -> str:
        text = waiting.pop(name, "")  # a page that is included twice stands in the first place
        return before.get(name, "") + _INCLUDED.sub(lambda match: "".join(map(text_of, match[1].split())), text)

    return text_of(root)


@dataclass(frozen=True, slots=True)
class Block:
    """What was made of one node: its lines, counted from 1, between the two comments."""

    page: str
    position: int
    first: int
    last: int


class Places:
    """The blocks of a LaTeX file."""

    def __init__(self, text: str, sources: Mapping[str, PurePosixPath], positions: Mapping[str, LinePositions]) -> None:
        self.lines: Sequence[str] = text.split("\n")
        self._sources = sources
        self._positions = positions
        self._around: list[Block | None] = [None] * (len(self.lines) + 2)
        for block in _blocks(self.lines):  # an inner one comes after the one around it
            self._around[block.first : block.last + 1] = [block] * (block.last - block.first + 1)

    def block(self, line: int) -> Block | None:
        """Return the innermost block that a line belongs to."""
        return self._around[line] if 0 < line < len(self._around) else None

    def near(self, line: int) -> Block | None:
        """Return the block of a line, or the last one before it: LaTeX often complains behind the place."""
        for number in range(min(line, len(self.lines)), 0, -1):
            if found := self._around[number]:
                return found
        return None

    def span(self, block: Block | None) -> Span | None:
        """Return the line of the chapter that a block was made of."""
        if block is None:
            return None
        positions = self._positions.get(block.page)
        path = (positions.chapter(block.position) if positions else None) or self._sources.get(block.page)
        line = (positions.chapter_line(block.position) if positions else None) or 1
        return Span(path, line, line) if path else None


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Yield the blocks, an outer one before those inside of it."""
    opened: list[tuple[str, int, int]] = []
    found: list[Block] = []
    for number, line in enumerate(lines, start=1):
        match = _MARK.fullmatch(line)
        if match is None:
            continue
        if match["page"]:
            opened.append((match["page"], int(match["position"]), number))
        elif opened:
            page, position, first = opened.pop()
            found.append(Block(page, position, first + 1, number - 1))
    return iter(sorted(found, key=lambda block: (block.first, -block.last)))
