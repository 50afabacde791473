"""Mending: what is certain, and not a byte more."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.checking.book import check_book
from d2lbuild.checking.files import found
from d2lbuild.checking.fixing import Fixed, fix_book, fixed_text
from d2lbuild.config import load_config
from d2lbuild.config.types import Check, WordRule
from d2lbuild.model import Span
from tests.books import CONF, INDEX, write_book

SETTINGS = """
[check.rules]
nonbreaking-space = "note"
final-newline = "note"

[check.words]
'\\bdata sets?\\b' = { message = "one word", replacement = 'dataset' }
'\\bobviously\\b' = "nothing is"
"""
START = "# One\n:label:`sec_one`\n\n"
PATH = PurePosixPath("chapters/one.md")


def mended(root: Path, chapter: bytes) -> bytes:
    """Return a chapter as it is after mending; mending it again changes nothing."""
    write_book(root, {"index.md": INDEX, "one.md": chapter, "two.md": "# Two\n"}, conf=CONF + SETTINGS)
    config = load_config(root)
    for one in fix_book(config, check_book(config)):
        one.write(root)
    assert fix_book(config, check_book(config)) == []
    return (root / PATH).read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The the text is is in\nin it.", "The text is is in\nit."),
        ("It is in\nin\nit.", "It is in\nin\nit."),  # its line would be left empty
        ("See :numref:`sec_one`.", "See\u00a0:numref:`sec_one`."),
        ("Two data sets, `data set`.", "Two dataset, `data set`."),
        ("It is obviously so.", "It is obviously so."),
        ("A zero\u200bwidth space.", "A zerowidth space."),
        ("A \u202eturned\u202c word.", "A \u202eturned\u202c word."),
        ("```{.python .input}\n#@tab all\nx =\u00a01\n```", "```{.python .input}\n#@tab all\nx = 1\n```"),
        ("See <!-- d2lbuild: ignore repeated-word --> the the text.", None),
        ("An :unknwon:`mark` and :numref:`sec_onw`.", "An :unknwon:`mark` and\u00a0:numref:`sec_onw`."),
        ("A formula $x$ , and more .\nEnd .", "A formula $x$, and more.\nEnd."),
        ("Trailing space  \nand\ttabs.  ", "Trailing space  \nand\ttabs.  "),
    ],
)
def test_single_places(tmp_path: Path, before: str, after: str | None) -> None:
    chapter = f"{START}{before}\n"
    assert mended(tmp_path, chapter.encode()) == (chapter if after is None else f"{START}{after}\n").encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf# One\n", b"# One\n"),
        (b"# One\r\n\r\nA\nB\r\n", b"# One\r\n\r\nA\r\nB\r\n"),
        (b"# One\n\nA\r\nB\rC\n", b"# One\n\nA\nB\nC\n"),
        (b"# One\r\n\r\nText", b"# One\r\n\r\nText\r\n"),
        (b"# One\r\n\r\nThe the text\r\n", b"# One\r\n\r\nThe text\r\n"),
        (b"# One\n\nThe the \xff text\n", b"# One\n\nThe the \xff text\n"),  # it is not UTF-8
    ],
)
def test_whole_files(tmp_path: Path, before: bytes, after: bytes) -> None:
    assert mended(tmp_path, before) == after


def test_notebooks_are_left_alone(tmp_path: Path) -> None:
    source = (
        '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# One\\n", "The the text"]}], '
    )
    source += '"metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    root = write_book(tmp_path, {"index.md": INDEX, "one.ipynb": source, "two.md": "# Two\n"})
    config = load_config(root)
    findings = check_book(config)
    assert "repeated-word" in {one.rule for one in findings}
    assert fix_book(config, findings) == []


@given(
    st.text(alphabet="the \u200b\u00a0\r\n:`a", max_size=60),
    st.lists(st.tuples(st.sampled_from(["repeated-word", "nonbreaking-space", "invisible-character", "words"]),
                       st.integers(1, 8), st.integers(1, 20)), max_size=6),
)  # fmt: skip
def test_places_that_do_not_fit_change_little(text: str, places: list[tuple[str, int, int]]) -> None:
    findings = [found(rule, "", Span(PATH, line, line, column)) for rule, line, column in places]
    after = fixed_text(text, findings, Check())
    rest = iter(text.replace("\u00a0", " "))
    assert all(character in rest for character in after.replace("\u00a0", " "))  # nothing is added or moved


def test_the_difference_of_a_file() -> None:
    fixed = Fixed(PATH, "a\nb\nlast", "a\nc\nlast")
    assert "".join(fixed.diff) == (
        "--- chapters/one.md\n+++ chapters/one.md\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n last\n\\ No newline at end of file\n"
    )


def test_of_edits_that_overlap_the_later_one_is_made() -> None:
    words = (WordRule("a b", "", "x"), WordRule("b c", "", "y"))
    findings = [found("words", "", Span(PATH, 1, 1, column), "") for column in (1, 3)]
    assert fixed_text("a b c", findings, Check(words=words)) == "a y"


@pytest.mark.parametrize(("before", "after"), [("", ""), ("a\n", "a\n"), ("a\r\nb", "a\r\nb\r\n"), ("a\rb", "a\rb\n")])
def test_the_end_of_a_file(before: str, after: str) -> None:
    assert fixed_text(before, [found("final-newline", "", Span(PATH, 1, 1), "")], Check()) == after
