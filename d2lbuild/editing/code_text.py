"""The code of a cell as its author writes it: the marks above it, and the fence around it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from d2lbuild.model import Frameworks
from d2lbuild.source.cells import CellLanguage, CellMarks, FrameworkNames

__all__ = ["Marked", "framework_language", "longer_fence", "marked", "ordered_names", "renamed"]


@dataclass(frozen=True, slots=True)
class Marked:
    """The lines of a cell, with the framework marks among those above its code taken out."""

    lines: tuple[str, ...]
    tabs: tuple[str, ...]
    """The lines that say which frameworks it is for; the last of them counts."""
    place: int
    """Where the first of these stood."""
    last: int
    """Where the one that counts stood."""
    code: str
    """What is run: without any mark."""

    def with_tabs(self, tabs: Iterable[str]) -> list[str]:
        """Return the lines with other framework marks."""
        return [*self.lines[: self.place], *tabs, *self.lines[self.place :]]


def marked(lines: Sequence[str], marks: CellMarks) -> Marked:
    """Tell the marks above a cell's code from the code."""
    kept, tabs, place, last, at = list[str](), list[str](), 0, 0, 0
    for at, line in enumerate([*lines, "end"]):
        text = line.strip()
        if at < len(lines) and marks.tab.match(text):
            place, last = (place if tabs else at), at
            tabs.append(line)
        elif at == len(lines) or (text and not marks.hiding.match(text) and not marks.needs.match(text)):
            break
        else:
            kept.append(line)
    code = "\n".join(lines[at:]).rstrip()
    return Marked((*kept, *lines[at:]), tuple(tabs), place, last, code)


def renamed(mark: str, wanted: str, marks: CellMarks) -> str:
    """Return the line of a framework mark with other names."""
    match = marks.tab.search(mark)
    assert match is not None
    head = mark[: match.start("names")]
    return head + wanted if head[-1:].isspace() else f"{head} {wanted}"


def ordered_names(wanted: Frameworks, names: FrameworkNames) -> str:
    """Return frameworks as a mark names them: in the book's order."""
    if wanted is None:
        return "all"
    return ", ".join([*(one for one in names.book if one in wanted), *sorted(wanted - set(names.book))])


def longer_fence(markup: str, code: Iterable[str]) -> str:
    """Return a fence like `markup` that no line of the code can close."""
    closing = (re.match(rf"\s*({re.escape(markup[0])}{{3,}})\s*$", line) for line in code)
    longest = max((len(match[1]) for match in closing if match), default=0)
    return markup if longest < len(markup) else markup[0] * (longest + 1)


def framework_language(framework: str, names: FrameworkNames) -> CellLanguage:
    """Return the language of a framework's cells."""
    language = names.cell_language(f"{{.{names.language(framework)} .input}}")
    assert language is not None
    return language
