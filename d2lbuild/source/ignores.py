"""Comments that tell `check` what not to report: ``<!-- d2lbuild: ignore RULE, … -->``, and the same behind ``#``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from d2lbuild.model import Block, BlockKind, Section, Span
from d2lbuild.source.marks import MarkKind
from d2lbuild.source.prose import Prose, parse_prose, split_lines

__all__ = ["Ignore", "find_ignores", "without_comment", "without_ignores"]

_SIGN = "d2lbuild:"
_COMMENT = re.compile(r"<!--[ \t]*d2lbuild:[ \t]*(?P<what>ignore(?:-file)?)\b[ \t]*(?P<rules>[^>\r\n]*?)[ \t]*-->")
_IN_CODE = re.compile(r"(?:#|//|--|%|;)[ \t]*d2lbuild:[ \t]*ignore\b[ \t]*(?P<rules>[\w ,-]*?)[ \t]*$")
_NAME = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One rule that a comment names, and the lines of the file where it is not to report anything."""

    rule: str
    span: Span
    """Where the rule is named."""
    first: int
    last: int | None
    """None: the end of the file."""


def without_ignores(text: str) -> str:
    """Return prose without such comments; its lines stay."""
    if _SIGN not in text:
        return text
    for match in reversed(list(_comments(text, parse_prose(text)))):
        text = text[: match.start()].rstrip(" \t") + text[match.end() :] if _ends(match) else _cut(text, match)
    return text


def without_comment(title: str) -> str:
    """Return a title without such comments."""
    return _COMMENT.sub("", title).strip() if _SIGN in title else title


def _ends(match: re.Match[str]) -> bool:
    """Whether a comment is the last thing on its line."""
    return match.string[match.end() : match.end() + 1] in {"", "\r", "\n"}


def _cut(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + text[match.end() :]


def _comments(text: str, prose: Prose) -> Iterator[re.Match[str]]:
    """Yield the comments of prose, but not those that a listing or a code span shows."""
    shown = [(fence.start, fence.end) for fence in prose.fences]
    shown += [(mark.start, mark.end) for mark in prose.marks if mark.kind is MarkKind.CODE]
    for match in _COMMENT.finditer(text):
        if not any(start <= match.start() < end for start, end in shown):
            yield match


def find_ignores(section: Section) -> Iterator[Ignore]:
    """Yield what the comments of a section, cut into blocks, say."""
    line = 0
    lines = [one for block in section.blocks for one in split_lines(block.text)]
    for number, block in enumerate(section.blocks):
        if _SIGN in block.text:
            if block.kind is BlockKind.PROSE:
                yield from _of_prose(section, number, line, lines)
            elif block.kind in {BlockKind.CODE, BlockKind.FURNITURE}:
                yield from _of_code(section, block, line)
        line += len(split_lines(block.text))


def _of_prose(section: Section, number: int, line: int, lines: Sequence[str]) -> Iterator[Ignore]:
    text = section.blocks[number].text
    prose = parse_prose(text)
    for match in _comments(text, prose):
        at = line + prose.line(match.start())
        if match["what"] == "ignore-file":
            reach: tuple[int, int | None] = (0, None)
        elif lines[at].replace(match.group(), "").strip():
            reach = (at, at)
        else:
            reach = _next_block(section, lines, at)
        column = prose.column(match.start("rules"))
        yield from _named(section, match["rules"], at, column, reach)


def _next_block(section: Section, lines: Sequence[str], at: int) -> tuple[int, int]:
    """Return the lines of what follows a comment: a whole fence, or what goes on until a blank line."""
    first = at + 1
    while first < len(lines) and (not lines[first].strip() or _COMMENT.fullmatch(lines[first].strip())):
        first += 1
    begun = 0
    for block in section.blocks:
        end = begun + len(split_lines(block.text))
        if begun <= first < end and block.kind is not BlockKind.PROSE:
            return at, end - 1
        begun = end
    last = first
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    return at, min(last, len(lines) - 1)


def _of_code(section: Section, block: Block, line: int) -> Iterator[Ignore]:
    for offset, text in enumerate(split_lines(block.text)):
        if _SIGN in text and (match := _IN_CODE.search(text.rstrip("\r\n"))):
            at = line + offset
            alone = not text[: match.start()].strip()
            yield from _named(section, match["rules"], at, match.start("rules") + 1, (at, at + alone))


def _named(section: Section, rules: str, at: int, column: int, reach: tuple[int, int | None]) -> Iterator[Ignore]:
    first, last = reach
    number = _line(section, at)
    for name in _NAME.finditer(rules):
        rule, offset = name.group(), name.start()
        yield Ignore(
            rule,
            Span(section.path, number, number, column + offset),
            _line(section, first) if last is not None else 1,
            _line(section, last) if last is not None else None,
        )


def _line(section: Section, index: int) -> int:
    """Return the line of the file of a line of the section's text, counted from 0."""
    lines = section.lines
    return lines[min(index, len(lines) - 1)] if lines else index + 1
