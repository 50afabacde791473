"""What XeLaTeX's log says."""

from d2lbuild.rendering.pdf.log import Complaint, complaints, missing_characters

LOG = """\
(./book.tex
./book.tex:42: Undefined control sequence.
<argument> x + \\undefinedcommand
l.42 ...gin{equation*} x + \\undefinedcommand
                                           {x}
The control sequence at the end of the top line

Overfull \\hbox (83.5pt too wide) in paragraph at lines 72--77
[]\\TU/TeXGyrePagella(0)/m/n/10 words

Overfull \\hbox (5.25pt too wide) detected at line 99
Missing character: There is no 字 in font TeX Gyre Pagella/OT:script=latn;!
Missing character: There is no 字 (U+5B57) in font TeX Gyre Pagella/OT:script=latn;!
./d2lbook.sty:7: LaTeX Error: File `x.sty' not found.
! Emergency stop.
l.120 \\end
./book.tex:120:  ==> Fatal error occurred, no output PDF file produced!
"""


def test_complaints_have_their_lines() -> None:
    found = list(complaints(LOG, "book.tex"))
    assert found == [
        Complaint(42, "Undefined control sequence.", excerpt="...gin{equation*} x + \\undefinedcommand"),
        Complaint(72, "this is too wide for the page", 83.5),
        Complaint(99, "this is too wide for the page", 5.25),
        Complaint(0, "LaTeX Error: File `x.sty' not found.", excerpt="\\end"),
        Complaint(120, "Emergency stop.", excerpt="\\end"),
    ]


def test_characters_are_told_once() -> None:
    assert missing_characters(LOG) == ["字"]
