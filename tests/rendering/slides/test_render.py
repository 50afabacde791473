"""Decks and notebooks as files: what is in them, what lies beside them, and that they load nothing from elsewhere."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from d2lbuild.model import CellKind, ExecutionResult, Output, Status
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.slides.render import render_slides
from tests.rendering.pages import PageBuilder, make_book, make_config

BOTH = ("pytorch", "jax")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
SCRIPT = "<script>alert(1)</script>"


def data(kind: str, content: str, **metadata: object) -> Output:
    return {"output_type": "display_data", "data": {kind: content}, "metadata": {kind: metadata}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    image = tmp_path / "chapters" / "img" / "a b.svg"
    image.parent.mkdir(parents=True)
    image.write_text("<svg/>", "utf-8")
    index = PageBuilder("index", BOTH)
    index.prose("# Book")
    index.contents("ch/one", "ch/two", "ch/three", numbered=True)
    one = PageBuilder("ch/one", BOTH)
    one.section = replace(one.section, title="One & <all>")
    one.prose(
        "# One & <all>\n\n[**$a < b$**] ![P](<../img/a b.svg>) ![far](https://example.org/a.png) "
        '<img alt="wide" width="9" src="https://example.org/b.png"> $x^2$ $\\nix$'
    )
    one.code('print("<b>")  #@save', "pytorch", text="\x1b[31mred\x1b[0m <b>\n")
    one.code("import jax", "jax")
    one.code("hidden()", text="shown\n", tags=frozenset({"hide-input"}))
    one.code("silent()", text="unheard\n", tags=frozenset({"remove-output"}))
    pictures = [
        data("image/png", PNG, width=300),
        data("image/svg+xml", f"<svg xmlns='http://www.w3.org/2000/svg'><text>loss</text>{SCRIPT}</svg>"),
        data("text/html", f"<table><tr><td>cell</td></tr></table>{SCRIPT}<img src='https://example.org/a.png'>"),
        data("text/latex", "$a < b$"),
        {"output_type": "stream", "name": "stderr", "text": "warned\n"},
    ]
    one.add(CellKind.CODE, "draw()", outputs=pictures)
    one.prose(
        "See [the other](two.md) and [the third](three.md).\n\n```python\nlisting\n```\n\n(**More:**)\n\n$$a \\\\ b$$"
    )
    two = PageBuilder("ch/two", BOTH)
    two.prose("# Two\n\nNo slides.")
    three = PageBuilder("ch/three", BOTH)
    three.section = replace(three.section, title="Three")
    three.prose("# Three")
    three.prose("[**Only JAX**]", "jax")
    result = ExecutionResult(Status.DONE, (), 1.0, "2026-11-20T10:00:00Z")
    pages = [index.page(), one.page({"pytorch": result}), two.page(), three.page()]
    output = tmp_path / "_build" / "slides"
    (output / "jax").mkdir(parents=True)
    (output / "jax" / "old.slides.html").write_text("", "utf-8")
    made = render_slides(pages, RenderContext(make_config(tmp_path), make_book(*pages), BOTH, output))
    assert made == output / "index.html"
    return output


def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_sections_with_marks_have_decks_and_notebooks(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith("_static/")} == {
        "index.html",
        *(f"{name}/ch/one.{suffix}" for name in BOTH for suffix in ("slides.html", "ipynb")),
        *("jax/ch/three.slides.html", "jax/ch/three.ipynb"),
        *(f"{name}/img/a b.svg" for name in BOTH),
    }
    static = {name.removeprefix("_static/") for name in names if name.startswith("_static/")}
    assert {"reveal.js", "notes.js", "LICENSE-reveal.txt", "mathjax/LICENSE", "mathjax/tex-chtml-full.js"} <= static


def test_the_index_leads_to_all_of_them(folder: Path) -> None:
    links = [(link.text, link["href"]) for link in page(folder / "index.html").find_all("a")]
    assert [one for one in links if one[0] != "Notebook"] == [
        ("1 One & <all>", "pytorch/ch/one.slides.html"),
        ("1 One & <all>", "jax/ch/one.slides.html"),
        ("3 Three", "jax/ch/three.slides.html"),
    ]
    assert all((folder / str(address)).is_file() for _, address in links)


def test_a_deck_holds_its_framework_only_and_hides_what_pages_hide(folder: Path) -> None:
    deck = page(folder / "pytorch/ch/one.slides.html")
    title = deck.title
    assert title
    assert title.text == "1 One & <all> · PyTorch · A Mini Book"
    code = [block.text.strip() for block in deck.select(".cell pre.highlight")]
    assert code == ['print("<b>")', "silent()", "draw()"]
    assert [block.text.strip() for block in deck.select(".cell_output .d2l-stdout")] == ["red <b>", "shown"]
    words = deck.get_text()
    assert not [word for word in ("unheard", "warned", "import jax", "hidden()") if word in words]
    assert len(deck.select("section")) == 1
    assert [block.text.strip() for block in deck.select("section > .math, section > p .math")] == [r"\(a < b\)"]


def test_outputs_are_safe(folder: Path) -> None:
    deck = page(folder / "pytorch/ch/one.slides.html")
    png, svg = deck.select("img.d2l-picture")
    assert (png["src"], png["alt"], png["width"]) == (f"data:image/png;base64,{PNG}", "Image", "300")
    drawing = base64.b64decode(str(svg["src"]).removeprefix("data:image/svg+xml;base64,")).decode()
    assert svg["alt"] == "Figure: loss"
    assert "script" not in drawing
    assert [cell.text for cell in deck.select(".cell_output td")] == ["cell"]
    assert [formula.text for formula in deck.select(".cell_output .math")] == [r"\[a < b\]"]
    assert not deck.find_all("script", src=False)


@pytest.mark.parametrize("name", ["index.html", "pytorch/ch/one.slides.html", "jax/ch/three.slides.html"])
def test_nothing_is_loaded_from_elsewhere_and_all_that_is_loaded_is_there(folder: Path, name: str) -> None:
    deck = page(folder / name)
    assert not [one for one in deck.find_all("img") if "//" in str(one.get("src")) and "data:" not in str(one["src"])]
    loaded = [one.get("src") or one.get("href") for one in deck.find_all(["script", "img", "link", "iframe"])]
    addresses = [str(address) for address in loaded if address and not str(address).startswith("data:")]
    assert addresses
    assert all((folder / name).parent.joinpath(address.replace("%20", " ")).is_file() for address in addresses)
    handlers = [key for element in deck.find_all(True) for key in element.attrs if key.startswith("on")]
    assert handlers == []


def test_formulas_are_loaded_only_where_there_are_any(folder: Path) -> None:
    with_formulas = (folder / "jax/ch/one.slides.html").read_text("utf-8")
    without = (folder / "jax/ch/three.slides.html").read_text("utf-8")
    assert ("tex-chtml-full.js" in with_formulas, "tex-chtml-full.js" in without) == (True, False)


def test_notes_hold_the_prose_with_formulas_that_need_no_script(folder: Path) -> None:
    (notes,) = page(folder / "pytorch/ch/one.slides.html").select("aside.notes")
    assert notes.find("math", alttext="x^2")
    assert [code.text for code in notes.select("span > code")] == [r"\nix"]
    assert [image["src"] for image in notes.select("img")] == ["../img/a%20b.svg"]
    links = {link.text: link["href"] for link in notes.select("a")}
    # Sections without a deck have no address here.
    assert links == {"far": "https://example.org/a.png", "wide": "https://example.org/b.png"}
    assert "See the other and the third." in notes.text


def test_links_lead_to_decks_of_the_same_framework(folder: Path) -> None:
    links = {link.text: link["href"] for link in page(folder / "jax/ch/one.slides.html").select("aside.notes a")}
    assert links["the third"] == "three.slides.html"


def test_notebooks_say_where_slides_begin(folder: Path) -> None:
    made = json.loads((folder / "jax/ch/three.ipynb").read_text("utf-8"))
    assert [cell["metadata"]["slideshow"]["slide_type"] for cell in made["cells"]] == ["slide", "-"]
    made = json.loads((folder / "pytorch/ch/one.ipynb").read_text("utf-8"))
    nbformat.validate(made)
    kinds = [(cell["cell_type"], cell["metadata"]["slideshow"]["slide_type"]) for cell in made["cells"]]
    assert kinds == [
        ("markdown", "slide"),
        ("markdown", "-"),
        *[("code", "-")] * 4,
        ("markdown", "-"),
        ("markdown", "notes"),
    ]
    assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])
    counts = [cell["execution_count"] for cell in made["cells"] if cell["cell_type"] == "code"]
    assert counts == [1, 2, 3, 4]
    assert made["metadata"]["rise"] == {"scroll": True}


def test_a_book_without_marks_says_how_to_begin(tmp_path: Path) -> None:
    index = PageBuilder("index", BOTH)
    index.prose("# Book")
    context = RenderContext(make_config(tmp_path), make_book(index.page()), BOTH, tmp_path / "_build" / "slides")
    made = render_slides([index.page()], context)
    assert "No section has slides" in made.read_text("utf-8")
    assert not list(made.parent.rglob("*.slides.html"))
