import configparser
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.config.ini import Ini, read_ini
from d2lbuild.config.problems import Problems

PIECES = [
    "[build]",
    "[html]",
    "  [indented]",
    "a = 1",
    "B: 2, 3",
    "c =",
    "  d = four",
    "    five, -> six",
    "  # a comment",
    "# another = comment",
    "; the third",
    "no separator",
    "= no key",
    "",
    "   ",
    "url = http://a.b/c?d=e#f  # kept",
]


def read(text: str) -> tuple[Ini, Problems]:
    problems = Problems()
    return read_ini(text, PurePosixPath("config.ini"), problems), problems


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_values_and_errors_are_those_of_configparser(lines: list[str]) -> None:
    text = "\n".join(lines)
    ini, problems = read(text)
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        assert problems.findings
        return
    assert not problems.findings
    assert {name: dict(parser[name]) for name in parser.sections()} == {
        name: {key: entry.value for key, entry in section.items()} for name, section in ini.sections.items()
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("100%%", "100%"),
        ("图%%s, 表%%s", "图%s, 表%s"),
        ("http://a/b%20c", "http://a/b%20c"),
        ("%(who)s and %(WHO)s", "me and me"),
        ("%%(who)s", "%(who)s"),
    ],
)
def test_percent_signs(written: str, value: str) -> None:
    ini, problems = read(f"[a]\nwho = me\nkey = {written}\n")
    assert ini.text("a", "key") == value
    assert not problems.findings


def test_a_name_that_means_nothing_stays_and_is_reported() -> None:
    ini, problems = read("[a]\nkey = x\n  %(nobody)s\nround = %(round)s\n")
    assert ini.text("a", "key") == "x\n%(nobody)s"
    assert [finding.span.first for finding in problems.findings if finding.span] == [3, 4]


def test_each_line_of_a_value_knows_its_line() -> None:
    ini, _ = read("[a]\nkey =\n  one\n  # a comment\n\n  two\n\nnext = 1\n")
    entry = ini.entry("a", "key")
    assert entry is not None
    assert [(line.text, line.span.first) for line in entry.lines] == [("", 2), ("one", 3), ("", 5), ("two", 6)]


def test_default_values_hold_in_every_section() -> None:
    ini, _ = read("[DEFAULT]\nlang = de\n[project]\nname = x\n")
    assert ini.text("project", "lang") == "de"


def test_repeated_keys_and_sections_name_the_first_place() -> None:
    _, problems = read("[a]\nx = 1\nX = 2\n[a]\n")
    assert [str(finding) for finding in problems.findings] == [
        "config.ini:3: error: key `x` stands on line 2 already [repeated]",
        "config.ini:4: error: section [a] stands on line 1 already [repeated]",
    ]
