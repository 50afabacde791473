import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from d2lbuild.config.types import Framework
from d2lbuild.edition.library import extract
from d2lbuild.model import CellKind, ExecutionResult, Status
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.notebooks import render_notebooks
from d2lbuild.rendering.reading_kit import write_archive

from .pages import PageBuilder, make_book, make_cell, make_config, make_notebook

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


# --- what running them takes ------------------------------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A book with a lock, a library, data and an image, as notebooks."""
    lock = tmp_path / "frameworks" / "pytorch" / "requirements.txt"
    files = {"data/a.csv": "1\n", "data/plot.png": "", "secret.csv": "", "read.csv": "2\n"}
    for name, text in files.items():
        (tmp_path / "chapters" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "chapters" / name).write_text(text, "utf-8")
    lock.parent.mkdir(parents=True)
    lock.write_text("# Made by a program.\ntorch==2.13.0\n", "utf-8")
    config = make_config(tmp_path)
    framework = replace(config.framework("pytorch"), lock=lock)
    config = replace(config, resources=("data",), frameworks=(framework,))
    page = PageBuilder("index", ("pytorch",))
    page.code("def loss(a): return a  #@save", "pytorch")
    inputs = {"read.csv": "digest", "../outside": "digest", "gone.csv": "absent"}
    made = page.page({"pytorch": ExecutionResult(Status.DONE, (), 1.0, "2026-11-20T10:00:00Z", inputs=inputs)})
    cell = make_cell("c", "def loss(a): return a  #@save", 3)
    library = extract([make_notebook(made.section, "pytorch", cell)], framework)
    output = tmp_path / "_build" / "notebooks"
    context = RenderContext(config, make_book(made), ("pytorch",), output, libraries={"pytorch": library})
    render_notebooks([made], context)
    return output


def test_requirements_library_and_data_lie_beside_the_notebooks(kit: Path) -> None:
    names = sorted(path.relative_to(kit).as_posix() for path in kit.rglob("*") if path.is_file())
    (wheel,) = (name for name in names if name.endswith(".whl"))
    (archive,) = (name for name in names if name.endswith(".zip"))
    inside = ["README.md", "data/a.csv", "index.ipynb", "read.csv", "requirements.txt"]
    assert names == sorted([archive, wheel, *(f"pytorch/{name}" for name in inside)])
    text = (kit / "pytorch" / "requirements.txt").read_text("utf-8")
    assert text == f"torch==2.13.0\n./{Path(wheel).name}\n"
    with zipfile.ZipFile(kit / archive) as found:
        stem = Path(archive).stem
        assert sorted(found.namelist()) == sorted(f"{stem}/{name}" for name in names if name != archive)
        assert found.testzip() is None


def test_the_archive_has_the_same_bytes_another_time(kit: Path) -> None:
    (archive,) = kit.glob("*.zip")
    before = archive.read_bytes()
    files = [path for path in kit.rglob("*") if path.is_file() and path != archive]
    for path in files:
        os.utime(path, (1e9, 1e9))
    write_archive(archive, kit, files[::-1])
    assert archive.read_bytes() == before
