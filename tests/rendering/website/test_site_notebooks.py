"""The library that lies beside a site's notebooks."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config.types import Html
from d2lbuild.edition.library import Library, extract
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.website import site_notebooks
from d2lbuild.rendering.website.site_notebooks import SiteNotebooks
from tests.rendering.pages import PYTORCH, PageBuilder, make_book, make_cell, make_config, make_notebook

SITE = Html(site_url="https://book.example/")


def _library(text: str) -> Mapping[str, Library]:
    page = PageBuilder("index", ("pytorch",)).page()
    return {"pytorch": extract([make_notebook(page.section, "pytorch", make_cell("c", text, 3))], PYTORCH)}


def _files(root: Path, text: str, release: str = "1.0", html: Html = SITE) -> dict[str, bytes]:
    page = PageBuilder("index", ("pytorch",)).page()
    config = make_config(root, (PYTORCH,), html=html, release=release)
    context = RenderContext(config, make_book(page), ("pytorch",), root / "html", libraries=_library(text))
    SiteNotebooks([page], context).finish((), ())
    return {path.name: path.read_bytes() for path in sorted((root / "html/_notebooks").glob("*"))}


def test_the_wheel_is_that_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _files(tmp_path, "def f(): return 1  #@save")
    assert list(first) == ["d2l-1.0-py3-none-any.whl"]
    second = _files(tmp_path, "def f(): return 2  #@save")
    assert first.keys() == second.keys()
    assert first != second
    with monkeypatch.context() as patched:
        patched.delattr(site_notebooks, "library_wheel")  # it is not made again
        assert _files(tmp_path, "def f(): return 2  #@save") == second
    (tmp_path / "html/_notebooks/d2l-1.0-py3-none-any.whl").unlink()
    assert _files(tmp_path, "def f(): return 2  #@save") == second
    assert list(_files(tmp_path, "def f(): return 2  #@save", "2.0")) == ["d2l-2.0-py3-none-any.whl"]
    (tmp_path / "html-work/wheel.json").write_text("damaged", "utf-8")
    assert list(_files(tmp_path, "def f(): return 2  #@save", "the last one")) == ["d2l-0-py3-none-any.whl"]


def test_there_is_none_without_a_library_or_an_address(tmp_path: Path) -> None:
    assert _files(tmp_path, "x = 1") == {}
    assert _files(tmp_path, "x = 1") == {}
    assert list(_files(tmp_path, "def f(): return 1  #@save")) != []
    assert _files(tmp_path, "def f(): return 1  #@save", html=replace(SITE, site_url="")) == {}
