"""The works of a bibliography in words: for texts and answers that Sphinx has no part in."""

import codecs
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from d2lbuild.model import Span

__all__ = ["Work", "read_works", "references"]

_ENTRY = re.compile(r"^\s*@\s*\w+\s*[{(]\s*([^,\s}]+)\s*,", re.MULTILINE)
_NEEDLESS = re.compile(r"\\([-.()!])")
"""What pybtex escapes and Markdown reads as it is, inside of a line."""
_MOST_PEOPLE = 2
"""So many are named in the text; of more, the first alone."""


@dataclass(frozen=True, slots=True)
class Work:
    """An entry of a BibTeX file."""

    span: Span
    people: tuple[str, ...] = ()
    """The last names of its authors, or of its editors."""
    year: str = ""
    title: str = ""

    def who(self, two: str = " and ", many: str = " et al.") -> str:
        """Return its people as a text names them, with the words of a language between and behind them."""
        if len(self.people) > _MOST_PEOPLE:
            return self.people[0] + many
        return two.join(self.people)

    @property
    def summary(self) -> str:
        """Who wrote it, its title, the year."""
        return ", ".join(part for part in (self.who(), self.title, self.year) if part)


def read_works(root: Path, files: Sequence[PurePosixPath]) -> Mapping[str, Work]:
    """Return the works of BibTeX files of the book in `root`, by key. What cannot be read has a place and no words."""
    found: dict[str, Work] = {}
    for path in files:
        text = (root / path).read_text(encoding="utf-8-sig", errors="replace")
        entries = _entries(text)
        for match in _ENTRY.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            found.setdefault(match[1], _work(entries.get(match[1]), Span(path, line, line)))
    return found


def references(root: Path, files: Sequence[PurePosixPath]) -> Mapping[str, str]:
    """Return the works as they stand in a list, in Markdown; what BibTeX makes no sense of is missing."""
    from pybtex.errors import capture  # noqa: PLC0415
    from pybtex.plugin import find_plugin  # noqa: PLC0415

    style = find_plugin("pybtex.style.formatting", "plain")()
    backend = find_plugin("pybtex.backends", "markdown")()
    found: dict[str, str] = {}
    for path in files:
        for key, entry in _entries((root / path).read_text(encoding="utf-8-sig", errors="replace")).items():
            with (
                capture(),
                suppress(Exception),
            ):  # a field that the style needs is missing: `check` and Sphinx say which
                words = " ".join(style.format_entry("", entry).text.render(backend).split())
                found.setdefault(key, _NEEDLESS.sub(r"\1", words))
    return found


def _entries(text: str) -> Mapping[str, Any]:
    # It takes a quarter of a second to import.
    from pybtex.database import parse_string  # noqa: PLC0415
    from pybtex.errors import capture  # noqa: PLC0415
    from pybtex.exceptions import PybtexError  # noqa: PLC0415

    found: Mapping[str, Any] = {}
    with capture(), suppress(PybtexError):
        found = parse_string(text, "bibtex").entries
    return found


def _work(entry: Any, span: Span) -> Work:
    if entry is None:
        return Work(span)
    persons = entry.persons.get("author") or entry.persons.get("editor") or ()
    people = tuple(_plain(" ".join((*one.prelast_names, *one.last_names))) for one in persons)
    return Work(span, people, entry.fields.get("year", ""), _plain(entry.fields.get("title", "")))


def _plain(text: str) -> str:
    """Return BibTeX's text without braces and accents in commands."""
    import latexcodec  # noqa: F401, PLC0415 - a part of pybtex, which makes the codec known

    with suppress(ValueError):
        text = codecs.decode(text, "ulatex")  # type: ignore[call-overload]
    return " ".join(re.sub(r"[{}]", "", text).split())
