"""A `config.ini` as its lines: what configparser reads, and where each line of a value stands.

The rules are those of configparser as existing books rely on them: `#` and `;` comments fill their line, an indented
line continues a value, names of keys are lower case, `%%` is a percent sign and `%(name)s` another value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from d2lbuild.config.problems import Problems
from d2lbuild.config.types import Text
from d2lbuild.model import Span

__all__ = ["Entry", "Ini", "read_ini"]

_SECTION = re.compile(r"\[(?P<name>.+)\]")
_PAIR = re.compile(r"(?P<key>.*?)\s*[=:]\s*(?P<value>.*)$")
_PERCENT = re.compile(r"%%|%\((?P<name>[^)]+)\)s")
_DEPTH = 10
"""How deep values may name one another; configparser has the same limit."""
_LONGEST = 10_000
"""Characters of a value that another one may name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value."""

    key: str
    span: Span
    """Where the key stands."""
    lines: tuple[Text, ...]
    """The lines of the value, stripped, inner blank ones included."""

    @property
    def value(self) -> str:
        """The value as configparser returns it."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Ini:
    """A whole file."""

    place: PurePosixPath
    sections: Mapping[str, Mapping[str, Entry]]
    spans: Mapping[str, Span] = field(default_factory=dict)
    """Where the sections begin."""

    def entry(self, section: str, key: str) -> Entry | None:
        """Return an entry that is not empty, or None."""
        for name in (section, "DEFAULT"):
            if (found := self.sections.get(name, {}).get(key)) and found.value:
                return found
        return None

    def text(self, section: str, key: str) -> str:
        """Return a value, or the empty string."""
        entry = self.entry(section, key)
        return entry.value if entry else ""


@dataclass(slots=True)
class _Open:
    """The key whose value is being read."""

    key: str
    span: Span
    indent: int
    lines: list[Text]


class _Reader:
    def __init__(self, place: PurePosixPath, problems: Problems) -> None:
        self.place = place
        self.problems = problems
        self.sections: dict[str, dict[str, Entry]] = {}
        self.spans: dict[str, Span] = {}
        self.section: dict[str, Entry] | None = None
        self.open: _Open | None = None

    def read(self, text: str) -> Ini:
        for number, line in enumerate(text.split("\n"), start=1):
            self._line(line, Span(self.place, number, number))
        self._close()
        return Ini(self.place, self.sections, self.spans)

    def _line(self, line: str, span: Span) -> None:
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            return
        if not stripped:
            if self.open:
                self.open.lines.append(Text("", span))
            return
        indent = len(line) - len(line.lstrip())
        if self.open and indent > self.open.indent:
            self.open.lines.append(Text(stripped, span))
        elif match := _SECTION.match(stripped):
            self._close()
            self.section = self.sections.setdefault(match["name"], {})
            if match["name"] in self.spans:
                first = self.spans[match["name"]].first
                self.problems.error("repeated", f"section [{match['name']}] stands on line {first} already", span)
            self.spans.setdefault(match["name"], span)
        elif self.section is None:
            self.problems.error("syntax", "a line stands before the first [section]", span)
        elif (match := _PAIR.match(stripped)) and match["key"]:
            self._close()
            key = match["key"].lower()
            if key in self.section:
                message = f"key `{key}` stands on line {self.section[key].span.first} already"
                self.problems.error("repeated", message, span)
            self.open = _Open(key, span, indent, [Text(match["value"].strip(), span)])
        else:
            self.problems.error(
                "syntax", "is neither `key = value` nor [section]", span, "indent it to continue a value"
            )

    def _close(self) -> None:
        if self.open and self.section is not None:
            lines = list(self.open.lines)
            while len(lines) > 1 and not lines[-1].text:
                lines.pop()
            self.section.setdefault(self.open.key, Entry(self.open.key, self.open.span, tuple(lines)))
        self.open = None


def read_ini(text: str, place: PurePosixPath, problems: Problems) -> Ini:
    """Read a `config.ini`; what is wrong with it goes to `problems`."""
    raw = _Reader(place, problems).read(text)
    interpolation = _Interpolation(raw, problems)
    sections = {
        name: {
            key: Entry(key, entry.span, tuple(interpolation.of(line, name) for line in entry.lines))
            for key, entry in section.items()
        }
        for name, section in raw.sections.items()
    }
    return Ini(place, sections, raw.spans)


@dataclass(slots=True)
class _Interpolation:
    """Puts values where others name them."""

    raw: Ini
    problems: Problems
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    """What was put together before: values that name others twice each would take for ever."""

    def of(self, line: Text, section: str, depth: int = 0) -> Text:
        def replacement(match: re.Match[str]) -> str:
            if match["name"] is None:
                return "%"
            key = match["name"].lower()
            entry = self.raw.entry(section, key)
            if entry is None or depth == _DEPTH:
                return self._left(match[0], "names itself" if entry else f"is not a key of [{section}]", line.span)
            if (section, key) not in self.known:
                self.known[section, key] = "\n".join(self.of(one, section, depth + 1).text for one in entry.lines)
            found = self.known[section, key]
            return found if len(found) < _LONGEST else self._left(match[0], "is too long", line.span)

        return Text(_PERCENT.sub(replacement, line.text), line.span)

    def _left(self, written: str, why: str, span: Span) -> str:
        message = f"`{written}` {why}: left as it is"
        self.problems.warn("unknown-key", message, span, "write `%%` for a percent sign")
        return written
