"""The fences of a file: which of its lines they take, and what stands inside.

markdown-it decides what is a fence. It looks at every line for all that may hold one, a list or a quotation, while
nearly all files have their fences at the left margin: those are found far faster, where nothing else can be a fence.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from d2lbuild.source.prose import block_parser, is_closed

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["FencedBlock", "find_fences", "parsed_fences"]

_AT_THE_MARGIN = re.compile(
    r"^(?P<markup>`{3,}+)(?P<info>[^`\n]*)\n(?P<content>(?:.*\n)*?)(?: {0,3}(?P=markup)`*[ \t]*\n|\Z)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class FencedBlock:
    """A fence of any kind."""

    first: int
    """Its first line, counted from 0."""
    end: int
    """The line after it."""
    markup: str
    """The backticks or tildes that open it."""
    info: str
    content: str
    """What stands inside, without the indentation of the fence."""
    closed: bool


def find_fences(lines: Sequence[str]) -> Mapping[int, FencedBlock]:
    """Return the fences among the lines of a file, by their first line."""
    text = "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    if lines and not text.endswith("\n"):
        text += "\n"
    found = list(_AT_THE_MARGIN.finditer(text))
    edges = [0, *(edge for match in found for edge in match.span()), len(text)]
    outside = "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    # A NUL character is another one to markdown-it.
    alone = "```" not in outside and "~~~" not in outside and "\0" not in text
    fences = _at_the_margin(found, lines) if alone else parsed_fences(text, lines)
    return {fence.first: fence for fence in fences}


def _at_the_margin(found: Sequence[re.Match[str]], lines: Sequence[str]) -> Iterator[FencedBlock]:
    """Yield fences that begin at the left margin: one does so whatever stands above it, unless that is a fence too."""
    line = at = 0
    for match in found:
        line += match.string.count("\n", at, match.start())
        at = match.end()
        end = line + match.group().count("\n")
        markup, info, content = match.group("markup", "info", "content")
        yield FencedBlock(line, end, markup, info, content, is_closed(lines[line:end], markup))
        line = end


def parsed_fences(text: str, lines: Sequence[str]) -> Iterator[FencedBlock]:
    """Yield the fences that markdown-it finds, wherever they stand."""
    for token in _parser().parse(text):
        if token.type == "fence" and token.map:
            first, end = token.map[0], min(token.map[1], len(lines))
            closed = is_closed(lines[first:end], token.markup)
            yield FencedBlock(first, end, token.markup, token.info, token.content, closed)


@cache
def _parser() -> "MarkdownIt":
    """Return what finds fences and what they may stand in, and nothing else: twice as fast."""
    others = ["heading", "lheading", "hr", "html_block", "reference", "table", "math_block"]
    return block_parser().disable(others)
