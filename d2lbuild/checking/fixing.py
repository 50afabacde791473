"""What `check --fix` mends: only what is certain, at the places of findings, without touching another byte."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from d2lbuild.checking.prose import word_pattern
from d2lbuild.checking.rules import RULES
from d2lbuild.config import Config
from d2lbuild.config.types import Check
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding
from d2lbuild.source.prose import split_lines

__all__ = ["Fixed", "fix_book", "fixed_text"]

_BOM = "\ufeff"
_REMOVED = frozenset("\u200b\u2060\ufeff")
"""Invisible characters without a meaning; of others only an author knows what they are for."""
_REPEATED = re.compile(r"([^\W\d_]+)([ \t]+|[ \t]*\r?\n[ \t]*)$")
_Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A file with what could be mended."""

    path: PurePosixPath
    """Below the book's root."""
    before: str
    after: str

    @property
    def diff(self) -> Iterator[str]:
        """The difference, as `diff -u` shows it."""
        old, new = split_lines(self.before), split_lines(self.after)
        for line in difflib.unified_diff(old, new, str(self.path), str(self.path)):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"

    def write(self, root: Path) -> None:
        """Write the file below the book's root."""
        write_atomically(root / self.path, self.after)


def fix_book(config: Config, findings: Iterable[Finding]) -> list[Fixed]:
    """Return the files of the book in which something can be mended. Nothing is written."""
    by_path: dict[PurePosixPath, list[Finding]] = {}
    for one in findings:
        rule = RULES.get(one.rule)
        if one.span and rule and rule.fixable and one.span.path.suffix != ".ipynb":
            by_path.setdefault(one.span.path, []).append(one)
    found = []
    for path, ours in by_path.items():
        try:
            text = (config.root / path).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # a finding of its own
        after = fixed_text(text, ours, config.check)
        if after != text:
            found.append(Fixed(path, text, after))
    return found


def fixed_text(text: str, findings: Sequence[Finding], check: Check) -> str:
    """Return a text with what can be mended of `findings`, which were found in it."""
    starts = [0]
    for line in split_lines(text):
        starts.append(starts[-1] + len(line))
    ways: dict[str, Callable[[str, int], _Edit | None]] = {**_EDITS, "words": partial(_replaced_words, check)}
    edits: list[_Edit] = []
    for one in findings:
        edit = ways.get(one.rule)
        if edit and one.span and one.span.column and one.span.first < len(starts):
            edits += [found for found in [edit(text, starts[one.span.first - 1] + one.span.column - 1)] if found]
    end = len(text) + 1
    for start, stop, new in sorted(set(edits), reverse=True):
        if stop <= end:
            text, end = text[:start] + new + text[stop:], start
    rules = {one.rule for one in findings}
    for rule, whole in _OF_FILES.items():
        text = whole(text) if rule in rules else text
    return text


def _without_repetition(text: str, at: int) -> _Edit | None:
    before = _REPEATED.search(text[max(0, at - 200) : at])
    if before is None or text[at : at + len(before[1])].lower() != before[1].lower():
        return None
    end = at + len(before[1])
    if "\n" not in before[2]:
        return at - len(before[2]), end, ""
    space = re.compile(r"[ \t]+(?=\S)").match(text, end)
    return (at, space.end(), "") if space else None  # else its line would be left empty


def _nonbreaking(text: str, at: int) -> _Edit | None:
    return (at, at + 1, "\u00a0") if text[at : at + 1] == " " else None


def _replaced_words(check: Check, text: str, at: int) -> _Edit | None:
    for word in check.words:
        match = word_pattern(word).match(text, at)
        if match and match.group() and word.replacement is not None:
            return at, match.end(), match.expand(word.replacement)
    return None


def _visible(text: str, at: int) -> _Edit | None:
    character = text[at : at + 1]
    if character == "\u00a0":
        return at, at + 1, " "  # it is reported in code only
    return (at, at + 1, "") if character in _REMOVED and at > 0 else None


def _without_space(text: str, at: int) -> _Edit | None:
    match = re.compile(r"[ \t]+(?=[,.])").match(text, at)
    return (at, match.end(), "") if match else None


_EDITS: Mapping[str, Callable[[str, int], _Edit | None]] = {
    "invisible-character": _visible,
    "nonbreaking-space": _nonbreaking,
    "repeated-word": _without_repetition,
    "stray-space": _without_space,
}


def _usual_ends(text: str) -> str:
    """Return a text with the line ends that most of its lines have."""
    lines = split_lines(text)
    ends = [line[len(line.rstrip("\r\n")) :] for line in lines]
    usual = max(("\n", "\r\n", "\r"), key=ends.count)
    return "".join(line.rstrip("\r\n") + (usual if end else "") for line, end in zip(lines, ends, strict=True))


def _ended(text: str) -> str:
    if not text or text.endswith(("\n", "\r")):
        return text
    return text + ("\r\n" if "\r\n" in text else "\n")


_OF_FILES: Mapping[str, Callable[[str], str]] = {
    "byte-order-mark": lambda text: text.removeprefix(_BOM),
    "line-endings": _usual_ends,
    "final-newline": _ended,
}
