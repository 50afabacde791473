"""Conformance with a real book: our chapters, or with `make corpus CORPUS=FOLDER` any other."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config

# Our own pages are looked at by tests/browser.
collect_ignore = [] if os.environ.get("CORPUS") else ["test_in_browser.py"]

CORPUS = Path(os.environ.get("CORPUS") or Path(__file__).parents[2])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of built pages for each framework of the book, and for all of them in tabs."""
    if "built" in metafunc.fixturenames:
        names = [framework.name for framework in load_config(CORPUS).frameworks]
        metafunc.parametrize("built", [*names, "all"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return the book's configuration, with an output folder outside of the book."""
    return replace(load_config(CORPUS), output=tmp_path_factory.mktemp("output"))
