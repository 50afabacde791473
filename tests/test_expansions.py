"""Expanded cells that are kept between commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from d2lbuild.config import Config
from d2lbuild.edition.edition import make_edition
from d2lbuild.execution.home import cache_home
from d2lbuild.expansions import expand_beside
from d2lbuild.pipeline import BuildRequest, plan_build
from d2lbuild.source.book import load_book
from tests.books import configuration, write_book

CELL = "```{{.python .input}}\n#@tab pytorch\n{}\n```\n"
FILES = {
    "index.md": "# Book\n\n```toc\none\n```\n",
    "one.md": "# One\n\n" + CELL.format("from d2l import torch as d2l\nd2l.concat([d2l.ones(2)])"),
}
REQUEST = BuildRequest(("pytorch",))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    return configuration(write_book(tmp_path / "book", FILES), interpreter=Path(sys.executable))


def kept() -> Path:
    return cache_home() / "expanded" / "mini" / "pytorch.json"


def code(config: Config) -> str:
    (run,) = plan_build(config, REQUEST).todo
    return run.notebook.parts.texts["code"]


def test_what_is_kept_is_what_would_be_made(config: Config) -> None:
    first = code(config)
    assert "torch.cat([torch.ones(2)])" in first
    assert "torch.cat" in kept().read_text("utf-8")
    assert code(config) == first


def test_a_known_cell_needs_no_libcst(config: Config, tmp_path: Path) -> None:
    code(config)
    program = (
        "import sys; from pathlib import Path; from tests.test_expansions import *\n"
        "plan_build(configuration(Path(sys.argv[1]), interpreter=Path(sys.executable)), REQUEST)\n"
        "sys.exit('libcst' in sys.modules)"
    )
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", program, str(tmp_path / "book")]
    subprocess.run(command, cwd=root, env={"D2LBUILD_CACHE": str(cache_home()), "PYTHONPATH": str(root)}, check=True)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"made by": "somebody else", "cells": {"x": "y"}}', '{"cells": 1}']
)
def test_what_cannot_be_used_is_made_anew(config: Config, content: str) -> None:
    first = code(config)
    kept().write_text(content, "utf-8")
    assert code(config) == first
    assert "torch.cat" in kept().read_text("utf-8")


def test_cells_that_are_gone_are_forgotten_with_the_next_change(config: Config) -> None:
    code(config)
    write_book(config.root, {"one.md": "# One\n\n" + CELL.format("from d2l import torch as d2l\nd2l.exp(1)")})
    assert "torch.exp(1)" in code(config)
    assert "torch.cat" not in kept().read_text("utf-8")


@pytest.mark.parametrize("processors", [1, 2])
def test_many_cells_are_expanded_beside_other_work(
    config: Config, monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    """With one processor in this process, with several in others."""
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    cells = "\n".join(CELL.format(f"d2l.ones({n})") for n in range(60))
    (config.root / "chapters" / "one.md").write_text(f"# One\n\n{cells}", encoding="utf-8")
    found = make_edition(config, tuple(load_book(config).sections.values()), "pytorch")
    assert expand_beside([found], [lambda: "first", lambda: "second"]) == ["first", "second"]
    assert found.expanded == {f"d2l.ones({n})": f"torch.ones({n})" for n in range(60)}


def test_few_cells_are_left_for_later(config: Config) -> None:
    found = make_edition(config, tuple(load_book(config).sections.values()), "pytorch")
    assert expand_beside([found], [lambda: "first"]) == ["first"]
    assert found.expanded == {}
