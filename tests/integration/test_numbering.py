"""Numbers that are counted without Sphinx, held against the website."""

from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild import pipeline
from d2lbuild.config import Config, load_config
from d2lbuild.pipeline import BuildRequest, build
from d2lbuild.rendering.assemble import assemble_book
from d2lbuild.rendering.numbering import Numbers, number_pages
from tests.integration.whole_books import BOOK, make
from tests.rendering.numbers import labels_of_website

pytestmark = pytest.mark.integration

FIGURES = """\
# Frameworks
:label:`sec_tabs`

![Without a label](../img/drawing.svg)

![](../img/drawing.svg)
:label:`fig_silent`

![Not there](../img/nothing.svg)
:label:`fig_absent`

![Not there, and not named](../img/nothing.svg)

:begin_tab:`pytorch`
## A Heading That Opens No Section
![One](../img/drawing.svg)
:label:`fig_either`
:end_tab:

:begin_tab:`jax`
![Other](../img/drawing.svg)
:label:`fig_either`
:end_tab:

### Deep at Once
:label:`sec_deep`

![After them](../img/drawing.svg)
:label:`fig_after`

$$x$$
:eqlabel:`eq_first`

(~~$$y$$
:eqlabel:`eq_never`~~)

# A Second Title
:label:`sec_second`

|a|
|-|
|b|
:label:`tab_without_caption`

:A caption

|a|
|-|
:label:`tab_with_caption`
"""


def numbers(config: Config, frameworks: tuple[str, ...]) -> tuple[Numbers, dict[str, str]]:
    """Return the numbers, and the sections of the labels."""
    book, editions, _ = pipeline._read(config, frameworks)
    pages = assemble_book(book, editions, {}, {}, language=config.language)
    of_path = {section.path: section.id for section in book.sections.values()}
    return number_pages(pages, book, config.root), {
        name: of_path[label.span.path] for name, label in book.labels.items()
    }


@pytest.mark.parametrize("frameworks", [("pytorch",), ("jax",), ("pytorch", "jax")])
def test_numbers_of_a_mini_book(tmp_path: Path, frameworks: tuple[str, ...]) -> None:
    (folder,) = {path.parent for path in BOOK.rglob("tabs.md")}
    changes = {folder.relative_to(BOOK / "chapters").joinpath("tabs.md").as_posix(): FIGURES}
    report = make(tmp_path, changes, to=("html",), frameworks=frameworks)
    found, sections = numbers(load_config(tmp_path), frameworks)
    site = labels_of_website(report.outputs["html"].parent, sections)
    assert {"fig_either", "fig_after", "sec_deep", "sec_second", "tab_with_caption", "eq_first"} <= site.keys()
    assert found.labels == site


def test_numbers_of_our_book(tmp_path: Path) -> None:
    config = load_config(Path(__file__).parents[2])
    frameworks = tuple(one.name for one in config.frameworks)
    request = BuildRequest(frameworks, to=("html",), execute=False, jobs=2)
    report = build(replace(config, output=tmp_path), request)
    found, sections = numbers(config, frameworks)
    site = labels_of_website(report.outputs["html"].parent, sections)
    assert len(site) > 100
    assert found.labels == site
