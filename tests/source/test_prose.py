"""The marks of the dialect in prose."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.source.marks import Mark, MarkKind
from d2lbuild.source.prose import parse_prose, split_lines
from tests.books import read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "marks.txt")


def shown(mark: Mark, text: str) -> str:
    name = f":{mark.name}" if mark.name else ""
    value = f"={mark.value}" if mark.value else ""
    inner = f" [{text[slice(*mark.inner)]}]" if mark.inner != (0, 0) else ""
    return f"{mark.kind.value}{name}{value}{inner}"


@pytest.mark.parametrize(("title", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_marks(title: str, text: str, expected: str) -> None:
    assert "\n".join(shown(mark, text) for mark in parse_prose(text).marks) == expected


def test_a_heading_takes_the_labels_under_it() -> None:
    prose = parse_prose("## Title $x$ ##\n:label:`sec_a`\n:label:`sec_b`\nText.\n")
    (heading,) = prose.headings
    assert (heading.level, prose.text[slice(*heading.text)]) == (2, "Title $x$")
    assert [label.value for label in heading.labels] == ["sec_a", "sec_b"]


def test_an_underlined_heading() -> None:
    (heading,) = parse_prose("Title\n=====\n:label:`a`\n").headings
    assert (heading.level, heading.text, heading.labels[0].value) == (1, (0, 5), "a")


def test_a_figure_takes_the_attributes_under_it() -> None:
    (figure,) = parse_prose("![Cap](a.svg)\n:width:`300px`\n:label:`fig_a`\n").figures
    assert (figure.width, [label.value for label in figure.labels]) == ("300px", ["fig_a"])


def test_an_image_within_a_line_is_no_figure() -> None:
    assert parse_prose("see ![x](a.svg) here").figures == ()
    assert len(parse_prose("![x](a.svg)").figures) == 1


def test_a_table_with_caption_and_label() -> None:
    text = ":Sizes of $x$\nand y\n\n|a|b|\n|-|-|\n|1|2|\n:label:`tab_a`\n\nMore.\n"
    (table,) = parse_prose(text).tables
    assert table.caption
    assert text[slice(*table.caption)] == "Sizes of $x$\nand y"
    assert [label.value for label in table.labels] == ["tab_a"]
    assert text[table.start : table.end].endswith("|1|2|")


def test_the_label_of_a_table_may_stand_in_its_caption() -> None:
    (table,) = parse_prose(":Sizes\n:label:`tab_a`\n\n|a|\n|-|\n|1|\n").tables
    assert (table.caption, table.labels[0].value) == ((1, 6), "tab_a")


def test_a_paragraph_that_begins_with_a_role_is_no_caption() -> None:
    (table,) = parse_prose(":cite:`a` says\n\n|a|\n|-|\n|1|\n").tables
    assert table.caption is None


def test_an_equation_with_its_label() -> None:
    prose = parse_prose("text\n$$a = b$$\n:eqlabel:`eq_a`\nmore $$c$$\n")
    assert [(one.mark.value, one.label and one.label.value) for one in prose.equations] == [
        ("a = b", "eq_a"),
        ("c", None),
    ]


def test_a_fence_that_is_not_closed() -> None:
    (fence,) = parse_prose("```bash\nls\n").fences
    assert (fence.info, fence.closed) == ("bash", False)


@given(st.text(alphabet="a:`$[]()*~!|#\n\r -\\{}éλ", max_size=60))
def test_any_text_is_parsed_and_offsets_lie_in_it(text: str) -> None:
    prose = parse_prose(text)
    assert "".join(split_lines(text)) == text
    for mark in prose.marks:
        assert 0 <= mark.start < mark.end <= len(text)
        if mark.kind is MarkKind.ROLE:
            assert text[mark.start : mark.end] == f":{mark.name}:`{mark.value}`"


def test_a_caption_may_follow_its_table() -> None:
    prose = parse_prose("|a|\n|-|\n|1|\n\n:  A caption  :label:`tab_b`\n")
    (table,) = prose.tables
    assert table.caption is not None
    assert prose.text[slice(*table.caption)] == "A caption"
    assert [label.value for label in table.labels] == ["tab_b"]


def test_maths_that_a_list_item_goes_on_with() -> None:
    assert parse_prose("- item\n$$x$$\n").lazy == {1: 2}
    assert parse_prose("10. item\n   $$\nx\n$$\n").lazy == {1: 4, 2: 4, 3: 4}
    assert parse_prose("- item\n\n$$x$$\n").lazy == {}
    assert parse_prose("- item\n  $$x$$\n").lazy == {}
