"""Edits of a file's lines, collected first and then made all at once, which tell where everything has gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from d2lbuild.editing.layout import is_blank
from d2lbuild.source.markdown import END_TAB

__all__ = ["AFTER", "BEFORE", "Chunk", "LineEdits", "rewritten"]

AFTER, BEFORE = 0, 1
"""Whether lines belong to what stands above a place, or to what stands below it."""


@dataclass(slots=True)
class Chunk:
    """New lines, each with its end."""

    lines: list[str]
    apart: bool = False
    """Whether blank lines must stand around it."""
    cells: list[tuple[int, int, int]] = field(default_factory=list)
    """Cells that show some of these lines: the cell's number, the first line, and how many."""

    def add(self, other: "Chunk") -> None:
        """Append another chunk."""
        start = len(self.lines)
        self.lines += other.lines
        self.cells += [(cell, start + first, count) for cell, first, count in other.cells]


class LineEdits:
    """What shall become of the lines of a file."""

    def __init__(self, lines: Sequence[str], newline: str) -> None:
        self.lines = lines
        self._newline = newline
        self._gone: set[int] = set()
        self._chunks: dict[int, list[tuple[int, Chunk]]] = {}

    def remove(self, first: int, end: int) -> None:
        """Remove lines."""
        self._gone.update(range(first, end))

    def removes(self, line: int) -> bool:
        """Whether a line will be gone."""
        return line in self._gone

    def insert(self, line: int, chunk: Chunk, side: int = AFTER) -> None:
        """Put a chunk above a line: at the end of what comes before it, or as the beginning of what follows."""
        self._chunks.setdefault(line, []).append((side, chunk))

    def has_inserts(self, first: int, end: int) -> bool:
        """Whether something comes between two lines."""
        return any(first <= line <= end for line in self._chunks)

    def make(self) -> tuple[str, list[int], dict[int, tuple[int, int]]]:
        """Return the new text, the new number of each old line, and the lines of the cells in chunks."""
        made = _Made(self._newline)
        numbers: list[int] = []
        for line in range(len(self.lines) + 1):
            chunks = sorted(self._chunks.get(line, ()), key=lambda one: one[0])
            for _, chunk in (one for one in chunks if one[0] == AFTER):
                made.chunk(chunk)
            for _, chunk in (one for one in chunks if one[0] == BEFORE):
                made.chunk(chunk)
            kept = line < len(self.lines) and line not in self._gone
            if kept:
                made.line(self.lines[line])
            numbers.append(len(made.lines) - kept)
        text = "".join(made.lines)
        if self.lines and not self.lines[-1].endswith(("\n", "\r")):
            text = text.removesuffix(self._newline)
        elif text and not text.endswith(("\n", "\r")):
            text += self._newline
        return text, numbers, made.cells


class _Made:
    """Lines as they are put together."""

    def __init__(self, newline: str) -> None:
        self.lines: list[str] = []
        self.cells: dict[int, tuple[int, int]] = {}
        self._newline = newline
        self._apart = False

    def line(self, line: str) -> None:
        if self._apart and not is_blank(line) and not END_TAB.match(line):
            self.lines.append(self._newline)
        self._apart = False
        self._append(line)

    def chunk(self, chunk: Chunk) -> None:
        if (chunk.apart or self._apart) and chunk.lines and self.lines and not is_blank(self.lines[-1]):
            self._append(self._newline)
        start = len(self.lines)
        for line in chunk.lines:
            self._append(line)
        self._apart = chunk.apart if chunk.lines else self._apart
        self.cells |= {cell: (start + first, start + first + count) for cell, first, count in chunk.cells}

    def _append(self, line: str) -> None:
        if self.lines and not self.lines[-1].endswith(("\n", "\r")):
            self.lines[-1] += self._newline
        self.lines.append(line)


def rewritten(
    old: Sequence[str], raw: Sequence[str], new: Sequence[str], *, newline: str, prefix: str = ""
) -> list[str]:
    """Return the lines of a file for the lines `new` of a cell that showed `old`.

    A line that is still there stays as it stands in the file (`raw`), with its indentation and its line end.
    """
    made: list[str] = []
    for kind, first, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        made += raw[first:end] if kind == "equal" else _with_prefix(new[start:stop], newline, prefix)
    return made


def _with_prefix(lines: Iterable[str], newline: str, prefix: str) -> list[str]:
    return [(prefix + line if line else prefix.rstrip()) + newline for line in lines]
