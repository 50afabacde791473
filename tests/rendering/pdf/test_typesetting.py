"""Setting a book with mistakes, without LaTeX: what is set aside, and what is told."""

from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.model import Severity
from d2lbuild.rendering.pdf.places import Places
from d2lbuild.rendering.pdf.typesetting import not_shown, set_aside, set_book
from d2lbuild.rendering.pdf.xelatex import Typesetter
from d2lbuild.rendering.sources.page_notebook import LinePositions

TEXT = "start\n%@one 10002\ngood\n%@\n%@one 10003\nbad \\end{Verbatim}\n%@one 10004\ninner 字\n%@\n%@\nend"

STOPS = "LaTeX stops here after `x \\y`: Undefined control sequence"


def places_of(text: str) -> Places:
    return Places(text, {"one": PurePosixPath("one.md")}, {"one": LinePositions(((4, 5, 6),))})


class Pretender(Typesetter):
    """Complains of each line that begins with one of the words."""

    def __init__(self, folder: Path, *words: str) -> None:
        super().__init__(folder, lambda _: None)
        self.words = words
        self.ran: list[str] = []

    def _run(self, *command: str) -> None:
        self.ran.append(command[0])
        if command[0] == "xdvipdfmx":
            (self.folder / "book.pdf").write_bytes(b"%PDF")
            return
        lines = (self.folder / "book.tex").read_text("utf-8").split("\n")
        # What is shown as it is written is no LaTeX.
        inside = [("\\begin{Verbatim}" in lines[:at]) != ("\\end{Verbatim}" in lines[:at]) for at in range(len(lines))]
        wrong = [at for at, line in enumerate(lines) if line.startswith(self.words) and not inside[at]]
        log = "".join(f"./book.tex:{at + 1}: Undefined control sequence.\nl.{at + 1} x \\y\n" for at in wrong)
        log += "Overfull \\hbox (50.0pt too wide) in paragraph at lines 3--4\n"
        (self.folder / "book.log").write_text(log, "utf-8")
        (self.folder / "book.xdv").write_bytes(b"")
        (self.folder / "book.aux").write_text("the same", "utf-8")


def test_a_block_with_an_error_is_shown_as_it_is_written(tmp_path: Path) -> None:
    typesetter = Pretender(tmp_path, "bad")
    made, findings = set_book(TEXT, typesetter, places_of)
    assert made == tmp_path / "book.pdf"
    assert [str(finding) for finding in findings] == [
        f"one.md:5: warning: {STOPS}; this is shown as it is written [latex-error]",
        "one.md:4: warning: this is 50 points wider than the page of the PDF [too-wide]",
    ]
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    # One pass to find the error, and without it two until nothing changes.
    assert typesetter.ran == ["xelatex", "xelatex", "xelatex", "xdvipdfmx"]


def test_an_error_outside_of_all_blocks_ends_the_search(tmp_path: Path) -> None:
    _, findings = set_book(TEXT, Pretender(tmp_path, "start"), places_of)
    assert [finding.rule for finding in findings] == ["latex-error", "too-wide"]
    assert findings[0].span is None


def test_the_outer_one_of_two_blocks_is_set_aside() -> None:
    places = places_of(TEXT)
    outer, inner = places.block(6), places.block(8)
    assert outer
    assert inner
    assert set_aside(TEXT, [inner, outer]).split("\n") == [
        *("start", "%@one 10002", "good", "%@", "%@one 10003"),
        *("\\begin{Verbatim}", "bad \\end {Verbatim}", "inner 字", "\\end{Verbatim}", "%@", "end"),
    ]


@pytest.mark.parametrize(("failed", "lost"), [({"inner.pdf": "it is no drawing"}, []), ({}, ["字"])])
def test_what_cannot_be_shown_is_told_at_its_line(failed: dict[str, str], lost: list[str]) -> None:
    (finding,) = not_shown(TEXT, failed, lost, places_of(TEXT))
    assert finding.span
    assert finding.span.first == 6
