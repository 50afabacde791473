"""Files cut into blocks, with framework marks read."""

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.model import Block, BlockKind, LabelKind, Section
from d2lbuild.source.markdown import FrameworkNames, parse_section, unparse
from tests.books import rules

NAMES = FrameworkNames(("pytorch", "mxnet", "jax"), frozenset({"tensorflow"}))


def parse(text: str) -> Section:
    return parse_section(text, PurePosixPath("chapter/page.md"), NAMES)


def code(section: Section) -> list[Block]:
    return [block for block in section.blocks if block.kind is BlockKind.CODE]


def cell(body: str) -> Block:
    (block,) = code(parse(f"```{{.python .input  n=3}}\n{body}\n```\n"))
    return block


def test_framework_marks() -> None:
    assert cell("x").frameworks == {"pytorch"}
    assert cell("#@tab all\nx").frameworks is None
    assert cell("%%tab mxnet, jax\nx").frameworks == {"mxnet", "jax"}
    assert cell("# @tab mxnet jax\nx").frameworks == {"mxnet", "jax"}
    assert cell("\n#@tab jax\nx").content == "x"
    assert cell("x\n#@tab jax").frameworks == {"pytorch"}


def test_the_mark_is_not_part_of_the_code_and_lines_count_from_the_file() -> None:
    section = parse("# T\n\n```{.python .input}\n#@tab jax\nx = 1\ny\n```\n")
    (block,) = code(section)
    assert (block.content, block.content_line, block.span.first, block.span.last) == ("x = 1\ny", 5, 3, 7)


def test_hiding_marks_become_jupyter_tags() -> None:
    assert cell("#@hide_code\nx").tags == {"remove-input"}
    assert cell("#@tab all\n# Hide outputs\nx").tags == {"remove-output"}
    assert cell("#@hide\nx").tags == {"remove-cell"}
    assert cell("#@hide_all\nx").tags == {"hide-all"}


def test_cells_as_myst_writes_them() -> None:
    text = (
        "---\njupytext:\n  x: 1\n---\n# T\n```{code-cell} ipython3\n:tags: [raises-exception]\n\n1/0\n```\n+++\nMore\n"
    )
    section = parse(text)
    (block,) = code(section)
    assert (block.content, block.tags, block.content_line) == ("1/0", {"raises-exception"}, 9)
    assert unparse(section) == text
    assert section.title == "T"


def test_prose_for_some_frameworks() -> None:
    text = "# T\n:begin_tab:`mxnet, jax`\nA\n```bash\n:end_tab:\n```\n:end_tab:\nB\n"
    prose = [(block.text, block.frameworks) for block in parse(text).blocks if block.kind is BlockKind.PROSE]
    assert prose == [("# T\n", None), ("A\n```bash\n:end_tab:\n```\n", {"mxnet", "jax"}), ("B\n", None)]


def test_a_cell_within_prose_of_a_framework_belongs_to_it() -> None:
    section = parse(":begin_tab:`jax`\n```{.python .input}\nx\n```\n:end_tab:\n")
    assert code(section)[0].frameworks == {"jax"}


def test_the_furniture_of_editors_is_dropped() -> None:
    text = "```{.python .input}\n%load_ext d2lbook.tab\ntab.interact_select(['mxnet'])\n```\n"
    assert [block.kind for block in parse(text).blocks] == [BlockKind.FURNITURE]


def test_static_listings_are_prose() -> None:
    section = parse("# T\n```python\nx\n```\n````\n```{.python .input}\n```\n````\n")
    assert code(section) == []


def test_contents() -> None:
    (toc,) = parse("```toc\n:maxdepth: 2\n:numbered:\n:caption: The A\n\na/index\nTitle <b>\n```\n").contents
    assert (toc.maxdepth, toc.numbered, toc.caption) == (2, True, "The A")
    assert [(entry.target, entry.span.first) for entry in toc.entries] == [("a/index", 6), ("b", 7)]


def test_labels_know_what_they_name() -> None:
    text = (
        "# T\n:label:`sec_t`\n\n![C](a.svg)\n:label:`fig_c`\n\n$$x$$\n:eqlabel:`eq_x`\n\n"
        ":Cap\n\n|a|\n|-|\n|1|\n:label:`tab_c`\n"
    )
    kinds = {label.name: label.kind for label in parse(text).labels}
    assert kinds == {
        "sec_t": LabelKind.SECTION,
        "fig_c": LabelKind.FIGURE,
        "eq_x": LabelKind.EQUATION,
        "tab_c": LabelKind.TABLE,
    }


def test_references_and_images_with_their_place() -> None:
    section = parse("# T\n\nsee :cite:`a, b` and\n:numref:`x` ![i](i.svg)\n")
    found = [(one.role, one.target, one.span.first, one.span.column) for one in section.references]
    assert found == [("cite", "a", 3, 5), ("cite", "b", 3, 5), ("numref", "x", 4, 1)]
    assert (section.images[0].target, section.images[0].span.first) == ("i.svg", 4)


def test_what_is_wrong_is_said_with_its_line() -> None:
    text = "# T\n:begin_tab:`jax`\nA\n\n```{.python .input}\n#@tab pytorhc\nx\n```\n"
    section = parse(text)
    assert rules(section.findings) == [("unclosed-tab", 2), ("unknown-framework", 6)]
    assert "did you mean pytorch?" in section.findings[1].hint
    assert unparse(section) == text


def test_a_framework_that_d2lbuild_knows_but_the_book_does_not_list() -> None:
    section = parse("# T\n```{.python .input}\n#@tab tensorflow\nx\n```\n")
    assert section.findings == ()


def test_other_faults() -> None:
    assert rules(parse("").findings) == [("empty-file", 1)]
    assert rules(parse("text\n").findings) == [("no-title", 1)]
    assert rules(parse("# T\n:end_tab:\n").findings) == [("stray-end-tab", 2)]
    assert rules(parse("# T\n\n```{.python .input}\nx\n").findings) == [("unclosed-fence", 3)]
    assert rules(parse("# T\n\nsee :nummref:`x`\n").findings) == [("unknown-mark", 3)]
    assert rules(parse("# T\n\ntext\n:label:`x`\n").findings) == [("loose-label", 4)]
    assert rules(parse("# T\n```{.python .input}\n#@tab\nx\n```\n").findings) == [("no-framework", 3)]
    assert rules(parse("# T\n\ntext :begin_tab:`jax` more\n").findings) == [("misplaced-tab", 3)]
    assert rules(parse("# T\n```toc\n:depth: 2\n```\n").findings) == [("toc-option", 3)]


LINES = st.sampled_from(
    ["# T", "", "text", "```{.python .input}", "```", "````", "#@tab jax", ":begin_tab:`jax`", ":end_tab:", "- item",
     "  ```python", "$$", "> q", "|a|", "|-|", "---", "+++", "    code", "<div>", ":label:`a`", "![x](y)", "\tx"]
)  # fmt: skip


@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"]))), st.sampled_from(["", "end"]))
def test_unparse_gives_back_every_byte(lines: list[tuple[str, str]], end: str) -> None:
    text = "".join(line + newline for line, newline in lines) + end
    section = parse(text)
    assert unparse(section) == text
    at = 1
    for block in section.blocks:
        assert block.span.first == at
        at = block.span.last + 1


def test_a_tab_that_opens_within_another_closes_it() -> None:
    section = parse("# T\n:begin_tab:`jax`\none\n:begin_tab:`mxnet`\ntwo\n:end_tab:\n")
    prose = [block for block in section.blocks if block.kind is BlockKind.PROSE]
    assert [(block.text, block.frameworks) for block in prose[1:]] == [("one\n", {"jax"}), ("two\n", {"mxnet"})]
    assert [finding.rule for finding in section.findings] == ["unclosed-tab"]
    assert "line 4" in section.findings[0].message


def test_a_line_that_only_begins_like_a_mark_is_prose() -> None:
    section = parse("+++++ five\n:begin_tab: nothing\n")
    assert [block.kind for block in section.blocks] == [BlockKind.PROSE]
