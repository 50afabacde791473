"""Plain paragraphs are found without a parser, and nothing else is taken for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from d2lbuild.source import prose
from d2lbuild.source.paragraphs import stretches

PIECES = [
    "word", "two words", ":label:`x`", "[**a", "**]", "[a]: b", "[a]", "(b)", "![c](d)", "$x$", "$$", "$$x$$",
    "$$x$$ y", "1. one", "12 two", "3) x", "- item", "* item", "+", "> quote", ">", "# head", "===", "---", "***",
    "___", "| a |", "a | b", "|---|---|", "--- | ---", ":--|", "```", "~~~", "````x", "`code`", "<!--", "-->",
    "<pre>", "</pre>", "<div>", "<b>", "    ", "  ", "\t", "é", "文", "\u2028", "\f", "\u000b", "\u0000", "\\",
    "\"q\"", "_x_", "=", "~",
]  # fmt: skip
_LINE = st.lists(st.sampled_from(PIECES), max_size=3).map("".join)
TEXTS = st.lists(st.tuples(_LINE, st.sampled_from(["\n", "\n\n", "\r\n", "\n   \n", "\r"])), max_size=12).map(
    lambda lines: "".join(line + end for line, end in lines)
)


def _whole(lines: list[str]) -> list[tuple[int, int, bool]]:
    return [(0, len(lines), False)] if lines else []


@given(TEXTS)
@example("- a\n\n  b\n\nplain\n\n    code\n")
@example("<!-- a\n\nplain\n\n-->\n\nplain")
@example("$$a$$ b\n\nplain\n\n$$c$$\n")
@example("$$\n\nword$$\n")
@example("- $$x\n\nword$$\n\nword\n")
@example("[a]: b\nplain\n\n[a\n]: b\n\nc")
def test_the_marks_are_those_of_the_whole_text_parsed(text: str) -> None:
    prose.parse_prose.cache_clear()
    quick = prose.parse_prose(text)
    prose.parse_prose.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prose, "stretches", _whole)
        assert prose.parse_prose(text) == quick
    prose.parse_prose.cache_clear()


def test_most_of_a_text_is_plain() -> None:
    text = (
        "Words.\nMore words.\n\n:label:`x`\n\n- a list\n\n  of two\n\n[**Slides**] again.\n\n```\nopen\n\nto the end\n"
    )
    found = list(stretches(text.splitlines(keepends=True)))
    assert found == [(0, 2, True), (3, 4, True), (5, 8, False), (9, 10, True), (11, 15, False)]
