"""Conformance with a real book: `make corpus CORPUS=FOLDER`. Without a folder there is nothing to test."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out where no book is named."""
    if os.environ.get("CORPUS"):
        return
    here = Path(__file__).parent
    left_out = [item for item in items if item.path.is_relative_to(here)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of built pages for each framework of the book, and for all of them in tabs."""
    if "built" in metafunc.fixturenames and (folder := os.environ.get("CORPUS")):
        names = [framework.name for framework in load_config(Path(folder)).frameworks]
        metafunc.parametrize("built", [*names, "all"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return the book's configuration, with an output folder outside of the book."""
    config = load_config(Path(os.environ["CORPUS"]))
    return replace(config, output=tmp_path_factory.mktemp("output"))
