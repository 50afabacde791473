"""A small book as notebooks for services: what they install, where their figures are, whether they want a GPU."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from d2lbuild.config.types import Config, Elsewhere, Html, NotebookService
from d2lbuild.edition.library import extract
from d2lbuild.model import Needs
from d2lbuild.rendering.context import RenderContext, RenderResult
from d2lbuild.rendering.elsewhere.notebooks import SETUP, render_elsewhere
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.website.page_links import page_links
from tests.rendering.pages import JAX, PYTORCH, PageBuilder, make_book, make_cell, make_config, make_notebook

BOTH = ("pytorch", "jax")
WHEEL = "d2l-1.0-py3-none-any.whl"
COLAB = "https://colab.research.google.com/github/me/book-{framework}/blob/main/{section}.ipynb"
RAW = "https://raw.githubusercontent.com/me/book-pytorch/main/"
SITE = Html(site_url="https://book.example/")


def _html() -> Html:
    addresses = {name: COLAB.replace("{framework}", name) for name in BOTH}
    return Html(services=(NotebookService("Colab", addresses),))


def _pages() -> list[Page]:
    index = PageBuilder("index", BOTH)
    index.prose("# Book\n\n![Picture](img/a.svg)")
    index.contents("ch/one two")
    one = PageBuilder("ch/one two", BOTH)
    one.prose("# One\n\n![Picture](../img/a.svg)\n\n![Other](../img/b.png)\n\n[Data](../a.csv)")
    one.code("import torch  #@save", "pytorch")
    one.code("import jax", "jax")
    return [index.page(), one.page()]


def _book(root: Path, **changes: object) -> Config:
    files = {"img/a.svg": "<svg/>", "img/b.png": "png", "a.csv": "1\n"}
    for name, text in files.items():
        (root / "chapters" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "chapters" / name).write_text(text, "utf-8")
    (root / "requirements.in").write_text("torch>=2\nnumpy\nipykernel\n", "utf-8")
    (root / "requirements.txt").write_text("# made\nipykernel==6.1\nnumpy==2.0\ntorch==2.13.0\n", "utf-8")
    framework = replace(PYTORCH, python="3.11", requirements=root / "requirements.in", lock=root / "requirements.txt")
    return make_config(root, (framework, JAX), **changes)


def _render(
    service: str, config: Config, needs: Mapping[tuple[str, str], Needs] | None = None
) -> tuple[Path, RenderResult]:
    pages = _pages()
    section = pages[1].section
    cell = make_cell("c", "def loss(a): return a  #@save", 3)
    library = extract([make_notebook(section, "pytorch", cell)], config.framework("pytorch"))
    output = config.output / "all" / service
    context = RenderContext(config, make_book(*pages), BOTH, output, libraries={"pytorch": library})
    result = render_elsewhere(service, pages, context, needs or {})
    return output, result


def _read(path: Path) -> Any:
    made = json.loads(path.read_text("utf-8"))
    nbformat.validate(made)
    ids = [cell["id"] for cell in made["cells"]]
    assert len(ids) == len(set(ids))
    return made


def _setup(made: Any) -> list[str]:
    cells = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    return "".join(cells[0]["source"]).split("\n")[1:] if cells and cells[0]["id"] == SETUP else []


def _text(made: Any) -> str:
    return "".join("".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "markdown")


def test_every_notebook_is_valid_and_the_same_the_second_time(tmp_path: Path) -> None:
    config = _book(tmp_path, html=_html())
    for service in ("colab", "sagemaker", "binder"):
        output, _ = _render(service, config)
        names = sorted(output.rglob("*.ipynb"))
        assert len(names) == 4
        before = {path: (_read(path), path.read_bytes()) for path in names}
        stamps = [path.stat().st_mtime_ns for path in names]
        _render(service, config)
        assert [path.stat().st_mtime_ns for path in names] == stamps
        assert all(path.read_bytes() == content for path, (_, content) in before.items())


def test_the_first_cell_installs_what_is_locked_and_the_library(tmp_path: Path) -> None:
    config = _book(tmp_path, html=_html())
    colab, result = _render("colab", config)
    assert result.findings == ()
    one = _read(colab / "pytorch/ch/one two.ipynb")
    assert _setup(one) == [f"%pip install -q numpy==2.0 {RAW}{WHEEL}"]
    assert (colab / "pytorch" / WHEEL).is_file()
    assert _setup(_read(colab / "pytorch/index.ipynb")) == []
    assert _setup(_read(colab / "jax/ch/one two.ipynb")) == []
    needs = {("ch/one two", "pytorch"): Needs(packages=("networkx==3.3",))}
    sagemaker, result = _render("sagemaker", replace(config, html=SITE), needs)
    site = f"https://book.example/_notebooks/{WHEEL}"
    assert _setup(_read(sagemaker / "pytorch/ch/one two.ipynb")) == [
        f"%pip install -q numpy==2.0 torch==2.13.0 networkx==3.3 {site}"
    ]


def test_a_library_without_an_address_is_a_finding(tmp_path: Path) -> None:
    output, result = _render("colab", _book(tmp_path))
    (finding,) = result.findings
    assert str(finding).startswith("warning: the notebooks for Colab in PyTorch cannot install `d2l` (say where")
    assert _setup(_read(output / "pytorch/ch/one two.ipynb")) == ["%pip install -q numpy==2.0"]


def test_a_book_may_say_what_is_installed(tmp_path: Path) -> None:
    own = Elsewhere({"pytorch": ("-U torch>=2,<3", ".")}, {"pytorch": "conda_pytorch"}, (("img", "https://x.y/i"),))
    output, _ = _render("sagemaker", _book(tmp_path, html=SITE, elsewhere={"sagemaker": own}))
    made = _read(output / "pytorch/ch/one two.ipynb")
    assert _setup(made) == [
        "%pip install -q -U 'torch>=2,<3'",
        f"%pip install -q https://book.example/_notebooks/{WHEEL}",
    ]
    assert made["metadata"]["kernelspec"]["name"] == "conda_pytorch"
    assert "![Picture](https://x.y/i/a.svg)" in _text(made)
    assert _read(output / "jax/ch/one two.ipynb")["metadata"]["kernelspec"]["name"] == "python3"


def test_a_book_may_say_what_stands_above_and_which_code_wants_a_gpu(tmp_path: Path) -> None:
    own = Elsewhere(header="This is *needed*:", gpu_pattern="import torch")
    output, _ = _render("colab", _book(tmp_path, html=_html(), elsewhere={"colab": own}))
    made = _read(output / "pytorch/ch/one two.ipynb")
    assert ["".join(cell["source"]).partition("\n")[0] for cell in made["cells"][:2]] == [
        "This is *needed*:",
        "# Installs what this notebook needs.",
    ]
    assert made["metadata"]["accelerator"] == "GPU"
    for name in ("pytorch/index.ipynb", "jax/ch/one two.ipynb"):  # no code; nothing to install, and no such code
        made = _read(output / name)
        assert "needed" not in _text(made)
        assert "accelerator" not in made["metadata"]


def test_figures_have_addresses_that_hold_anywhere(tmp_path: Path) -> None:
    config = _book(tmp_path, html=_html())
    output, _ = _render("colab", config)
    text = _text(_read(output / "pytorch/ch/one two.ipynb"))
    assert f"![Picture]({RAW}img/a.svg)" in text
    assert f"[Data]({RAW}a.csv)" in text
    assert (output / "pytorch/img/a.svg").is_file()
    output, _ = _render("colab", replace(config, html=SITE))
    assert "(https://book.example/_notebooks/figures/chapters/img/a.svg)" in _text(
        _read(output / "pytorch/ch/one two.ipynb")
    )
    assert not (output / "pytorch/img/a.svg").exists()
    output, _ = _render("colab", replace(config, html=Html()))
    text = _text(_read(output / "pytorch/ch/one two.ipynb"))
    assert "![Picture](data:image/svg+xml;base64,PHN2Zy8+)" in text
    assert "![Other](data:image/png;base64,cG5n)" in text


def test_only_notebooks_that_use_a_gpu_ask_for_one(tmp_path: Path) -> None:
    config = _book(tmp_path)
    needs = {("ch/one two", "pytorch"): Needs(uses_gpu=True), ("ch/one two", "jax"): Needs()}
    output, _ = _render("colab", config, needs)
    gpu, none = (_read(output / name / "ch/one two.ipynb")["metadata"] for name in BOTH)
    assert (gpu["accelerator"], gpu["colab"]["gpuType"]) == ("GPU", "T4")
    assert "accelerator" not in none
    assert "gpuType" not in none["colab"]
    sagemaker, _ = _render("sagemaker", config, needs)
    assert "accelerator" not in _read(sagemaker / "pytorch/ch/one two.ipynb")["metadata"]


def test_binder_gets_an_environment_and_notebooks_as_they_are(tmp_path: Path) -> None:
    output, result = _render("binder", _book(tmp_path))
    assert result.findings == ()
    text = (output / "pytorch/binder/environment.yml").read_text("utf-8")
    assert (
        text
        == f"""\
name: mini-pytorch
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
      - "ipykernel==6.1"
      - "numpy==2.0"
      - "torch==2.13.0"
      - "../{WHEEL}"
"""
    )
    assert (output / "pytorch/requirements.txt").read_text("utf-8").endswith(f"torch==2.13.0\n./{WHEEL}\n")
    one = _read(output / "pytorch/ch/one two.ipynb")
    assert _setup(one) == []
    assert "![Picture](../img/a.svg)" in _text(one)


def test_the_links_of_pages_lead_to_what_is_written(tmp_path: Path) -> None:
    config = _book(tmp_path, html=_html())
    output, _ = _render("colab", config)
    links = [link for page in _pages() for link in page_links(page, config, BOTH).links if link.kind == "open"]
    assert len(links) == 2
    for link in links:
        name = link.address.removeprefix(COLAB.replace("{framework}", link.framework).partition("{section}")[0])
        assert (output / link.framework / name.replace("%20", " ")).is_file()


@pytest.mark.parametrize("service", ["colab", "binder"])
def test_what_earlier_builds_left_is_removed(tmp_path: Path, service: str) -> None:
    config = _book(tmp_path)
    old = config.output / "all" / service / "pytorch" / "old.ipynb"
    old.parent.mkdir(parents=True)
    old.write_text("{}", "utf-8")
    _render(service, config)
    assert not old.exists()
