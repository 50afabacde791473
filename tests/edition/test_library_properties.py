"""What holds for the library of any book, whatever it saves."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lbuild.config import Aliases, Framework
from d2lbuild.edition.aliases import expand_code
from d2lbuild.edition.expansion import expand
from d2lbuild.edition.library import Library, extract
from d2lbuild.edition.select import select
from d2lbuild.model import Notebook
from tests.books import book

ALIASES = Aliases(simple={"matmul": "jnp.matmul"}, fluent={"numpy": "asnumpy"}, args=(("size(a_1)", "a_1.size"),))
JAX = Framework("jax", "JAX", "jax", aliases=ALIASES)
KINDS = {
    "function": "def {name}(x):  #@save",
    "class": "class {name}:  #@save",
    "method": "@d2l.add_to_class(d2l.{name})  #@save\ndef m{method}(self, x):",
    "plain": "def local(x):",
}
FUNCTIONS, CLASSES = ("f", "g"), ("A", "B")


@dataclass(frozen=True)
class Made:
    """A code cell. Its lines end with comments that name the cell, so that each can be found again."""

    kind: str
    name: str
    number: int
    method: int = 0
    word: str = "value"
    """The name of its local variable, the same in all cells."""

    @property
    def code(self) -> str:
        head = KINDS[self.kind].format(name=self.name, method=self.method)
        lines = ["def f(self, x):"] if self.kind == "class" else []
        lines.append(f"{self.word} = d2l.numpy(x) + {self.number}")
        lines.append(f"other = d2l.size({self.word}), 'value', \"{self.number} d2l.numpy(x)\"")
        lines.append(f"return {self.word}, other")
        rows = [head]
        for at, line in enumerate(lines):
            rows.append("    " * (2 if self.kind == "class" and at else 1) + line + f"  # of {self.number}")
        return "\n".join(rows)


@st.composite
def cells(draw: st.DrawFn, first: int = 0) -> list[Made]:
    made = []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(list(KINDS)))
        name = draw(st.sampled_from(FUNCTIONS if kind in {"function", "plain"} else CLASSES))
        made.append(Made(kind, name, first + number, draw(st.integers(0, 1)) if kind == "method" else 0))
    return made


def chapter(title: str, made: Sequence[Made], prose: Sequence[str] = ()) -> str:
    parts = [f"# {title}\n:label:`sec_{title.lower()}`\n"]
    for at, one in enumerate(made):
        parts += [f"{prose[at]}\n"] if at < len(prose) else []
        parts.append(f"```{{.python .input}}\n#@tab all\n{one.code}\n```\n")
    return "\n".join(parts)


def notebooks(root: Path, chapters: dict[str, str]) -> list[Notebook]:
    contents = "\n".join(chapters)
    files = {"index.md": f"# Book\n\n```toc\n{contents}\n```\n"}
    sections = book(root, files | {f"{name}.md": text for name, text in chapters.items()}).sections
    return [select(section, "jax", ["pytorch", "jax"]) for section in sections.values()]


def library(root: Path, chapters: dict[str, str]) -> Library:
    return extract(notebooks(root, chapters), JAX)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("book")


@given(one=cells(), two=cells(first=10))
@settings(max_examples=20)
def test_extracting_twice_is_the_same(root: Path, one: list[Made], two: list[Made]) -> None:
    chapters = {"one": chapter("One", one), "two": chapter("Two", two)}
    first, second = library(root, chapters), library(root, chapters)
    assert first == second
    assert first.source == second.source
    assert first.digests(None) == second.digests(None)


def expected_order(made: Sequence[Made]) -> list[tuple[str, dict[str, int]]]:
    """Return what a module must define, in order, with the cell that each definition and method comes from."""
    found: dict[str, dict[str, int]] = {}
    for one in made:
        if one.kind == "method":
            if one.name in found:
                found[one.name].pop(f"m{one.method}", None)
                found[one.name][f"m{one.method}"] = one.number
        elif one.kind != "plain":
            found.pop(one.name, None)
            found[one.name] = {"f" if one.kind == "class" else "": one.number}
    return list(found.items())


def actual_order(found: Library) -> list[tuple[str, dict[str, int]]]:
    order = []
    for block in found.blocks:
        (node,) = ast.parse(block.code).body
        assert isinstance(node, ast.FunctionDef | ast.ClassDef)
        inner = [one for one in node.body if isinstance(one, ast.FunctionDef)] if isinstance(node, ast.ClassDef) else []
        parts = {one.name: one for one in inner} if inner else {"": node}
        assert len(parts) == max(len(inner), 1)
        order.append((node.name, {name: _origin(part, block.code) for name, part in parts.items()}))
    return order


def _origin(node: ast.stmt, code: str) -> int:
    (number,) = {int(line.split("# of ")[1]) for line in _lines(node, code) if "# of " in line}
    return number


def _lines(node: ast.stmt, code: str) -> list[str]:
    return code.split("\n")[node.lineno - 1 : node.end_lineno]


@given(one=cells(), two=cells(first=10))
@settings(max_examples=20)
def test_the_order_of_the_contents_decides(root: Path, one: list[Made], two: list[Made]) -> None:
    texts = {"one": chapter("One", one), "two": chapter("Two", two)}
    assert actual_order(library(root, texts)) == expected_order([*one, *two])
    swapped = {"two": texts["two"], "one": texts["one"]}
    assert actual_order(library(root, swapped)) == expected_order([*two, *one])


@given(made=cells(), data=st.data())
@settings(max_examples=20)
def test_renaming_a_local_variable_changes_no_other_cell(root: Path, made: list[Made], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(made) - 1))
    changed = [
        Made(one.kind, one.name, one.number, one.method, "renamed" if n == at else "value")
        for n, one in enumerate(made)
    ]
    before, after = (notebooks(root, {"one": chapter("One", cells)}) for cells in (made, changed))
    old, new = (extract(found, JAX).source.split("\n") for found in (before, after))
    assert len(old) == len(new)
    mark = f"# of {made[at].number}"
    for there, here in zip(old, new, strict=True):
        assert there == here or there.endswith(mark), here
    code = [next(expand(one, ALIASES).code for one in found if one.section.id == "one") for found in (before, after)]
    for n, (there_cell, here_cell) in enumerate(zip(*code, strict=True)):
        assert (there_cell.source == here_cell.source) is (n != at)
        assert there_cell.lines == here_cell.lines


PROSE = st.sampled_from(
    [
        "Words.",
        "More `def f(x):  #@save` words.",
        "## A heading",
        "$$x = d2l.f(1)$$",
        "```python\ndef f(x):  #@save\n```",
    ]
)


@given(made=cells(), first=st.lists(PROSE, max_size=8), second=st.lists(PROSE, max_size=8))
@settings(max_examples=20)
def test_prose_changes_no_digest(root: Path, made: list[Made], first: list[str], second: list[str]) -> None:
    one, two = (library(root, {"one": chapter("One", made, prose)}) for prose in (first, second))
    assert one.digests(None) == two.digests(None)
    assert [block.code for block in one.blocks] == [block.code for block in two.blocks]
    for name in one.pieces:
        assert one.digests(frozenset({name})) == two.digests(frozenset({name}))


FRAGMENTS = st.sampled_from(
    [
        "x = d2l.numpy(x)", "d2l.matmul(a,\n    b)  # d2l.size", "'d2l.numpy(x)'", '"""', "if x:", "    d2l.size( x )",
        "%timeit d2l.numpy(x)", "!ls d2l.", "def f(x):  #@save", "    return d2l.tokenize", "x = (", ")", "  ", "",
        "f'{d2l.size(x)}'", "lambda: d2l . numpy(x)", "ä = d2l.matmul", "d2l.size(d2l.numpy(x))", "\\", "\t",
    ]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=8))
def test_an_empty_alias_table_changes_nothing(fragments: list[str]) -> None:
    source = "\n".join(fragments)
    assert expand_code(source, Aliases()) == source


@given(st.lists(FRAGMENTS, max_size=8))
def test_aliases_that_nobody_uses_change_nothing(fragments: list[str]) -> None:
    source = "\n".join(fragments)
    unused = Aliases(simple={"num": "a", "siz": "b"}, fluent={"mat": "c"}, args=(("f(a_1)", "a_1"),))
    assert expand_code(source, unused) == source


@given(st.lists(FRAGMENTS, max_size=8))
def test_expanding_twice_is_expanding_once(fragments: list[str]) -> None:
    once = expand_code("\n".join(fragments), ALIASES)
    assert expand_code(once, ALIASES) == once
