"""The book for one framework."""

from pathlib import Path

from d2lbuild.config import load_config
from d2lbuild.edition.edition import Edition, make_edition
from tests.books import CONF, INDEX, book, rules

CODE = "```{.python .input}\n%s\n```\n"
NODE = """\
title = "Node.js"
language = "javascript"

[kernel]
command = ["node", "kernel.js", "{connection_file}"]
"""


def edition(root: Path, framework: str, one: str) -> Edition:
    found = book(root, {"index.md": INDEX, "one.md": f"# One\n\n{one}", "two.md": "# Two\n"}, conf=CONF)
    return make_edition(load_config(root), tuple(found.sections.values()), framework)


def test_notebooks_are_expanded_and_the_library_is_not(tmp_path: Path) -> None:
    found = edition(tmp_path, "pytorch", CODE % "def f(x):  #@save\n    return d2l.reduce_sum(x)")
    (cell,) = found.notebooks["one"].code
    assert "x.sum()" in cell.source
    assert "d2l.reduce_sum(x)" in found.neutral[1].code[0].source
    assert "d2l.reduce_sum(x)" in found.library.source
    assert found.expanded == {found.neutral[1].code[0].source: cell.source}


def test_what_is_wrong_with_its_code(tmp_path: Path) -> None:
    found = edition(tmp_path, "pytorch", (CODE % "y = (") + (CODE % "d2l.nonsense()  # here\n#@save"))
    assert [rule for rule, _ in rules(tuple(found.findings))] == ["syntax-error", "idle-save", "unknown-library-name"]


def test_a_framework_of_another_language_has_no_library(tmp_path: Path) -> None:
    (tmp_path / "frameworks" / "node").mkdir(parents=True)
    (tmp_path / "frameworks" / "node" / "framework.toml").write_text(NODE, encoding="utf-8")
    conf = CONF.replace('["pytorch", "jax"]', '["node"]')
    cell = "```{.javascript .input}\n// d2l.reduce_sum(x)\nx = (  // @save\n```\n"
    cell += "```{.javascript .input}\ny = 1\n```\n"
    found = book(tmp_path, {"index.md": INDEX, "one.md": f"# One\n\n{cell}", "two.md": "# Two\n"}, conf=conf)
    node = make_edition(load_config(tmp_path), tuple(found.sections.values()), "node")
    assert node.notebooks["one"].code == node.neutral[1].code
    assert node.library.blocks == ()
    assert [finding.rule for finding in node.findings] == ["idle-save"]
