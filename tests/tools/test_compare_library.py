"""The comparison of a generated library with the one that a book's repository holds."""

from pathlib import Path

import pytest

from tests.books import INDEX, write_book
from tools.compare_library import compare, definitions, main

ONE = """\
# One
:label:`sec_one`

```{.python .input}
#@tab all
class A:  #@save
    \"\"\"Is A.\"\"\"
    def f(self):
        raise NotImplementedError
```

## Inner
:label:`sec_inner`
```{.python .input}
#@tab all
@d2l.add_to_class(A)  #@save
def f(self, x):  # why
    return {'a': x}
```
"""
THERE = """\
import sys
d2l = sys.modules[__name__]

class A:
    def f(self):
        raise NotImplementedError

class A:
    \"\"\"Is
    A.  Defined in :numref:`sec_one`\"\"\"
    def f(self,
          x):
        \"\"\"Defined in :numref:`sec_one`\"\"\"
        return {"a": x}
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    root = write_book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.md": "# Two\n"})
    (root / "d2l").mkdir()
    for module in ("torch", "jax"):
        folder = root / "frameworks" / module.replace("torch", "pytorch")
        folder.mkdir(parents=True)
        text = f'name = "{folder.name}"\ntitle = "{module}"\nmodule = "{module}"\n'
        (folder / "framework.toml").write_text(text, encoding="utf-8")
        (root / "d2l" / f"{module}.py").write_text(THERE, encoding="utf-8")
    return root


def test_layout_comments_and_superseded_definitions_do_not_count(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(book)]) == 0
    assert capsys.readouterr().out == (
        "pytorch: d2l/torch.py: 4 definitions, 0 differences\n"
        "  2 say where they are defined: 1 otherwise, 1 of them by an earlier heading\n"
        "jax: d2l/jax.py: 4 definitions, 0 differences\n"
        "  2 say where they are defined: 1 otherwise, 1 of them by an earlier heading\n"
    )


def test_where_it_is_defined_counts_if_asked_for(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(book), "--framework", "jax", "--no-ignore-provenance"]) == 1
    assert "  A.f: names sec_inner, not sec_one\n" in capsys.readouterr().out


def test_a_difference_is_shown(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = book / "d2l" / "jax.py"
    path.write_text(THERE.replace('{"a": x}', "x"), encoding="utf-8")
    assert main([str(book)]) == 1
    told = capsys.readouterr().out
    assert "pytorch: d2l/torch.py: 4 definitions, 0 differences\n" in told
    assert "  A.f: differs\n" in told
    assert "-    return x\n" in told
    assert "+    return {'a': x}\n" in told


def test_what_cannot_be_compared(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (book / "d2l" / "jax.py").unlink()
    assert main([str(book)]) == 1
    assert "jax: the book has no d2l/jax.py to compare with\n" in capsys.readouterr().out
    assert main([str(book), "--framework", "jxa"]) == 2
    assert "unknown framework 'jxa'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("there", "here", "told"),
    [
        ("def f(): return 1\ndef f(): return 2", "def f():\n    return 2", []),
        ("class A: f = 1; g = 2\nclass A: g = 2", "class A:\n    g = 2", []),
        ("def f():\n    '''One  two'''", "def f():\n    '''One\n    two'''", []),
        ("x = 1\ny = {}\ny['a'] = 1", "x = 1\ny = {}\ny['a'] = 2", [("y['a']", "differs")]),
        ("import numpy as np", "from mxnet import np", [("import of np", "differs")]),
        ("npx.set_np()", "", [("npx.set_np()", "only in the book's module")]),
        ("", "@deco\ndef f(): pass", [("f", "only in the generated module")]),
        ("class A(B): pass", "class A(C): pass", [("A", "differs")]),
        ("def f(): 'x'", "def f(): 'y'", [("f", "has another docstring")]),
        (
            "def f():\n  'Defined in :numref:`a`'\n  'x'\n  g()",
            "def f():\n  'x'\n  g()",
            [("f", "has another docstring")],
        ),
    ],
)
def test_what_counts(there: str, here: str, told: list[tuple[str, str]]) -> None:
    found = compare(definitions(there), definitions(here), provenance=False)
    assert [(one.name, one.kind) for one in found] == told
