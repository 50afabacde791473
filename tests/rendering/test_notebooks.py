import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from d2lbuild.config.types import Framework
from d2lbuild.model import CellKind, ExecutionResult, Status
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.notebooks import render_notebooks

from .pages import PageBuilder, make_book, make_config

BOTH = ("pytorch", "jax")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    image = tmp_path / "chapters" / "img" / "a.svg"
    image.parent.mkdir(parents=True)
    image.write_text("<svg/>", encoding="utf-8")
    index = PageBuilder("index", BOTH)
    index.prose("# Book")
    index.contents("ch/one", "ch/jax")
    index.add(CellKind.RST, ".. raw:: html")
    one = PageBuilder("ch/one", BOTH)
    one.prose("# One\n\n![Picture](../img/a.svg)")
    one.code("import torch  #@save", "pytorch", text="1\n")
    one.code("import jax", "jax")
    only = PageBuilder("ch/jax", ("jax",))
    only.prose("# Only JAX")
    result = ExecutionResult(Status.DONE, (), 1.0, "2026-11-20T10:00:00Z")
    pages = [index.page(), one.page({"pytorch": result}), only.page()]
    output = tmp_path / "_build" / "notebooks"
    (output / "jax").mkdir(parents=True)
    (output / "jax" / "old.ipynb").write_text("{}", encoding="utf-8")
    assert render_notebooks(pages, RenderContext(make_config(tmp_path), make_book(*pages), BOTH, output)) == output
    return output


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in _read(path)["cells"]]


def test_every_notebook_is_valid(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.ipynb"))
    assert names == [
        "jax/ch/jax.ipynb",
        "jax/ch/one.ipynb",
        "jax/index.ipynb",
        "pytorch/ch/one.ipynb",
        "pytorch/index.ipynb",
    ]
    for name in names:
        nbformat.validate(_read(folder / name))


def test_a_notebook_has_its_own_framework_only(folder: Path) -> None:
    assert _sources(folder / "pytorch/ch/one.ipynb")[1:] == ["import torch"]
    assert _sources(folder / "jax/ch/one.ipynb")[1:] == ["import jax"]


def test_outputs_and_counts_are_there_if_it_ran(folder: Path) -> None:
    ran, not_run = (_read(folder / name / "ch/one.ipynb")["cells"][1] for name in BOTH)
    assert (ran["execution_count"], ran["outputs"][0]["text"]) == (1, "1\n")
    assert (not_run["execution_count"], not_run["outputs"]) == (None, [])


def test_images_lie_beside_the_notebooks(folder: Path) -> None:
    assert "![Picture](../img/a.svg)" in _sources(folder / "jax/ch/one.ipynb")[0]
    assert (folder / "jax" / "img" / "a.svg").is_file()


def test_the_contents_list_the_notebooks_of_the_edition(folder: Path) -> None:
    assert _sources(folder / "pytorch/index.ipynb") == ["# Book", "* [ch/one](ch/one.ipynb)"]
    assert _sources(folder / "jax/index.ipynb")[1] == "* [ch/one](ch/one.ipynb)\n* [ch/jax](ch/jax.ipynb)"


def test_a_notebook_of_another_language_names_its_kernel(tmp_path: Path) -> None:
    java = Framework("djl", "Deep Java Library", "djl", language="java", comment="//")
    page = PageBuilder("index", ("djl",))
    page.code("int tab = 1;  // @save")
    output = tmp_path / "_build" / "notebooks"
    config = make_config(tmp_path, [java])
    render_notebooks([page.page()], RenderContext(config, make_book(page.page()), ("djl",), output))
    made = _read(output / "djl/index.ipynb")
    nbformat.validate(made)
    assert made["metadata"]["kernelspec"] == {"display_name": "Deep Java Library", "language": "java", "name": "java"}
    assert made["metadata"]["language_info"] == {"name": "java"}
    assert _sources(output / "djl/index.ipynb") == ["int tab = 1;  // @save"]
