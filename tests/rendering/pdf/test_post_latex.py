"""The program of a book that changes its LaTeX: how it is called, and what happens if it fails."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import Config, Pdf, Text
from d2lbuild.errors import BookError
from d2lbuild.model import Severity, Span
from d2lbuild.rendering.pdf.post_latex import changed_by_program, not_run
from tests.rendering.pages import make_config

SPAN = Span(PurePosixPath("config.ini"), 61, 61)
START = "import os, pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    root = tmp_path / "a böok"
    (root / "static").mkdir(parents=True)
    return replace(make_config(root), pdf=Pdf(post_latex=Text("static/main.py", SPAN)))


def ran(config: Config, code: str, text: str = "Ünal\n") -> str:
    (config.root / "static" / "main.py").write_text(START + code, "utf-8")
    return changed_by_program(text, config, config.root.parent / "work" / "book.tex")


def test_it_changes_the_file_that_it_is_given(config: Config) -> None:
    code = "with open(file) as one: text = one.read()\nwith open(file, 'w') as one: one.write(text.replace('Ü', 'Ö字'))"
    assert ran(config, code) == "Ö字nal\n"


def test_it_stands_in_the_folder_of_the_book_and_has_one_argument(config: Config) -> None:
    told = ran(config, "file.write_text('\\n'.join([os.getcwd(), *sys.argv[1:]]))").split("\n")
    assert told == [str(config.root), str(config.root.parent / "work" / "book.tex")]


def test_one_that_fails_is_told_with_what_it_says(config: Config) -> None:
    with pytest.raises(BookError) as caught:
        ran(config, "print('half done')\nraise ValueError('no chapter')")
    first, *said = caught.value.message.split("\n")
    assert first == "config.ini:61: the program static/main.py failed with exit code 1:"
    assert said[:2] == ["  half done", "  Traceback (most recent call last):"]
    assert said[-1] == "  ValueError: no chapter"
    assert "--run-post-latex" in caught.value.hint


@pytest.mark.parametrize("code", ["file.unlink()", "file.write_bytes(b'\\xff')"])
def test_one_that_leaves_no_text(config: Config, code: str) -> None:
    with pytest.raises(BookError, match="left no text in UTF-8"):
        ran(config, code)


def test_one_that_is_not_there(config: Config) -> None:
    with pytest.raises(BookError, match=r"there is no file static/main\.py"):
        changed_by_program("", config, config.root.parent / "book.tex")


def test_that_it_is_not_run_is_told(config: Config) -> None:
    (finding,) = not_run(config)
    assert (finding.rule, finding.span, finding.severity) == ("code-not-run", SPAN, Severity.WARNING)
    assert "--run-post-latex" in finding.hint
    assert list(not_run(replace(config, pdf=Pdf()))) == []
