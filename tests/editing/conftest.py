"""What tests of editing share: a book's names, and saving a notebook as Jupyter does."""

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from d2lbuild.config.types import Framework
from d2lbuild.editing.notebook import Json, notebook_file
from d2lbuild.source.cells import FrameworkNames

FRAMEWORKS = ("pytorch", "mxnet", "tensorflow", "jax")
NAMES = FrameworkNames(FRAMEWORKS)


def saved(notebook: Json, change: Callable[[list[Any]], object] = lambda _: None) -> Json:
    """Return a notebook as Jupyter saves it, after some `change` of its cells: run, trusted, written and read."""
    text = notebook_file(notebook, Framework("jax", "JAX", "jax"), "a-kernel", {"base": "x"})
    made = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    for number, cell in enumerate(made.cells):
        cell.metadata["trusted"] = True
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="1\n2\n")]  # type: ignore[no-untyped-call]
    change(made.cells)
    made.metadata["widgets"] = {}
    nbformat.validate(made)
    return copy.deepcopy(dict(json.loads(nbformat.writes(made))))  # type: ignore[no-untyped-call]


def code(source: str) -> Any:
    """Return a cell that an author has added."""
    return nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]


def prose(source: str) -> Any:
    """Return a text cell that an author has added."""
    return nbformat.v4.new_markdown_cell(source)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def names() -> FrameworkNames:
    return NAMES
