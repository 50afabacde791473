"""The LaTeX of a whole book."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import Html, Pdf
from d2lbuild.rendering.pdf.book_text import book_text, framed, without_images
from d2lbuild.rendering.pdf.fonts import Font, Fonts
from d2lbuild.rendering.pdf.latex_pages import PageText, Written
from tests.rendering.pages import PYTORCH, make_config

FONTS = Fonts(Font("Main", ()), Font("Sans", ()), Font("Mono", ()), Font("Math", ()))


def whole(tmp_path: Path, body: str = "BODY", **changes: object) -> str:
    config = replace(make_config(tmp_path), **changes)  # type: ignore[arg-type]
    return framed(body, PYTORCH, config, FONTS, "CHARACTERS", language="english", logo="")


def test_pages_follow_each_other_and_arabic_numbers_begin_with_the_first_chapter(tmp_path: Path) -> None:
    pages = {
        "index": PageText("%@include preface one\n", {}, []),
        "preface": PageText("PREFACE\n", {}, []),
        "one": PageText("ONE\n", {}, ["beta_1", "Alpha"]),
    }
    text = book_text(Written(pages, frozenset({"one"})), "index", make_config(tmp_path))
    assert text.startswith("PREFACE\n\n\\mainmatter\nONE\n")
    entries = [line for line in text.split("\n") if "dlindexentry" in line]
    assert entries == [
        "\\dlindexentry{Alpha}{\\detokenize{saved:Alpha}}",
        "\\dlindexentry{beta\\_1}{\\detokenize{saved:beta_1}}",
    ]


def test_nothing_of_the_configuration_is_taken_for_latex(tmp_path: Path) -> None:
    text = whole(tmp_path, title="50% of $x$ & \\input{y}", author="A_B", copyright="#1", release="~")
    assert "\\input{y}" not in text
    assert "50\\% of \\$x\\$ \\& " in text
    assert "A\\_B" in text
    assert "@" not in text.split("\\begin{document}")[1].replace("BODY", "")


def test_what_the_text_says_is_no_place_to_fill(tmp_path: Path) -> None:
    assert "write @title@ here" in whole(tmp_path, "write @title@ here")


@pytest.mark.parametrize(
    ("pdf", "expected"),
    [
        (Pdf(), ["\\documentclass[10pt,twoside,openany]{book}", "\\usepackage[screen]{d2lbook}"]),
        (Pdf(variant="print"), ["openright]{book}", "\\usepackage[print]{d2lbook}"]),
        (Pdf(document_class=PurePosixPath("conf/ours.cls")), ["{ours}"]),
        (Pdf(preamble=PurePosixPath("conf/more.tex")), ["\\newcommand{\\mine}{@body@}"]),
    ],
)
def test_what_a_book_can_choose(tmp_path: Path, pdf: Pdf, expected: list[str]) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "more.tex").write_text("\\newcommand{\\mine}{@body@}", "utf-8")
    text = whole(tmp_path, pdf=pdf)
    for words in expected:
        assert words in text


def test_the_books_own_commands_for_formulas(tmp_path: Path) -> None:
    text = whole(tmp_path, html=replace(Html(), math_macros={"RR": "\\mathbb{R}", "norm": "\\|#1\\|_{#2}"}))
    assert "\\renewcommand{\\RR}{\\mathbb{R}}" in text
    assert "\\renewcommand{\\norm}[2]{\\|#1\\|_{#2}}" in text


def test_an_image_that_cannot_be_shown_leaves_a_mark() -> None:
    text = "a \\sphinxincludegraphics[width=0.5\\linewidth]{{images/x}.pdf} b \\sphinxincludegraphics{{images/y}.png}"
    assert without_images(text, ["x.pdf"]) == "a \\dlabsent{x} b \\sphinxincludegraphics{{images/y}.png}"
