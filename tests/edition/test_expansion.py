"""Notebooks with their aliases expanded."""

from pathlib import PurePosixPath

from d2lbuild.config import Aliases
from d2lbuild.edition.expansion import expand, unexpanded
from d2lbuild.model import Cell, CellKind, Notebook, Section, Span

PATH = PurePosixPath("one.md")
ALIASES = Aliases(simple={"ones": "torch.ones"}, fluent={"numpy": "detach().numpy"})


def notebook(*codes: str) -> Notebook:
    """Return a notebook whose cells stand ten lines apart."""
    cells = []
    for at, code in zip(range(10, 1000, 10), codes, strict=False):
        lines = tuple(range(at, at + code.count("\n") + 1))
        cells.append(Cell(f"c{at}", CellKind.CODE, code, Span(PATH, at, lines[-1]), lines))
    prose = Cell("p", CellKind.PROSE, "`d2l.ones`", Span(PATH, 1, 1), (1,))
    return Notebook(Section("one", PATH, (), "One"), "pytorch", (prose, *cells))


def test_code_alone_is_expanded() -> None:
    found = expand(notebook("d2l.ones(1)", "x = 1"), ALIASES)
    assert [cell.source for cell in found.cells] == ["`d2l.ones`", "torch.ones(1)", "x = 1"]


def test_lines_that_become_fewer_still_lead_to_the_file() -> None:
    (cell,) = expand(notebook("x = 1\ny = d2l.numpy(\n    d2l.ones(2))\nz = y"), ALIASES).code
    assert cell.source == "x = 1\ny = torch.ones(2).detach().numpy()\nz = y"
    assert cell.lines == (10, 11, 13)


def test_what_is_known_is_not_expanded_again() -> None:
    known = {"d2l.ones(1)": "known"}
    one = notebook("d2l.ones(1)", "d2l.ones(2)", "d2l.ones(2)", "x = 1")
    assert unexpanded([one, one], "d2l", known) == ["d2l.ones(2)"]
    assert [cell.source for cell in expand(one, ALIASES, "d2l", known).code[:2]] == ["known", "torch.ones(2)"]
    assert known["d2l.ones(2)"] == "torch.ones(2)"
    assert unexpanded([one], "d2l", known) == []
