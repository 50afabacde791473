"""Fences found the fast way are those that markdown-it finds."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.source.fences import FencedBlock, find_fences, parsed_fences
from d2lbuild.source.prose import split_lines

CHAPTERS = Path(__file__).parents[2] / "chapters"

PIECES = st.sampled_from(
    ["```", "````", "`````", "``", "`", "~~~", "~~~~", "~", " ", "  ", "   ", "    ", "\t", "- ", "* ", "12) ", "1. ",
     "> ", ">", "#", "# T", "a", "b c", "|", "|-|", "$$", "---", "===", "<div>", "</div>", "<!--", "-->", "<pre>",
     "{.python .input}", "python", "[a]: b", "\\", "\0", "\f", "\u2028", "\x85", "é", "`a`", "```x```", ":label:`a`"]
)  # fmt: skip
FENCES = st.sampled_from(
    ["```", "````", "```python", "```{.python .input}", " ```", "   ```", "    ```", "``` ", "~~~"]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\n\n", "\r\n", "\r"])
LINES = st.one_of(FENCES, st.lists(PIECES, max_size=5).map("".join))


def parsed(lines: Sequence[str]) -> list[FencedBlock]:
    return list(parsed_fences("".join(line.rstrip("\r\n") + "\n" for line in lines), lines))


@given(st.lists(st.tuples(LINES, ENDS), max_size=25), LINES)
def test_the_fast_way_finds_what_the_parser_finds(pairs: list[tuple[str, str]], last: str) -> None:
    lines = split_lines("".join(line + end for line, end in pairs) + last)
    assert list(find_fences(lines).values()) == parsed(lines)


@pytest.mark.parametrize("path", sorted(CHAPTERS.rglob("*.md")), ids=lambda path: path.stem)
def test_so_it_does_in_chapters(path: Path) -> None:
    lines = split_lines(path.read_text(encoding="utf-8"))
    assert list(find_fences(lines).values()) == parsed(lines)


def test_fences_at_the_margin() -> None:
    text = "# T\n- item\n```python\n```x\n ```\ntext\n````\n```\n"
    first, second = find_fences(split_lines(text)).values()
    assert first == FencedBlock(2, 5, "```", "python", "```x\n", closed=True)
    assert second == FencedBlock(6, 8, "````", "", "```\n", closed=False)


def test_fences_in_lists_and_quotations_are_found_too() -> None:
    text = "- item\n\n  ```python\n  x\n  ```\n> ~~~\n> y\n> ~~~\n"
    first, second = find_fences(split_lines(text)).values()
    assert (first.first, first.end, first.content) == (2, 5, "x\n")
    assert (second.first, second.end, second.content) == (5, 8, "y\n")
