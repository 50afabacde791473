"""What is wrong with a source as a file: its encoding, the ends of its lines, characters that nobody sees."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from d2lbuild.checking.rules import RULES
from d2lbuild.model import Block, BlockKind, Finding, Section, Severity, Span

__all__ = ["check_file", "found"]

_BOM = b"\xef\xbb\xbf"
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
"""Of no use in any prose; joiners and soft hyphens are of use in some languages."""
_INVISIBLE_IN_CODE = re.compile("[\u200b-\u200d\u2060\ufeff\u202a-\u202e\u2066-\u2069\u00a0\u00ad]")


def found(rule: str, message: str, span: Span, hint: str = "") -> Finding:
    """Return a finding with the severity of its rule."""
    return Finding(rule, message, span, RULES[rule].severity or Severity.WARNING, hint)


def check_file(section: Section, data: bytes) -> Iterator[Finding]:
    """Yield what is wrong with a file that is text; notebooks are written by programs."""
    path = section.path
    if path.suffix == ".ipynb":
        return
    if data.startswith(_BOM):
        yield found(
            "byte-order-mark", "the file begins with a byte order mark", Span(path, 1, 1, 1), "save it without one"
        )
    yield from _line_ends(path, data)
    if data.isascii():
        return
    text = data.decode("utf-8", errors="replace")
    if _INVISIBLE_IN_CODE.search(text):
        yield from _invisible(section, text)


def _line_ends(path: PurePosixPath, data: bytes) -> Iterator[Finding]:
    if data and not data.endswith((b"\n", b"\r")):
        line = data.count(b"\n") + 1
        yield found("final-newline", "the last line of the file does not end", Span(path, line, line))
    if b"\r" in data:
        returns, both, newlines = data.count(b"\r"), data.count(b"\r\n"), data.count(b"\n")
        if both != newlines or both != returns:
            rare = b"\r\n" if 0 < both <= newlines - both else b"\n" if both < newlines else b"\r"
            at = _first_end(data, rare)
            line = data.count(b"\n", 0, at) + 1
            message = f"the lines of the file end in different ways: from here on {_named_end(rare)}"
            yield found("line-endings", message, Span(path, line, line), "save it with one kind of line ends")


def _first_end(data: bytes, end: bytes) -> int:
    alone = {b"\r\n": rb"\r\n", b"\n": rb"(?<!\r)\n", b"\r": rb"\r(?!\n)"}[end]
    match = re.search(alone, data)
    return match.start() if match else 0


def _named_end(end: bytes) -> str:
    return {b"\r\n": "CRLF", b"\n": "LF", b"\r": "CR"}[end]


def _invisible(section: Section, text: str) -> Iterator[Finding]:
    line = 0
    lines = re.split(r"\r\n|\r|\n", text)
    for block in section.blocks:
        count = len(re.findall(r"\r\n|\r|\n", block.text)) or 1
        pattern = _INVISIBLE_IN_CODE if block.kind is BlockKind.CODE else _INVISIBLE
        for number in range(line, min(line + count, len(lines))):
            for match in pattern.finditer(lines[number]):
                if number == 0 and match.start() == 0 and lines[0].startswith("\ufeff"):
                    continue  # a byte order mark
                character = match.group()
                name = unicodedata.name(character, "unnamed").lower()
                where = "code" if _is_code(block) else "the text"
                message = f"an invisible character in {where}: U+{ord(character):04X}, {name}"
                span = Span(section.path, number + 1, number + 1, match.start() + 1)
                yield found("invisible-character", message, span, "remove it")
        line += count


def _is_code(block: Block) -> bool:
    return block.kind is BlockKind.CODE
