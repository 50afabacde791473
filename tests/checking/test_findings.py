"""What is found in a chapter, with line, column and severity: cases in a text file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from d2lbuild.checking.book import check_book
from d2lbuild.config import load_config
from d2lbuild.model import Finding
from tests.books import CONF, INDEX, read_cases, write_book

CASES = read_cases(Path(__file__).parent / "cases" / "findings.txt")
SETTINGS = """\
bibliography = ["conf/works.bib"]

[check]
line_length = 40

[check.rules]
nonbreaking-space = "note"
unused-label = "note"

[check.words]
'\\bdata set' = { message = "one word", replacement = "dataset" }
"""
FILES = {"index.md": INDEX.replace("one\ntwo", "part/index"), "other.txt": "", "part/page.md": "# Page\n\n## Heading\n"}
TOC = "\n```toc\npage\n```\n"


def lines(found: tuple[Finding, ...]) -> Iterator[str]:
    for one in found:
        hint = f" ({one.hint})" if one.hint else ""
        place = f"{one.span.first}:{one.span.column}" if one.span else "-"
        yield f"{place} {one.severity.value} {one.rule}: {one.message}{hint}"


def checked(root: Path, chapter: str) -> tuple[Finding, ...]:
    write_book(
        root, {**FILES, "part/index.md": chapter + TOC}, conf=CONF.replace('"jax"]', '"jax", "mxnet"]') + SETTINGS
    )
    (root / "conf" / "works.bib").write_text("@book{known, title={T}}\n", encoding="utf-8")
    found = check_book(load_config(root))
    return tuple(one for one in found if one.span and one.span.path.name == "index.md" and one.rule != "unused-label")


@pytest.mark.parametrize(("title", "chapter", "expected"), CASES, ids=[case[0] for case in CASES])
def test_cases(tmp_path: Path, title: str, chapter: str, expected: str) -> None:
    text = chapter.replace("<ZWSP>", "\u200b").replace("<NBSP>", "\u00a0").replace("<TAB>", "\t")
    assert "\n".join(lines(checked(tmp_path, text))) == expected


def test_labels_that_nothing_refers_to(tmp_path: Path) -> None:
    chapter = (
        "# One\n:label:`sec_one`\n\n$$x$$ :eqlabel:`eq_x`\n\n$$y$$\n:eqlabel:`eq_y`\n\n[link](#sec_one) :eqref:`eq_x`\n"
    )
    write_book(tmp_path, {**FILES, "part/index.md": chapter + TOC}, conf=CONF + SETTINGS)
    (tmp_path / "conf" / "works.bib").write_text("", encoding="utf-8")
    found = [one for one in check_book(load_config(tmp_path)) if one.rule == "unused-label"]
    assert [one.message for one in found] == [
        "nothing refers to the label 'chap_book'",
        "nothing refers to the label 'eq_y'",
    ]


def test_outputs_that_a_notebook_holds(tmp_path: Path) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "1"}
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# One\n:numref:`lost`"},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "1", "outputs": [output], "execution_count": 1},
    ]
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
    write_book(tmp_path, {"index.md": INDEX, "one.ipynb": notebook, "two.md": "# Two\n"})
    found = {one.rule: one for one in check_book(load_config(tmp_path))}
    assert found.keys() == {"outputs-in-source", "undefined-label"}
    lines = notebook.split("\n")
    span = found["undefined-label"].span
    assert span
    assert lines[span.first - 1][span.column - 1 :].startswith("lost`")
