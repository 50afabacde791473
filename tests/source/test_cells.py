"""Cells in several languages, and the marks above their code."""

from pathlib import PurePosixPath

import pytest

from d2lbuild.model import Block, BlockKind, Section
from d2lbuild.source.markdown import FrameworkNames, parse_section, unparse
from tests.books import rules

MIXED = FrameworkNames(
    ("pytorch", "node", "deno", "jax"),
    languages={"pytorch": "python", "node": "javascript", "deno": "javascript", "jax": "python"},
    comments={"python": "#", "javascript": "//"},
)
JAVA = FrameworkNames(("java",), languages={"java": "java"}, comments={"java": "//"})


def parse(text: str, names: FrameworkNames) -> Section:
    section = parse_section(text, PurePosixPath("page.md"), names)
    assert unparse(section) == text
    return section


def cells(text: str, names: FrameworkNames = MIXED) -> list[Block]:
    return [block for block in parse(text, names).blocks if block.kind is BlockKind.CODE]


def cell(info: str, body: str, names: FrameworkNames = MIXED) -> Block:
    (block,) = cells(f"```{info}\n{body}\n```\n", names)
    return block


@pytest.mark.parametrize("info", ["{.javascript .input}", "{.javascript .input  n=3}", "{code-cell} javascript"])
def test_a_cell_says_its_language(info: str) -> None:
    assert cell(info, "x").frameworks == {"node"}
    marked = cell(info, "//@tab deno\n// @hide_code\nlet x = 1")
    assert (marked.frameworks, marked.tags, marked.content) == ({"deno"}, {"remove-input"}, "let x = 1")
    assert cell(info, "%%tab deno\nx").frameworks == {"deno"}
    # A comment of another language is code, whatever it says.
    assert cell(info, "#@tab deno").content == "#@tab deno"


def test_all_means_all_that_speak_the_language() -> None:
    assert cell("{.javascript .input}", "//@tab all\nx").frameworks == {"node", "deno"}
    assert cell("{.python .input}", "#@tab all\nx").frameworks == {"pytorch", "jax"}
    assert cell("{code-cell}", "#@tab all\nx").frameworks == {"pytorch", "jax"}
    assert cell("{.python .input}", "//@tab all\nx", JAVA).frameworks is None


def test_a_mark_for_a_framework_of_another_language() -> None:
    section = parse("# T\n```{.python .input}\n#@tab jax, node\nx\n```\n", MIXED)
    assert rules(section.findings) == [("wrong-language", 2)]
    assert section.findings[0].message == "a cell in python is marked for node, whose language is javascript"
    assert [block.frameworks for block in section.blocks if block.kind is BlockKind.CODE] == [{"jax"}]


def test_a_language_that_no_framework_speaks_is_a_listing() -> None:
    assert cells("```{.bash .input}\nls\n```\n") == []
    assert cells("```{.javascript .input}\nx\n```\n", FrameworkNames(("jax",))) == []


def test_books_in_one_other_language_may_write_cells_as_older_tools_did() -> None:
    for info in ("{.python .input}", "{code-cell}", "{code-cell} ipython3", "{.java .input}"):
        block = cell(info, "//@hide\nint x;", JAVA)
        assert (block.frameworks, block.tags, block.content) == ({"java"}, {"remove-cell"}, "int x;")


def test_what_a_notebook_needs_is_no_part_of_the_code() -> None:
    block = cell("{.python .input}", "#@tab jax\n# @needs gpus=1, memory=4GiB \n#@needs timeout=9\n\nx = 1")
    assert (block.needs, block.needs_line, block.content) == ("gpus=1, memory=4GiB, timeout=9", 3, "x = 1")
    assert cell("{.javascript .input}", "//@needs: memory=1GiB\nx").needs == "memory=1GiB"
    assert (cell("{.python .input}", "x").needs, cell("{.python .input}", "x").needs_line) == ("", 0)
    # Nothing behind the mark is for others to complain of.
    assert cell("{.python .input}", "#@needs\nx").needs_line == 2


def test_needs_below_code_are_reported() -> None:
    section = parse("# T\n```{.python .input}\nx = 1\n#@needs gpus=1\ny = '#@needs'\n```\n", MIXED)
    assert rules(section.findings) == [("misplaced-needs", 4)]


def test_options_of_myst_cells() -> None:
    """They stand in lines with colons, or as YAML between dashes; both may list tags."""
    for head in (":tags: [hide-input, raises-exception]", "---\ntags: [hide-input, raises-exception]\n---"):
        assert cell("{code-cell}", f"{head}\nx = 1", JAVA).tags == {"hide-input", "raises-exception"}
    block = cell("{code-cell}", "---\ntags:\n- hide-input\n  - raises-exception\nname: x\n---\nx = 1", JAVA)
    assert block.tags == {"hide-input", "raises-exception"}
    assert block.content == "x = 1"


def test_yaml_options_without_an_end_are_code() -> None:
    assert cell("{code-cell}", "---\nx = 1", JAVA).content == "x = 1"
