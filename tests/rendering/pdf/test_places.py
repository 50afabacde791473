"""The way back from a line of the LaTeX to a line of a chapter, and the pages in their places."""

from pathlib import PurePosixPath

from d2lbuild.model import Span
from d2lbuild.rendering.pdf.places import Block, Places, pages_in_place
from d2lbuild.rendering.sources.page_notebook import LinePositions

TEXT = """\
\\begin{document}
%@one 10002
outer
%@one 20003
inner
%@
outer again
%@
between
%@api/x 10002
api
%@
"""


def places() -> Places:
    positions = {
        "one": LinePositions(((3, 4), (7, 8, 9))),
        "api/x": LinePositions(((12,),), (PurePosixPath("chapters/lib.md"),)),
    }
    return Places(TEXT, {"one": PurePosixPath("chapters/one.md")}, positions)


def test_a_line_belongs_to_the_innermost_block() -> None:
    found = places()
    assert found.block(1) is None
    assert found.block(3) == found.block(7) == Block("one", 10002, 3, 7)
    assert found.block(5) == Block("one", 20003, 5, 5)
    assert found.block(9) is None
    assert found.near(9) == found.block(7)
    assert found.near(1) is None


def test_blocks_lead_to_lines_of_chapters() -> None:
    found = places()
    one, api = PurePosixPath("chapters/one.md"), PurePosixPath("chapters/lib.md")
    assert found.span(found.block(3)) == Span(one, 3, 3)
    assert found.span(found.block(5)) == Span(one, 8, 8)
    assert found.span(found.block(11)) == Span(api, 12, 12)
    assert found.span(None) is None


def test_pages_stand_where_the_contents_name_them() -> None:
    texts = {"root": "first\n%@include a b\nlast\n", "a": "A\n%@include c\n", "b": "B\n%@include c\n", "c": "C\n"}
    assert pages_in_place("root", texts, {"a": "main\n"}) == "first\nmain\nA\nC\nB\nlast\n"
