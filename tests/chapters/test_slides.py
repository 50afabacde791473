"""The slides of our own book hold the headings, the code and the marked words of their sections, in each framework."""

import json
import re
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build, select_frameworks

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("pytorch", "mxnet", "tensorflow", "jax")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "convolution/operator": (
        "Instead of moving the kernel over the picture, go through the few weights of the kernel, and move",
        "A kernel is a question, and the result says where the answer is yes.",
        "From pictures and answers, gradient descent can find it again.",
    ),
    "multilayer-perceptrons/dropout": (
        "each framework has its own way of telling it.",
        "we put one behind each hidden layer.",
        "Learning: switch off units at random. Predicting: use all of them.",
    ),
    "preliminaries/data-preprocessing": (
        "One question mark, and the whole column of ages counts as text.",
        "each kind gets a column that says yes or no",
    ),
}
"""Words that are on slides, in their order."""
HIDDEN = frozenset({"remove-input", "remove-cell", "hide-input", "hide-cell"})


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = replace(load_config(ROOT), output=tmp_path_factory.mktemp("build"))
    names = select_frameworks(config, ["all"])
    report = build(config, BuildRequest(names, to=("notebooks", "slides"), execute=False))
    assert report.findings == ()
    return report.outputs["slides"].parents[1]


def _cells(path: Path) -> list[dict[str, Any]]:
    made: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return list(made["cells"])


def _code(path: Path, without: Set[str] = frozenset()) -> list[str]:
    """Return the code of a notebook, but for cells with certain tags."""
    code = [cell for cell in _cells(path) if cell["cell_type"] == "code"]
    return ["".join(cell["source"]) for cell in code if not without & {*cell["metadata"].get("tags", ())}]


def _headings(path: Path) -> list[str]:
    """Return the headings of a notebook, as plain words."""
    texts = ("".join(cell["source"]) for cell in _cells(path) if cell["cell_type"] == "markdown")
    found = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", "\n".join(texts), flags=re.M | re.S), re.M)
    return [re.sub(r"[`*\\]", "", title) for title in found]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("section", SECTIONS)
def test_a_deck_has_headings_code_and_marked_words(output: Path, section: str, framework: str) -> None:
    notebook = output / "notebooks" / framework / f"{section}.ipynb"
    deck = BeautifulSoup((output / "slides" / framework / f"{section}.slides.html").read_text("utf-8"), "html.parser")
    for notes in deck.select("aside.notes"):
        notes.extract()
    titles = [heading.text for heading in deck.select("section > :is(h1, h2, h3, h4)")]
    assert titles == _headings(notebook)
    shown = [code.text.rstrip("\n") for code in deck.select("div.cell_input code")]
    assert shown == [code.rstrip("\n") for code in _code(notebook, HIDDEN) if code.strip()]
    words = " ".join(" ".join(part.text.split()) for part in deck.select("section > p"))
    places = [words.find(marked) for marked in SECTIONS[section]]
    assert -1 not in places
    assert places == sorted(places)


def test_all_decks_and_notebooks_are_sound(output: Path) -> None:
    decks = sorted(path.relative_to(output / "slides") for path in output.glob("slides/*/**/*.slides.html"))
    assert len(decks) > 4 * 30
    for name in decks:
        path = output / "slides" / str(name).replace(".slides.html", ".ipynb")
        nbformat.validate(json.loads(path.read_text("utf-8")))
        names = [cell["id"] for cell in _cells(path)]
        assert len({*names}) == len(names), path
        assert _code(path) == _code(output / "notebooks" / path.relative_to(output / "slides")), path
        text = (output / "slides" / name).read_text("utf-8")
        assert not re.findall(r"<(?:script|img|link|iframe|video|source)[^>]*=\"(?:https?:)?//[^>]*", text), name
