"""Edits, insertions, deletions and moves, each with the file that it gives."""

from collections.abc import Callable
from typing import Any

import pytest

from d2lbuild.editing.notebook import KEY, cells_of, lines_of, notebook_for_editing, source_of
from d2lbuild.editing.write_back import Written, write_back
from d2lbuild.errors import BookError
from d2lbuild.source.cells import FrameworkNames
from tests.editing.conftest import NAMES, code, prose, saved

SECTION = """\
# Title
:label:`sec_title`

Words.

```{.python .input  n=3}
#@tab mxnet
from mxnet import np
```

```{.python .input}
#@tab pytorch, jax
if tab.selected('jax'):
    x = 1
else:
    x = 2
```

:begin_tab:`jax`
Only here.
:end_tab:

```{.python .input}
#@tab all
print(x)
```

The end.
"""


def back(
    change: Callable[[list[Any]], object], text: str = SECTION, framework: str = "jax", names: FrameworkNames = NAMES
) -> Written:
    before = notebook_for_editing(text, framework, names)
    return write_back(text, before, saved(before, change), framework, names)


def edit(place: int, old: str, new: str) -> Callable[[list[Any]], None]:
    def change(cells: list[Any]) -> None:
        assert old in cells[place].source
        cells[place].source = cells[place].source.replace(old, new)

    return change


def test_the_notebook_shows_what_the_framework_sees_with_its_branches() -> None:
    sources = [source_of(cell) for cell in cells_of(notebook_for_editing(SECTION, "jax", NAMES))]
    assert sources == [
        "# Title\n:label:`sec_title`\n\nWords.",
        "#@tab pytorch, jax\nif tab.selected('jax'):\n    x = 1\nelse:\n    x = 2",
        "Only here.",
        "#@tab all\nprint(x)",
        "The end.",
    ]


def test_what_serves_the_editor_is_in_every_notebook() -> None:
    text = "```{.python .input}\n%load_ext d2lbook.tab\n```\n"
    for framework in NAMES.book:
        assert len(notebook_for_editing(text, framework, NAMES)["cells"]) == 1
    written = back(lambda cells: cells.clear(), text)
    assert written.text == text
    assert "serves every framework" in written.notes[0]


def test_an_edit_of_shared_code_says_so() -> None:
    written = back(edit(1, "x = 1", "x = 3"))
    assert written.text == SECTION.replace("x = 1", "x = 3")
    assert written.notes == ("line 12: this code was changed for pytorch as well",)


def test_an_edit_of_own_text_says_nothing() -> None:
    written = back(edit(2, "Only", "Just"))
    assert written.text == SECTION.replace("Only", "Just")
    assert written.notes == ()


def test_a_new_cell_is_for_this_framework() -> None:
    written = back(lambda cells: cells.insert(2, code("y = 1")))
    assert written.text == SECTION.replace(
        "    x = 2\n```\n", "    x = 2\n```\n\n```{.python .input}\n#@tab jax\ny = 1\n```\n"
    )


def test_a_new_cell_of_the_default_framework_has_no_mark() -> None:
    text = "# T\n"
    assert back(lambda cells: cells.append(code("y = 1\n\n")), text, "pytorch").text == (
        "# T\n\n```{.python .input}\ny = 1\n```\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```{.python .input}\n%%tab jax\na\n```\n", "```{.python .input}\n%%tab jax\nb\n```\n"),
        ("```{code-cell} ipython3\n#@tab jax\na\n```\n", "```{code-cell} ipython3\n#@tab jax\nb\n```\n"),
    ],
)
def test_a_new_cell_is_in_the_style_of_the_file(text: str, expected: str) -> None:
    assert back(lambda cells: cells.append(code("b")), text).text == f"{text}\n{expected}"


def test_a_new_cell_in_another_language() -> None:
    names = FrameworkNames(("jax", "deno"), languages={"deno": "typescript"}, comments={"typescript": "//"})
    text = "# T\n\n```{.typescript .input}\nlet a = 1;\n```\n"
    new = "\n```{.typescript .input}\nlet b = 2;\n```\n"
    assert back(lambda cells: cells.append(code("let b = 2;")), text, "deno", names).text == text + new


def test_a_new_cell_may_say_whom_it_is_for() -> None:
    written = back(lambda cells: cells.append(code("#@tab all\ny = 1")))
    assert written.text == SECTION + "\n```{.python .input}\n#@tab all\ny = 1\n```\n"


def test_new_text_stands_in_a_tab_block() -> None:
    written = back(lambda cells: cells.insert(1, prose("New.")))
    assert written.text == SECTION.replace("Words.\n", "Words.\n\n:begin_tab:`jax`\nNew.\n:end_tab:\n")


def test_new_text_beside_own_text_shares_its_block() -> None:
    written = back(lambda cells: cells.insert(3, prose("New.")))
    assert written.text == SECTION.replace("Only here.\n", "Only here.\n\nNew.\n")


def test_two_new_texts_have_one_block_and_stay_two_cells() -> None:
    written = back(lambda cells: cells.extend([prose("One."), prose("Two.")]))
    assert written.text == SECTION + "\n:begin_tab:`jax`\nOne.\n\nTwo.\n:end_tab:\n"
    assert [source_of(cell) for cell in cells_of(written.notebook)][-2:] == ["One.", "Two."]


def test_a_block_for_several_is_cut_in_two() -> None:
    text = ":begin_tab:`mxnet, jax`\nA.\n\n```{.python .input}\na\n```\n\nB.\n:end_tab:\n"
    written = back(lambda cells: cells.insert(2, prose("New.")), text)
    assert written.text == (
        ":begin_tab:`mxnet, jax`\nA.\n\n```{.python .input}\na\n```\n\n:end_tab:\n\n:begin_tab:`jax`\nNew.\n:end_tab:\n"
        "\n:begin_tab:`mxnet, jax`\n\nB.\n:end_tab:\n"
    )


def test_a_deleted_cell_of_this_framework_alone_goes() -> None:
    text = SECTION.replace("#@tab pytorch, jax", "#@tab jax")
    made = back(lambda cells: cells.pop(1), text).text
    assert made == text.replace(text[text.index("```{.python .input}\n#@tab jax") : text.index(":begin_tab:")], "")


def test_a_deleted_text_takes_its_empty_block_along() -> None:
    written = back(lambda cells: cells.pop(2))
    assert written.text == SECTION.replace(":begin_tab:`jax`\nOnly here.\n:end_tab:\n\n", "")


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [(1, "#@tab pytorch, jax", "#@tab pytorch"), (3, "#@tab all", "#@tab pytorch, mxnet, tensorflow")],
)
def test_a_deleted_shared_cell_stays_for_the_others(place: int, old: str, new: str) -> None:
    written = back(lambda cells: cells.pop(place))
    assert written.text == SECTION.replace(old, new)
    assert "was deleted for jax alone" in written.notes[0]


def test_deleted_text_of_everybody_stays_for_the_others() -> None:
    written = back(lambda cells: cells.pop(4))
    assert written.text == SECTION.replace(
        "The end.\n", ":begin_tab:`pytorch, mxnet, tensorflow`\nThe end.\n:end_tab:\n"
    )


def test_a_book_for_one_framework_needs_no_marks() -> None:
    names = FrameworkNames(("pytorch",))
    text = "# T\n\nA.\n\n```{.python .input}\na\n```\n\nB.\n"

    def change(cells: list[Any]) -> None:
        cells[-1:] = []
        cells.insert(1, code("b"))

    made = back(change, text, "pytorch", names).text
    assert made == "# T\n\nA.\n\n```{.python .input}\nb\n```\n\n```{.python .input}\na\n```\n"


def test_a_moved_cell_moves_for_this_framework() -> None:
    written = back(lambda cells: cells.insert(1, cells.pop(3)))
    assert written.text == SECTION.replace(
        "Words.\n", "Words.\n\n```{.python .input}\n#@tab jax\nprint(x)\n```\n"
    ).replace("#@tab all", "#@tab pytorch, mxnet, tensorflow")
    assert "was moved for jax alone" in written.notes[0]


def test_a_mark_that_was_removed_is_put_back() -> None:
    written = back(edit(1, "#@tab pytorch, jax\n", ""))
    assert written.text == SECTION
    assert "was put back" in written.notes[-1]


def test_a_mark_that_was_changed_counts() -> None:
    assert back(edit(1, "pytorch, jax", "jax, mxnet")).text == SECTION.replace("pytorch, jax", "jax, mxnet")


def test_a_split_cell_is_for_the_same_frameworks() -> None:
    def split(cells: list[Any]) -> None:
        rest = code("y = 2")
        rest.metadata = {KEY: dict(cells[3].metadata[KEY])}
        cells.insert(4, rest)

    assert back(split).text == SECTION.replace(
        "print(x)\n```\n", "print(x)\n```\n\n```{.python .input}\n#@tab all\ny = 2\n```\n"
    )


def test_a_program_that_changes_ids_leaves_the_cells_what_they_are() -> None:
    def rename(cells: list[Any]) -> None:
        for number, cell in enumerate(cells):
            cell.id = f"other-{number}"

    assert back(rename).text == SECTION


def test_code_that_would_close_its_fence_gets_a_longer_one() -> None:
    text = "- an item\n\n  ```{.python .input}\n  #@tab jax\n  a\n  ```\n"
    assert back(edit(1, "\na", "\n'''\n```\n'''"), text).text == (
        "- an item\n\n  ````{.python .input}\n  #@tab jax\n  '''\n  ```\n  '''\n  ````\n"
    )


def test_lines_keep_their_ends_and_indentation() -> None:
    text = "1. a\r\n\r\n   ```{.python .input}\r\n   #@tab jax\r\n   if x:\r\n\r\n       y\r\n   ```\r\n\r\nb"
    assert back(edit(1, "if x:", "if z:"), text).text == text.replace("if x:", "if z:")
    assert back(edit(1, "y", "y\n\n    w"), text).text == text.replace("y\r\n", "y\r\n\r\n       w\r\n")


def test_a_missing_final_newline_stays_missing() -> None:
    assert back(lambda cells: cells.append(code("b")), "# T").text == "# T\n\n```{.python .input}\n#@tab jax\nb\n```"


@pytest.mark.parametrize("new", ["```\nls", ":end_tab:", "```{.python .input}\nx\n```", "a\n\n+++\n\nb"])
def test_text_that_changes_what_stands_around_it_is_refused(new: str) -> None:
    with pytest.raises(BookError, match="cannot be written back"):
        back(lambda cells: cells.insert(1, prose(new)))


def test_the_lines_of_cells_are_known_afterwards() -> None:
    written = back(lambda cells: cells.insert(1, code("y = 1\nz = 2")))
    lines = written.text.split("\n")
    for cell in cells_of(written.notebook):
        first, end = lines_of(cell)
        assert "\n".join(lines[first:end]).endswith(source_of(cell))
    again = write_back(written.text, written.notebook, saved(written.notebook, edit(1, "z = 2", "z = 3")), "jax", NAMES)
    assert again.text == written.text.replace("z = 2", "z = 3")


def test_empty_new_cells_are_not_written() -> None:
    assert back(lambda cells: cells.extend([code(""), prose("  ")])).text == SECTION
