"""Whatever is done to one framework's notebook, the others' stay what they are."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.editing.code_text import marked
from d2lbuild.editing.layout import lay_out
from d2lbuild.editing.notebook import cells_of, lines_of, notebook_for_editing, source_of
from d2lbuild.editing.reading_back import shown_to
from d2lbuild.editing.write_back import write_back
from d2lbuild.source.cells import cell_marks
from d2lbuild.source.prose import split_lines
from tests.editing.conftest import FRAMEWORKS, NAMES, code, prose, saved

WORDS = st.sampled_from(
    ["x = 1", "def f(a):", "    return a", "", "# a comment", "if tab.selected('jax'):", "y = '''", "é"]
)
CODE = st.lists(WORDS, min_size=1, max_size=4).map("\n".join)
TEXT = st.lists(
    st.sampled_from(["Some text.", "# A Heading", ":label:`sec_x`", "- an item", "", "| a | b |", "$$x$$", "é `code`"]),
    min_size=1,
    max_size=4,
).map("\n".join)
SUBSETS = st.lists(st.sampled_from(FRAMEWORKS), min_size=1, max_size=3, unique=True)


@st.composite
def cells(draw: st.DrawFn) -> str:
    """Return an executable cell of the file."""
    attributes = draw(st.sampled_from(["", "  n=3"]))
    names = draw(st.one_of(st.none(), st.just(["all"]), SUBSETS))
    mark = (
        ""
        if names is None
        else draw(st.sampled_from(["#@tab ", "%%tab "])) + draw(st.sampled_from([", ", ","])).join(names) + "\n"
    )
    hidden = draw(st.sampled_from(["", "", "#@hide\n"]))
    fence = draw(st.sampled_from(["```", "````"]))
    lines = f"{fence}{{.python .input{attributes}}}\n{mark}{hidden}{draw(CODE)}\n{fence}\n"
    indent = draw(st.sampled_from(["", "", "", "  "]))
    return "".join(indent + line if line.strip() else line for line in lines.splitlines(keepends=True))


@st.composite
def regions(draw: st.DrawFn) -> str:
    """Return a tab block."""
    inside = draw(st.lists(st.one_of(TEXT.map(lambda text: text + "\n"), cells()), min_size=1, max_size=3))
    return f":begin_tab:`{', '.join(draw(SUBSETS))}`\n" + "\n".join(inside) + ":end_tab:\n"


@st.composite
def sections(draw: st.DrawFn) -> str:
    """Return the text of a section."""
    kinds = st.one_of(TEXT.map(lambda text: text + "\n"), cells(), cells(), regions())
    text = "\n".join(draw(st.lists(kinds, min_size=1, max_size=8)))
    text = text.removesuffix("\n") if draw(st.booleans()) else text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


FRAMEWORK = st.sampled_from(FRAMEWORKS)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "code", "text", "move", "edit own"]),
        st.integers(0, 99),
        st.integers(0, 99),
        CODE,
        TEXT,
    ),
    min_size=1,
    max_size=5,
)


@given(sections(), FRAMEWORK)
def test_open_and_save_changes_nothing(text: str, framework: str) -> None:
    before = notebook_for_editing(text, framework, NAMES)
    assert write_back(text, before, saved(before), framework, NAMES).text == text


@given(sections(), FRAMEWORK, st.integers(0, 99), CODE)
def test_an_edit_changes_only_the_lines_of_its_cell(text: str, framework: str, which: int, new: str) -> None:
    before = notebook_for_editing(text, framework, NAMES)
    if not (runnable := [one for one in cells_of(before) if one["cell_type"] == "code"]):
        return
    cell = runnable[which % len(runnable)]

    def change(cells: list[Any]) -> None:
        next(one for one in cells if one.id == cell["id"]).source += "\n" + new + "\nz = 2"

    made = split_lines(write_back(text, before, saved(before, change), framework, NAMES).text)
    old = split_lines(text)
    first, end = lines_of(cell)
    assert made[:first] == old[:first]
    assert made[len(made) - (len(old) - end) :] == old[end:]
    assert len(made) > len(old)


@given(sections(), FRAMEWORK, STEPS)
def test_other_frameworks_see_what_they_saw(text: str, framework: str, steps: Sequence[Any]) -> None:
    others = {one: shown_to(text, one, NAMES) for one in FRAMEWORKS if one != framework}
    notebook = saved(notebook_for_editing(text, framework, NAMES))
    before = notebook_for_editing(text, framework, NAMES)
    for step in steps:
        _take(step, notebook["cells"], _own(text, before, framework))
        written = write_back(text, before, saved(notebook), framework, NAMES)
        text, before = written.text, written.notebook
        assert {one: shown_to(text, one, NAMES) for one in others} == others
        assert write_back(text, before, saved(notebook), framework, NAMES).text == text
        _check_lines(text, before)


def _take(step: Any, cells: list[Any], own: set[str]) -> None:
    kind, one, other, source, words = step
    place = one % (len(cells) + 1)
    if kind == "code":
        cells.insert(place, code(source))
    elif kind == "text":
        cells.insert(place, prose(words))
    elif cells:
        place = one % len(cells)
        if kind == "delete":
            del cells[place]
        elif kind == "move":
            cells.insert(other % len(cells), cells.pop(place))
        elif cells[place]["id"] in own:
            cells[place]["source"] = (
                source_of(cells[place]) + "\n" + (source if cells[place]["cell_type"] == "code" else words)
            )


def _own(text: str, before: Any, framework: str) -> set[str]:
    """Return the ids of the cells that no other framework sees."""
    layout = lay_out(text, NAMES)
    seen = ((cell["id"], layout.piece_at(lines_of(cell)[0]).seen_by) for cell in cells_of(before))
    return {name for name, frameworks in seen if frameworks == frozenset({framework})}


def _check_lines(text: str, notebook: Any) -> None:
    """Every cell knows the lines that show it."""
    layout = lay_out(text, NAMES)
    for cell in cells_of(notebook):
        first, end = lines_of(cell)
        piece = layout.piece_at(first)
        assert piece.shown[0] <= first <= end <= piece.shown[1]
        shown = "\n".join(piece.texts[first - piece.shown[0] : end - piece.shown[0]])
        assert piece.cell_type == cell["cell_type"]
        assert _code(shown) == _code(source_of(cell))


def _code(source: str) -> str:
    return marked(source.strip("\n").split("\n"), cell_marks("#")).code.strip()
