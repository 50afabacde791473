"""The parity table, and what `extract-lib` and `check` say of the library."""

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def cell(code: str, mark: str = "all") -> str:
    return f"```{{.python .input}}\n#@tab {mark}\n{code}\n```\n"


@pytest.fixture
def chapter(book: Path) -> Path:
    """Return the chapter of the small book, which has a function in both frameworks."""
    return book / "chapters" / "one.md"


def test_the_table(run: Run, book: Path, chapter: Path) -> None:
    chapter.write_text(
        "# One\n"
        + cell("class A:  #@save\n    def f(self, x):\n        return x")
        + cell("@d2l.add_to_class(A)  #@save\ndef g(self):\n    pass", "jax")
        + cell("def load(n):  #@save\n    return n", "pytorch")
        + cell("def load(n, key=None):  #@save\n    return n", "jax")
    )
    told = run("extract-lib", "--parity")
    assert told.code == 0
    assert told.out.startswith(
        "name  pytorch  jax\n"
        "A     ✓        ✓\n"
        "  .f  ✓        ✓\n"
        "  .g  –        ✓\n"
        "load  ≠        ≠\n"
        "      (n)  pytorch\n"
        "      (n, key=None)  jax\n"
        "\n"
        "alias"
    )
    assert "\n4 names, 3 in all 2 frameworks, 1 with different signatures\n" in told.out
    assert told.err == ""
    assert not (book / "_build").exists()


@pytest.mark.usefixtures("book")
def test_the_table_of_one_framework(run: Run) -> None:
    told = run("extract-lib", "--parity", "-f", "jax")
    assert told.out.startswith("name    jax\ndouble  ✓\n\n1 name\n")


@pytest.mark.usefixtures("book")
def test_colours_only_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in run("extract-lib", "--parity").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32m✓\x1b[0m" in run("extract-lib", "--parity").out


def test_what_is_wrong_is_said_with_its_place_and_modules_are_written(run: Run, book: Path, chapter: Path) -> None:
    chapter.write_text("# One\n" + cell("def f(x):  #@save\n    return lost", "jax") + cell("d2l.gone(1)", "pytorch"))
    for command in ("check", "extract-lib"):
        told = run(command)
        assert told.code == 1
        said = told.out + told.err
        assert "chapters/one.md:5:12: error: this uses 'lost', which the library module does not have, in jax (" in said
        assert "chapters/one.md:9:5: error: the library has no 'gone', in pytorch (" in said
    assert [path.name for path in sorted((book / "_build" / "lib" / "d2l").iterdir())] == ["jax.py", "torch.py"]


def test_a_module_that_is_not_python_is_not_written(run: Run, book: Path, chapter: Path) -> None:
    late = cell("import os  #@save", "jax") + cell("from __future__ import annotations  #@save", "jax")
    chapter.write_text("# One\n" + late + cell("def f():  #@save\n    pass", "pytorch"))
    told = run("extract-lib")
    assert told.code == 1
    assert "chapters/one.md:8:1: error: the library module is not Python: from __future__ imports must" in told.err
    assert [path.name for path in (book / "_build" / "lib" / "d2l").iterdir()] == ["torch.py"]


def test_an_import_is_tried_where_there_is_an_environment(run: Run, book: Path, chapter: Path) -> None:
    """Only `extract-lib` does so: `check` runs nothing."""
    folder = book / "frameworks" / "jax"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text(
        f'name = "jax"\ntitle = "JAX"\nmodule = "jax"\nprefix = "d2l"\ninterpreter = "{sys.executable}"\n'
    )
    chapter.write_text("# One\n" + cell("def f(x):  #@save\n    return 1 / x\n\nY = f(0)  #@save"))
    assert run("check").code == 0
    told = run("extract-lib")
    assert told.code == 1
    reason = "ZeroDivisionError: division by zero [library-import]"
    place = "chapters/one.md:5: error"
    assert told.err == f"{place}: importing d2l.jax fails in the environment of jax: {reason}\n"
