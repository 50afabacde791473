"""Which names each framework's library has."""

from dataclasses import replace
from pathlib import PurePosixPath

from d2lbuild.config.types import Aliases, Framework, Text
from d2lbuild.edition.library import Library, extract
from d2lbuild.edition.parity import ParityRow, parity
from d2lbuild.model import Cell, CellKind, Notebook, Section, Span


def library(framework: str, *codes: str, aliases: Aliases | None = None) -> Library:
    """Return what the cells of a notebook save."""
    path = PurePosixPath("one.md")
    cells = [
        Cell(f"c{number}", CellKind.CODE, code, Span(path, 1, 1), tuple(range(1, code.count("\n") + 2)))
        for number, code in enumerate(codes)
    ]
    notebook = Notebook(Section("one", path, (), "One"), framework, tuple(cells))
    return extract([notebook], Framework(framework, framework, framework, aliases=aliases or Aliases()))


def rows(*libraries: Library) -> dict[str, ParityRow]:
    return {row.name: row for row in parity({one.framework.name: one for one in libraries})}


def test_names_that_a_framework_lacks() -> None:
    f, g = "def f(x):  #@save\n    return x", "def g(x):  #@save\n    return x"
    found = rows(library("a", f, g), library("b", f))
    assert found["f"] == ParityRow("f", "function", {"a": "(x)", "b": "(x)"}, differs=False)
    assert found["g"] == ParityRow("g", "function", {"a": "(x)", "b": None}, differs=False)
    assert found["g"].missing == ("b",)


def test_annotations_make_no_difference_but_defaults_do() -> None:
    found = rows(
        library("a", "def f(x, *, y=1):  #@save\n    return x", "def g(x=1):  #@save\n    return x"),
        library("b", "def f(x: int, *, y: int=1) -> int:  #@save\n    return x", "def g(x=2):  #@save\n    return x"),
    )
    assert not found["f"].differs
    assert found["g"].differs
    assert found["g"].signatures == {"a": "(x=1)", "b": "(x=2)"}


def test_a_class_has_the_signature_of_its_constructor_and_its_methods_follow_it() -> None:
    one = library(
        "a",
        "class A:  #@save\n    def __init__(self, n, lr=0.1):\n        pass\n    def _private(self):\n        pass",
        "def between():  #@save\n    pass",
        "@d2l.add_to_class(A)  #@save\ndef step(self, x):\n    pass",
    )
    fields = (
        "class A(nn.Module):  #@save\n    n: int\n    lr: float = 0.1\n    seen: int = field(default=0, init=False)"
    )
    found = rows(one, library("b", fields))
    assert list(found) == ["A", "A.step", "between"]
    assert found["A"] == ParityRow("A", "class", {"a": "(n, lr=0.1)", "b": "(n, lr=0.1)"}, differs=False)
    assert found["A.step"].signatures == {"a": "(x)", "b": None}


def test_an_inherited_constructor_is_not_compared() -> None:
    with_one = library("a", "class A:  #@save\n    def __init__(self, x):\n        pass")
    assert not rows(with_one, library("b", "class A(d2l.B):  #@save\n    pass"))["A"].differs


def test_a_default_of_a_field_that_is_made_by_a_factory() -> None:
    found = rows(library("a", "class A:  #@save\n    x: list = field(default_factory=list)"))
    assert found["A"].signatures == {"a": "(x=list)"}


def test_a_class_here_and_a_function_there() -> None:
    assert rows(library("a", "class f:  #@save\n    pass"), library("b", "def f():  #@save\n    pass"))["f"].differs


def test_names_that_only_a_later_framework_has_keep_their_place() -> None:
    define = "def {}():  #@save\n    pass"
    one = library("a", *(define.format(name) for name in "pqs"))
    assert list(rows(one, library("b", *(define.format(name) for name in "prs")))) == ["p", "r", "q", "s"]


def test_aliases_come_last_and_count_where_another_framework_saves_the_name() -> None:
    one = library("a", "def f():  #@save\n    pass", "x, _y = 1, 2  #@save")
    two = library("b", "x = 3  #@save", aliases=Aliases(simple={"cat": "np.cat", "f": "np.f"}))
    found = rows(one, two)
    assert [(row.name, row.kind) for row in found.values()] == [("f", "function"), ("x", "value"), ("cat", "alias")]
    assert found["f"].signatures == {"a": "()", "b": ""}
    assert not found["f"].differs
    assert found["cat"].signatures == {"a": None, "b": ""}


def test_imports_count_where_another_framework_saves_the_name() -> None:
    found = rows(library("a", "def f():  #@save\n    pass"), library("b", "#@save\nfrom somewhere import f, g"))
    assert list(found) == ["f"]
    assert found["f"].missing == ()


def test_values_fields_and_code_that_is_not_python() -> None:
    code = "class A:  #@save\n    x: int\n    y: int = 1\n    d2l.z: int = 2\n    k = 3"
    header = Text("import os\nX: int = 1\nY = Z = 2\nd2l = 3\n", Span(PurePosixPath("header.py"), 1, 3))
    whole = library("a", code)
    whole = replace(whole, framework=replace(whole.framework, header=header))
    broken = replace(whole, framework=replace(whole.framework, name="b", header=replace(header, text="x = (")))
    found = rows(whole, broken)
    assert found["A"].signatures == {"a": "(x, y=1)", "b": "(x, y=1)"}
    assert {name: found[name].missing for name in ("X", "Y", "Z")} == {"X": ("b",), "Y": ("b",), "Z": ("b",)}
    assert "d2l" not in found


def test_hidden_aliases_are_nobodys_business() -> None:
    found = rows(library("a", aliases=Aliases(simple={"_hidden": "x", "shown": "y"})), library("b"))
    assert list(found) == ["shown"]
