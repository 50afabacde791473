"""A section as one framework sees it."""

from pathlib import PurePosixPath

from d2lbuild.edition.select import has_page, select
from d2lbuild.model import CellKind, Section
from d2lbuild.source.markdown import FrameworkNames, parse_section
from tests.books import rules

NAMES = ("pytorch", "mxnet", "jax")


def parse(text: str) -> Section:
    return parse_section(text, PurePosixPath("page.md"), FrameworkNames(NAMES))


def cell(mark: str, code: str = "x") -> str:
    return f"```{{.python .input}}\n{mark}\n{code}\n```\n"


def test_which_frameworks_have_a_page() -> None:
    def frameworks(text: str) -> list[str]:
        return [name for name in NAMES if has_page(parse(text), name)]

    assert frameworks("# No code\n") == list(NAMES)
    assert frameworks(cell("#@tab all")) == list(NAMES)
    assert frameworks(cell("#@tab jax")) == ["jax"]
    assert frameworks(cell("#@tab jax") + cell("")) == ["pytorch", "jax"]
    assert frameworks(cell("#@tab all") + cell("#@tab jxa")) == list(NAMES)
    # Cells for all beside cells for others cannot run without those.
    assert frameworks(cell("#@tab all") + cell("#@tab mxnet, jax")) == ["mxnet", "jax"]


def test_cells_of_one_framework_with_ids_shared_by_all() -> None:
    section = parse(
        "# T\n:begin_tab:`jax`\nJ\n:end_tab:\n" + cell("#@tab all", "a") + cell("#@tab jax", "b") + cell("", "c")
    )
    jax, torch = select(section, "jax", NAMES), select(section, "pytorch", NAMES)
    assert [one.source for one in jax.code] == ["a", "b"]
    assert [one.source for one in torch.code] == ["a", "c"]
    assert jax.code[0].id == torch.code[0].id
    assert [one.source for one in jax.cells if one.kind is CellKind.PROSE] == ["# T\n", "J\n"]


def test_lines_lead_to_the_file() -> None:
    section = parse("# T\n\n" + cell("#@tab all", "a\nif tab.selected('jax'):\n    b\nelse:\n    c\nd"))
    (code,) = select(section, "jax", NAMES).code
    assert (code.source, code.lines) == ("a\nb\nd", (5, 7, 10))


def test_after_hide_all_no_code_is_shown() -> None:
    section = parse(cell("#@tab all", "a") + cell("#@tab all\n#@hide_all", "b") + cell("#@tab all", "c"))
    assert [one.tags for one in select(section, "jax", NAMES).code] == [set(), {"remove-cell"}, {"remove-cell"}]


def test_what_is_wrong_with_code() -> None:
    text = "# T\n" + cell("#@tab all", "x = 1\ny = (") + cell("#@tab all", "if tab.selected('pytorhc'):\n    z = 1\nw")
    found = select(parse(text), "jax", NAMES)
    assert rules(found.findings) == [("syntax-error", 5), ("unknown-framework", 9)]
    assert found.findings[1].hint == "did you mean 'pytorch'?"


def test_an_error_after_a_branch_is_told_with_the_line_of_the_file() -> None:
    text = cell("#@tab all", "if tab.selected('jax'):\n    a = 1\nb = 1\ndef f(:\n  pass")
    assert rules(select(parse(text), "jax", NAMES).findings) == [("syntax-error", 6)]


def test_errors_that_are_meant_to_be_seen() -> None:
    text = "```{code-cell}\n:tags: [raises-exception]\n#@tab all\nx = (\n```\n"
    assert select(parse(text), "jax", NAMES).findings == ()


def test_what_a_notebook_needs_stays_with_its_cell() -> None:
    (code,) = select(parse(cell("#@tab all\n#@needs gpus=1", "x")), "jax", NAMES).code
    assert (code.source, code.needs, code.needs_line, code.lines) == ("x", "gpus=1", 3, (4,))


def test_code_of_another_language_stays_as_it_is() -> None:
    names = FrameworkNames(("java",), languages={"java": "java"}, comments={"java": "//"})
    text = "```{.java .input}\n%load ../x\nif (tab.selected('jxa')) { int x; }\nint f() {}  // @save\n```\n"
    found = select(parse_section(text, PurePosixPath("page.md"), names), "java", ["java"], comment="//")
    (code,) = found.code
    assert code.source == "%load ../x\nif (tab.selected('jxa')) { int x; }\nint f() {}  // @save"
    assert code.lines == (2, 3, 4)
    assert rules(found.findings) == [("idle-save", 4)]
    assert found.findings[0].message.startswith("`//@save` saves nothing")


def test_the_end_of_a_method_in_a_branch_of_its_own_is_reported() -> None:
    code = """\
class A:
    if tab.selected('jax', 'mxnet'):
        def f(self):
            self.x = 1
        if tab.selected('jax'):
            self.y = 2"""
    text = f"# T\n\n```{{.python .input}}\n%%tab all\n{code}\n```\n"
    section = parse_section(text, PurePosixPath("t.md"), FrameworkNames(("jax", "mxnet")))
    notebook = select(section, "jax", ("jax", "mxnet"))
    assert notebook.code[0].source.endswith("        self.x = 1\n        self.y = 2")
    assert [(one.rule, one.span and one.span.first) for one in notebook.findings] == [("self-outside-method", 10)]
    assert select(section, "mxnet", ("jax", "mxnet")).findings == ()
