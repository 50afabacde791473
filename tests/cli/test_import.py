"""`d2lbuild import` and `d2lbuild notebook`."""

import json
from pathlib import Path

import nbformat
import pytest

from tests.cli.conftest import Run


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a notebook as a script."""
    (tmp_path / "dot.svg").write_text("<svg/>")
    path = tmp_path / "My Script.py"
    path.write_text("# %% [markdown]\n# # Mine\n#\n# ![A dot](dot.svg)\n\n# %%\nimport math\n")
    return path


def test_a_notebook_becomes_a_section(run: Run, book: Path, script: Path) -> None:
    ran = run("import", str(script), "--to", "chapters/part/mine.md", "--framework", "jax", "--toc")
    assert ran.code == 0
    assert ran.out.split("\n")[:3] == [
        f"wrote {book}/chapters/part/img/mine-dot.svg",
        f"wrote {book}/chapters/part/mine.md",
        f"added `part/mine` to the `toc` of {book}/chapters/index.md",
    ]
    assert (book / "chapters" / "part" / "mine.md").read_text("utf-8") == (
        "# Mine\n:label:`sec_mine`\n\n![A dot](img/mine-dot.svg)\n\n```{.python .input}\n#@tab jax\nimport math\n```\n"
    )
    assert run("check").code == 0


def test_nothing_is_overwritten_unless_asked(run: Run, book: Path, script: Path) -> None:
    ran = run("import", str(script))
    assert (ran.code, ran.out) == (
        0,
        f"wrote {book}/chapters/img/my-script-dot.svg\nwrote {book}/chapters/My-Script.md\n",
    )
    assert "write `My-Script` into the `toc`" in ran.err
    (book / "chapters" / "My-Script.md").write_text("precious")
    assert run("import", str(script)).code == 2
    assert (book / "chapters" / "My-Script.md").read_text() == "precious"
    (book / "chapters" / "My-Script.md").unlink()
    (book / "chapters" / "img" / "my-script-dot.svg").write_text("precious")
    ran = run("import", str(script))
    assert ran.code == 2
    assert not (book / "chapters" / "My-Script.md").exists()
    assert run("import", str(script), "--force").code == 0


@pytest.mark.parametrize(
    ("target", "message"),
    [("elsewhere.md", "does not lie in the sources' folder"), ("chapters/a.ipynb", "is no Markdown")],
)
def test_a_section_lies_among_the_sources(run: Run, book: Path, script: Path, target: str, message: str) -> None:
    ran = run("import", str(script), "--to", target)
    assert ran.code == 2
    assert message in ran.err


def test_a_section_as_a_notebook_for_readers(run: Run, book: Path, tmp_path: Path) -> None:
    ran = run("notebook", "one", "--framework", "jax")
    path = book / "_build" / "notebook" / "jax" / "one.ipynb"
    assert (ran.code, ran.out) == (0, f"{path}\n")
    made = nbformat.read(path, 4)  # type: ignore[no-untyped-call]
    nbformat.validate(made)
    assert [cell.source for cell in made.cells] == ["# 1 One", "def double(x):\n    return 2 * x"]
    assert run("notebook", "chapters/one.md", "-o", str(tmp_path / "x.ipynb")).code == 0
    assert json.loads((tmp_path / "x.ipynb").read_text("utf-8"))["cells"]


def test_it_is_the_one_that_a_build_makes(run: Run, book: Path) -> None:
    run("notebook", "one")
    run("build", "--to", "notebooks", "--no-execute")
    assert (book / "_build/notebook/pytorch/one.ipynb").read_bytes() == (
        book / "_build/pytorch/notebooks/pytorch/one.ipynb"
    ).read_bytes()


def test_there_may_be_no_outputs(run: Run, book: Path) -> None:
    ran = run("notebook", "one", "--outputs")
    assert ran.code == 3
    assert "there are no outputs of 'one' for pytorch" in ran.err
    assert "d2lbuild build --framework pytorch one" in ran.err


def test_a_section_that_the_framework_lacks(run: Run, book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\n```{.python .input}\n#@tab pytorch\na\n```\n")
    ran = run("notebook", "two", "--framework", "jax")
    assert ran.code == 2
    assert "the section 'two' has no cells for jax" in ran.err
