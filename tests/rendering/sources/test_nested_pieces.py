"""Lists that hold code and framework prose: see `nested_pieces`."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build, check
from d2lbuild.rendering.sources.nested_pieces import with_places
from tests.books import write_book
from tests.rendering.pages import PageBuilder

BOTH = ("pytorch", "jax")
LISTS = """\
# Lists
:label:`sec_lists`

1. First:

    ```{.python .input}
    #@tab pytorch
    first = 1
    ```

    ```{.python .input}
    #@tab jax
    second = 2
    ```

    It goes on, see :numref:`sec_lists`.

2. Then:

    :begin_tab:`pytorch`
    With *torch* and

    * a list, see :numref:`sec_nowhere`
    :end_tab:

    :begin_tab:`jax`
    With *jax*.
    :end_tab:

3. Last.

* Outer

    * Deeper

        ```{.python .input}
        #@tab all
        third = 3
        ```

    * Deeper still
* End
"""


def html_of(root: Path, *frameworks: str) -> str:
    config = load_config(write_book(root, {"index.md": LISTS}))
    report = build(config, BuildRequest(frameworks, execute=False))
    text = report.outputs["html"].read_text(encoding="utf-8")
    return text[text.index("<article") : text.index("</article>")]


@pytest.mark.integration
def test_pieces_stand_in_their_items_and_the_lists_go_on(tmp_path: Path) -> None:
    html = html_of(tmp_path, *BOTH)
    assert html.count("<ol") == 1  # one list of three items
    items = re.split(r"<li>", html[html.index("<ol") : html.index("</ol>")])[1:]
    assert len(items) == 4  # one of them is an item of the list in a panel
    first, second = items[0], "".join(items[1:3])
    assert first.count("d2l-panel-title") == 2
    assert first.index("first") < first.index("second") < first.index("It goes on, see")
    assert second.count("d2l-panel-title") == 2
    assert "<em>torch</em>" in second
    assert "<em>jax</em>" in second
    assert "Last." in items[3]
    bullets = html[html.index("Outer") :]
    assert bullets.index("Deeper") < bullets.index("third") < bullets.index("Deeper still") < bullets.index("End")
    assert bullets.count("<ul") == 1  # that of "Deeper", which stands below "Outer"
    assert "d2l-place" not in html


@pytest.mark.integration
def test_in_an_edition_of_one_framework_nothing_becomes_a_listing(tmp_path: Path) -> None:
    html = html_of(tmp_path, "pytorch")
    assert html.count("<ol") == 1
    assert html.count("cell_input") == 2
    assert html.count('<div class="highlight-') == 2
    assert "<em>torch</em>" in html
    assert "second" not in html


def test_references_in_lists_are_read_with_their_lines(tmp_path: Path) -> None:
    config = load_config(write_book(tmp_path, {"index.md": LISTS}))
    places = {(found.rule, found.span.first if found.span else 0) for found in check(config)}
    assert ("undefined-label", 1 + LISTS[: LISTS.index("sec_nowhere")].count("\n")) in places


def test_each_line_of_joined_prose_keeps_its_line() -> None:
    page = PageBuilder("one", BOTH)
    page.prose("* a")
    page.code("x = 1", "jax")
    page.prose("  b\n\nc")
    page.cells[1] = replace(page.cells[1], indent=2)
    placed = with_places(page.cells)
    assert [one.place for one in placed] == ["", "cell-1"]
    prose = placed[0].cell
    assert prose.source.split("\n")[0] == "* a"
    assert dict(zip(prose.source.split("\n"), prose.lines, strict=True)).items() >= {("* a", 1), ("  b", 5), ("c", 7)}


def test_pages_without_indented_pieces_are_left_alone() -> None:
    page = PageBuilder("one", BOTH)
    page.prose("* a\n")
    page.code("x = 1", "jax")
    page.prose("    y = 2")
    page.prose("only here", "jax")
    assert [one.cell for one in with_places(page.cells)] == page.cells
