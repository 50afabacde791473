"""Every page of both sites: whole, silent, of the right width, on screens and on paper; and pictures of a dozen."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .page_checks import PAPER, Watch, page_faults, pages_of, resize, too_wide, twice_named, unprintable, untypeset
from .pictures import forget_picture, keep_picture
from .reading import shown, switch

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(1800)]

PICTURES = (
    "book/index", "book/preliminaries/data-manipulation", "book/preliminaries/linear-algebra",
    "book/linear-regression/model", "book/linear-regression/from-scratch", "book/references", "book/api/pytorch",
    "situations/pieces", "situations/lists", "situations/outputs", "situations/only-pytorch", "situations/long-title",
)  # fmt: skip


@pytest.mark.parametrize("site", ["book", "situations"])
def test_every_page_is_as_it_should_be(context: BrowserContext, address: str, folder: Path, site: str) -> None:
    page = context.new_page()
    watch = Watch(page, address)
    names = pages_of(folder / site)
    assert len(names) >= 10
    faults = {}
    for name in names:
        title = f"{site}/{name.removesuffix('.html')}"

        def picture(look: str, title: str = title) -> None:
            keep_picture(page, f"{title}-{look}")

        found = page_faults(page, watch, f"{address}/{site}/{name}", look=picture if title in PICTURES else None)
        forget_picture(f"failed-{title}")
        if found:
            faults[name] = found
            keep_picture(page, f"failed-{title}")
    assert faults == {}


def test_paper_has_the_chosen_framework_only(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    switch(page, "jax").click()
    page.emulate_media(media="print")
    resize(page, PAPER)
    assert shown(page) == ["jax"]
    expect(page.get_by_text("only_code = 'jax'")).to_be_visible()
    keep_picture(page, "situations/pieces-print", whole=True)


def test_formulas_are_typeset(page: Page, book: str) -> None:
    page.goto(f"{book}/linear-regression/model.html")
    page.wait_for_function("window.MathJax.startup.promise.then(() => true)")
    assert page.locator("mjx-container mjx-math").count() > 10
    assert "\\(" not in page.locator("article").inner_text()


def test_the_colours_can_be_chosen_and_stay(page: Page, situations: str) -> None:
    def brightness() -> float:
        colour: str = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        return sum(float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]) / 3

    page.goto(f"{situations}/plain.html")
    assert brightness() > 200
    page.locator(".theme-toggle:visible").first.click()
    assert brightness() < 60
    page.goto(f"{situations}/pieces.html")
    assert brightness() < 60


def test_the_search_finds_a_page_and_its_words(page: Page, book: str) -> None:
    page.goto(f"{book}/search.html?q=broadcasting")
    expect(page.locator("#search-results li a").first).to_be_visible()
    expect(page.locator("#search-results li .context").first).to_contain_text("roadcast")


def test_faults_are_found(context: BrowserContext, situations: str) -> None:
    """Checks that find nothing are worth something only if they could find something."""
    page = context.new_page()
    watch = Watch(page, situations)
    page.goto(f"{situations}/plain.html")
    page.evaluate(
        """() => {
          const add = (html) => document.querySelector("article").insertAdjacentHTML("beforeend", html);
          add('<p id="twice" style="width: 5000px">wide</p><p id="twice">again</p><a href="#nowhere">lost</a>');
          add('<div style="overflow: auto; height: 2em">cut<br>off<br>here</div><button>press</button>');
          add('<p class="math">\\\\(x\\\\)</p><img src="https://example.org/picture.png" alt="">');
          const script = document.createElement("script");
          script.textContent = "document.title = 'inline'";
          document.body.append(script);
        }"""
    )
    assert len(too_wide(page)) == 1
    assert len(twice_named(page)) == 2
    assert len(untypeset(page)) == 1
    assert any("cut in print" in fault for fault in unprintable(page))
    said = " ".join(watch.take())
    assert "script-src" in said
    assert "img-src" in said
