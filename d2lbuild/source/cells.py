"""What is a code cell, and which marks stand above its code: in every language, with that language's comments."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

__all__ = ["HIDING", "OPTION", "CellLanguage", "CellMarks", "FrameworkNames", "cell_marks", "cell_options"]

OPTION = re.compile(r":(?P<name>[\w-]+):\s*(?P<value>.*)$")
"""An option of a directive."""
_CELL_INFO = re.compile(r"\{\s*\.(?P<language>[\w+#-]+)\s+\.input\b[^}]*\}|\{code-cell\}\s*(?P<lexer>[\w+#-]*)")
HIDING = {
    "hide_code": "remove-input",
    "hide code": "remove-input",
    "hide_output": "remove-output",
    "hide outputs": "remove-output",
    "hide output": "remove-output",
    "hide": "remove-cell",
    "hide_all": "hide-all",
}
"""The marks that hide something, and the tags that they stand for."""


@dataclass(frozen=True, slots=True)
class CellMarks:
    """The marks that can stand above a cell's code, with a language's own sign of comments."""

    tab: re.Pattern[str]
    hiding: re.Pattern[str]
    needs: re.Pattern[str]


@lru_cache
def cell_marks(sign: str) -> CellMarks:
    """Return the marks in a language in which `sign` begins a comment."""
    sign = re.escape(sign)
    return CellMarks(
        tab=re.compile(rf"(?:{sign}\s*@tab|%%tab)\b[ \t]*(?P<names>.*?)\s*$"),
        hiding=re.compile(
            rf"{sign}\s*(?:@(?P<mark>hide(?:_code|_output|_all)?)|(?P<words>[Hh]ide (?:code|outputs?)))\s*$"
        ),
        needs=re.compile(rf"{sign}\s*@needs\b:?\s*(?P<text>.*?)\s*$"),
    )


@dataclass(frozen=True, slots=True)
class CellLanguage:
    """The language of a cell."""

    name: str
    marks: CellMarks
    frameworks: tuple[str, ...]
    """The book's frameworks that speak it, in order."""
    one_of_many: bool
    """Whether other frameworks of the book speak others."""


@dataclass(frozen=True, slots=True)
class FrameworkNames:
    """The names that framework marks may use."""

    book: tuple[str, ...]
    """Those of the book, the default first."""
    others: frozenset[str] = frozenset()
    """Known ones that this book does not list: no error, but never selected either."""
    languages: Mapping[str, str] = field(default_factory=dict)
    """The language of each framework's cells; Python where nothing is said."""
    comments: Mapping[str, str] = field(default_factory=dict)
    """What begins a comment in each language; ``#`` where nothing is said."""
    _asked: dict[str, CellLanguage | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def language(self, framework: str) -> str:
        """Return the language of a framework's cells."""
        return self.languages.get(framework, "python")

    def cell_language(self, info: str) -> CellLanguage | None:
        """Return what is known of the language of the cell that a fence with this `info` is; None if it is no cell.

        A language that no framework has counts as that of the default framework: books in other languages may write
        ``.python`` too, since older tools knew nothing else.
        """
        if info not in self._asked:  # there are thousands of cells, and few ways to begin one
            self._asked[info] = self._look(info)
        return self._asked[info]

    def _look(self, info: str) -> CellLanguage | None:
        match = _CELL_INFO.match(info)
        if match is None:
            return None
        spoken = {self.language(name) for name in self.book}
        written = match["language"] or re.sub(r"^i?python\d*$", "python", match["lexer"])
        if match["language"] and written not in {"python", *spoken}:
            return None
        name = written if written in spoken else self.language(self.book[0])
        frameworks = tuple(one for one in self.book if self.language(one) == name)
        return CellLanguage(name, cell_marks(self.comments.get(name, "#")), frameworks, len(spoken) > 1)


def cell_options(body: Sequence[str]) -> tuple[int, set[str]]:
    """Read the options of a MyST ``{code-cell}``: how many lines they take, and the tags."""
    end = 0
    if body and body[0].strip() == "---":
        end = next((n for n in range(1, len(body)) if body[n].strip() == "---"), 0) + 1
    else:
        while end < len(body) and OPTION.match(body[end].strip()):
            end += 1
    tags: set[str] = set()
    for line in body[:end]:
        if match := re.match(r":?tags:\s*(.*)$", line.strip()):
            tags.update(re.findall(r"[\w@.-]+", match[1]))
        elif match := re.match(r"-\s+([\w@.-]+)$", line.strip()):
            tags.add(match[1])
    return end, tags
