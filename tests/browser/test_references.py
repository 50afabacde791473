"""References and searches in a reader's browser."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from d2lbuild import pipeline
from d2lbuild.config import load_config
from tests.books import CONF, write_book

from .serving import served

pytestmark = [pytest.mark.browser, pytest.mark.integration]

BIB = "@article{ada, author={Ada Lovelace}, title={On Engines}, journal={J}, year={1842}}\n"
FILES: dict[str, str | bytes] = {
    "index.md": "# Book\n```toc\none\ntwo\nreferences\n```\n",
    "one.md": "# One\n\n线性回归与交叉熵是常用的方法。We train networks. Os gatos. Ağlar. :cite:`ada`\n",
    "two.md": "# Two\n\n逻辑学。Nothing of that. Nada.\n",
    "references.md": "# References\n\n:bibliography:`refs.bib`\n",
    "refs.bib": BIB,
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the sites of one book in several languages."""
    folder = tmp_path_factory.mktemp("books")
    for language in ("zh", "pt", "tr"):
        root = write_book(folder / language, FILES, conf=f'{CONF}language = "{language}"\n')
        config = replace(load_config(root), output=root / "site")
        pipeline.build(config, pipeline.BuildRequest(("pytorch",), execute=False))
    with served(folder) as address:
        yield f"{address}/%s/site/pytorch/html"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("language", "query", "expected"),
    [
        ("zh", "回归", ["One"]),
        ("zh", "线性回归", ["One"]),
        ("zh", "熵", ["One"]),
        ("zh", "归线", []),
        ("zh", "逻辑", ["Two"]),
        ("zh", "交叉熵 network", ["One"]),
        ("pt", "gato", ["One"]),
        ("tr", "ağlar", ["One"]),
    ],
)
def test_a_search_finds_words_of_the_books_language(
    language: str, query: str, expected: list[str], page: Page, books: str
) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{books % language}/search.html?q={query}")
    page.wait_for_function("document.querySelector('#search-results .search-summary')?.innerText.trim()")
    page.wait_for_function("!document.querySelector('#search-progress')?.innerText.includes('...')")
    page.wait_for_timeout(500)
    assert page.locator("#search-results ul.search > li > a").all_inner_texts() == expected
    assert said == []


def test_a_citation_shows_its_reference_to_pointers_and_to_the_keyboard(page: Page, books: str) -> None:
    page.goto(f"{books % 'pt'}/one.html")
    citation = page.locator("a.d2l-citation").first
    content = "element => getComputedStyle(element, '::after').content"
    assert citation.evaluate(content) == "none"
    citation.hover()
    assert "Ada Lovelace. On engines. J, 1842." in citation.evaluate(content)
    page.mouse.move(0, 0)
    assert citation.evaluate(content) == "none"
    page.keyboard.press("Tab")
    for _ in range(60):
        if citation.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    assert "Ada Lovelace. On engines. J, 1842." in citation.evaluate(content)
    assert citation.evaluate("element => element.ariaDescription") == "Ada Lovelace. On engines. J, 1842."
    # The box lies inside of the text's column, also on a small screen.
    page.set_viewport_size({"width": 380, "height": 800})
    citation.hover()
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert "Engines" not in page.evaluate("document.body.innerText")
