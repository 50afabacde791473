"""Which statements a `#@save` exports."""

import ast
from pathlib import Path

import pytest

from d2lbuild.edition.saved import SavedStatement, docstring_with, saved_statements
from tests.books import read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "saved.txt")


@pytest.mark.parametrize(("title", "source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_saved_statements(title: str, source: str, expected: str) -> None:
    saved, unused = saved_statements(source)
    assert "\n".join(f"{one.code}\n---" for one in saved) == expected
    assert unused == []


def test_the_class_that_a_method_joins() -> None:
    for owner in ("Trainer", "d2l.Trainer"):
        (saved,), _ = saved_statements(f"@d2l.add_to_class({owner})  #@save\ndef fit(self): return 1")
        assert saved.joins == "Trainer"


def test_a_mark_that_saves_nothing() -> None:
    assert saved_statements("class A:\n    def f(self):  #@save\n        return 1\n")[1] == [2]
    assert saved_statements("x = 1\n#@save\n")[1] == [2]


def _saved(code: str) -> SavedStatement:
    (saved,), _ = saved_statements(f"#@save\n{code}")
    return saved


@pytest.mark.parametrize(
    ("code", "docstring"),
    [
        ("def f():\n    return 1", "Here."),
        ('def f():\n    """Do it."""\n    return 1', "Do it.\n\nHere."),
        ('def f():\n    """Do it.\n\n    At length.\n    """\n    return 1', "Do it.\n\nAt length.\n\nHere."),
        ("def f(x) -> int:\n    if x:\n        return 1\n    return 2", "Here."),
        ("class A(B):\n    'Öl.'; x = 1\n    def f(self):\n        return 1", "Öl.\n\nHere."),
        ("def f():\n    # a comment\n    return 1", "Here."),
        ('@deco\ndef f(\n    a,\n):\n    r"""Raw \\d."""\n', "Raw \\d.\n\nHere."),
        ('def f(): "Short."; return 1', "Short.\n\nHere."),
    ],
)
def test_a_sentence_in_the_docstring(code: str, docstring: str) -> None:
    changed = docstring_with(_saved(code), "Here.")
    node = ast.parse(changed).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    assert ast.get_docstring(node) == docstring


def test_a_definition_of_one_line_has_no_place_for_a_docstring() -> None:
    assert docstring_with(_saved("def f(): return 1"), "Here.") == "def f(): return 1"


def test_a_docstring_in_a_cell_with_other_code() -> None:
    cell = """import os

@add_to_class(A)
@cache
def f(self):  #@save
    # why
    return 1
"""
    expected = """@cache
def f(self):
    \"\"\"Here.\"\"\"
    # why
    return 1"""
    assert docstring_with(saved_statements(cell)[0][0], "Here.") == expected


def test_a_mark_in_a_string_is_none() -> None:
    text = 'x = """\n#@save\n"""\ny = 1  #@save\nz = \'\'\'é\'\'\', "#@save"\n'
    (saved,), unused = saved_statements(text)
    assert (saved.code, unused) == ("y = 1", [])


def test_code_that_is_not_python_saves_nothing() -> None:
    for source in ("x = (  #@save", "%%bash\nx=1  #@save", "x = 1"):
        assert saved_statements(source) == ([], [])


def test_a_mark_within_what_is_saved_is_left_out_and_told() -> None:
    (saved,), unused = saved_statements("def f(a):  #@save\n    #@save\n    return a\n")
    assert saved.code == "def f(a):\n    return a"
    assert unused == [2]


def test_a_mark_behind_another_comment_saves_nothing() -> None:
    assert saved_statements("x = 1\n# see #@save\n\ny = 1") == ([], [2])
