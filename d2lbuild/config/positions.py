"""Finds the line of every key and array element of a TOML text, which tomllib does not tell.

The text has been read by tomllib before, so this only has to step over correct syntax.
"""

import re
import tomllib

__all__ = ["Key", "positions"]

Key = tuple[str | int, ...]
_DEEPEST = 20
"""No key of ours has more parts."""

_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_KEY_PART = re.compile(rf"[ \t]*(?:({_STRING.pattern})|([A-Za-z0-9_-]+))[ \t]*", re.DOTALL)
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")


def positions(text: str) -> dict[Key, int]:
    """Return the line of each table, key and array element, by its path.

    Elements of arrays have their index in the path: ``("html", "header_links", 0, "url")``.
    """
    return _Walk(text).statements()


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self.tables: dict[Key, int] = {}
        """How many tables each array of tables has so far."""

    def statements(self) -> dict[Key, int]:
        table: Key = ()
        while self._skip_space():
            if self.text.startswith("[[", self.at):
                self.at += 2
                table = self._array_table(self._key())
                self.at += 2
            elif self.text[self.at] == "[":
                start = self.at
                self.at += 1
                table = self._inside_arrays(self._key())
                self._note(table, start)
                self.at += 1
            else:
                self._pair(table)
        return self.lines

    def _skip_space(self) -> bool:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _note(self, key: Key, at: int) -> None:
        line = self.text.count("\n", 0, at) + 1
        for length in range(1, min(len(key), _DEEPEST) + 1):
            self.lines.setdefault(key[:length], line)

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while match := _KEY_PART.match(self.text, self.at):
            quoted, bare = match.groups()
            parts.append(str(tomllib.loads(f"v = {quoted}")["v"]) if quoted else bare)
            self.at = match.end()
            if not self.text.startswith(".", self.at):
                break
            self.at += 1
        return tuple(parts)

    def _inside_arrays(self, parts: tuple[str, ...]) -> Key:
        """Add to a table's name the indices of the arrays of tables that it lies in."""
        key: Key = ()
        for part in parts:
            key = (*key, part)
            if key in self.tables:
                key = (*key, self.tables[key] - 1)
        return key

    def _array_table(self, parts: tuple[str, ...]) -> Key:
        array = (*self._inside_arrays(parts[:-1]), parts[-1])
        index = self.tables.get(array, 0)
        self.tables[array] = index + 1
        self._note((*array, index), self.at)
        return (*array, index)

    def _pair(self, table: Key) -> None:
        start = self.at
        key = (*table, *self._key())
        self._note(key, start)
        self.at += 1  # the equals sign
        self._value(key)

    def _value(self, key: Key) -> None:
        match = re.compile(r"[ \t]*").match(self.text, self.at)
        self.at = match.end() if match else self.at
        if string := _STRING.match(self.text, self.at):
            self.at = string.end()
        elif self.text.startswith("[", self.at):
            self._array(key)
        elif self.text.startswith("{", self.at):
            self._inline_table(key)
        elif scalar := _SCALAR.match(self.text, self.at):
            self.at = scalar.end()

    def _array(self, key: Key) -> None:
        self.at += 1
        index = 0
        while self._skip_space() and self.text[self.at] != "]":
            self._note((*key, index), self.at)
            self._value((*key, index))
            index += 1
            self._comma()
        self.at += 1

    def _inline_table(self, key: Key) -> None:
        self.at += 1
        while self._skip_space() and self.text[self.at] != "}":
            self._pair(key)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        if self._skip_space() and self.text[self.at] == ",":
            self.at += 1
