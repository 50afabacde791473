"""Where links lead."""

from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.model import Finding, Section
from d2lbuild.source.links import Link, anchor_key, find_link, unique_key
from tests.books import book

SECTIONS = frozenset({"index", "part/index", "part/one", "part/two words"})


@pytest.mark.parametrize(
    ("target", "section", "fragment"),
    [
        ("one.md", "part/one", ""),
        ("one.ipynb", "part/one", ""),
        ("one.html", "part/one", ""),
        ("one.html?q=1#a%20b", "part/one", "a b"),
        ("../part/./one.md#x", "part/one", "x"),
        ("/part/one.md", "part/one", ""),
        ("/index.html", "index", ""),
        ("two%20words.md", "part/two words", ""),
        ("./", "part/index", ""),
        ("/part/#x", "part/index", "x"),
        ("..", "index", ""),
        ("#here", "part/one", "here"),
    ],
)
def test_sections(target: str, section: str, fragment: str, tmp_path: Path) -> None:
    here = Section("part/one", PurePosixPath("chapters/part/one.md"), (), "")
    assert find_link(target, here, SECTIONS, tmp_path) == Link(section, fragment)


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("data.csv", "chapters/part/data.csv"),
        ("../img/a.svg#x", "chapters/img/a.svg"),
        ("/setup.py", "setup.py"),
        ("gone.md", "chapters/part/gone.md"),
        ("../../../etc/passwd", None),
    ],
)
def test_files(target: str, file: str | None, tmp_path: Path) -> None:
    here = Section("part/one", PurePosixPath("chapters/part/one.md"), (), "")
    assert find_link(target, here, SECTIONS, tmp_path).file == (tmp_path / file if file else None)


def test_spellings_of_a_place_agree() -> None:
    spellings = ["What's new?", "whats-new", "what-s-new", "What%27s-new".replace("%27", "'")]
    assert {anchor_key(text) for text in spellings} == {"whatsnew"}
    assert anchor_key("sec_linear-model") == anchor_key("Sec: linear model")
    assert anchor_key("线性 回归") == "线性回归"
    assert [unique_key("Exercises", ()), unique_key("Exercises", ["exercises"])] == ["exercises", "exercises1"]


def _findings(tmp_path: Path, text: str) -> list[Finding]:
    files = {
        "index.md": "# I\n```toc\none\ntwo\n```\n",
        "one.md": f"# One\n{text}\n## A `part` of $x$ :numref:`sec_two`\n",
        "two.md": "# Two\n:label:`sec_two`\n\n## Part\n\n## Part\n\n$$a$$\n:eqlabel:`eq_a`\n",
        "data.csv": "1",
    }
    return list(book(tmp_path, files).findings)


def test_links_that_lead_somewhere(tmp_path: Path) -> None:
    targets = [
        *("two.ipynb", "two.html", "/two.md", "data.csv", "#one", "#a-part-of-x", "#a--part-of-x-"),
        *(
            "two.md#sec_two",
            "two.md#sec-two",
            "two.md#part",
            "two.md#part-1",
            "two.html#eq_a",
            "https://x.example/y.md",
        ),
    ]
    assert _findings(tmp_path, " ".join(f"[x]({target})" for target in targets)) == []


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    found = _findings(tmp_path, "[a](tow.md) [b](../../out.md) [c](date.csv)\n[d](two.md#part-2) [e](#gone)")
    assert [(one.rule, one.severity.value, one.span and one.span.first) for one in found] == [
        ("missing-link", "error", 2),
        ("missing-link", "error", 2),
        ("missing-link", "warning", 2),
        ("missing-anchor", "warning", 3),
        ("missing-anchor", "warning", 3),
    ]
    assert found[0].hint == "did you mean 'two.md'?"
    assert found[3].message == "chapters/two.md has no heading or label 'part-2'"
    assert found[4].message == "this section has no heading or label 'gone'"
