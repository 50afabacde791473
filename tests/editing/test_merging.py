"""Two edits of one section put together."""

import pytest

from d2lbuild.editing.merging import merge
from tests.editing.conftest import NAMES

BASE = "# T\n\nOne.\n\nTwo.\n\n```{.python .input}\na\n```\n\nThree.\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("One.", "Uno."), ("Two.", "Due.")),
        (("One.", "Uno."), ("a\n", "b\n")),
        (("Three.\n", "Three.\n\nFour.\n"), ("# T", "# Title")),
        (("One.\n\n", ""), ("Two.", "Due.")),
        (("One.", "Uno."), ("One.", "Uno.")),
    ],
)
def test_edits_of_different_blocks_are_put_together(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = BASE.replace(*one), BASE.replace(*other)
    wanted = first if one == other else first.replace(*other)
    assert merge(BASE, first, second, NAMES) == wanted
    assert merge(BASE, second, first, NAMES) == wanted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("One.", "Uno."), ("One.", "Un.")),
        (("a\n", "b\n"), ("a\n", "c\n")),
        (("One.\n\n", ""), ("One.", "Uno.")),
        (("Three.\n", "Three.\n\nFour.\n"), ("Three.\n", "Three.\n\nFive.\n")),
    ],
)
def test_edits_of_the_same_block_clash(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert merge(BASE, BASE.replace(*one), BASE.replace(*other), NAMES) is None


@pytest.mark.parametrize("text", ["", "a", "\n\n", "  \n a\r\n\r\n  \r\nb", "```\n\nx\n```", BASE])
def test_no_change_changes_nothing(text: str) -> None:
    assert merge(text, text, text, NAMES) == text
    assert merge(text, text, text + "\nz", NAMES) == text + "\nz"
