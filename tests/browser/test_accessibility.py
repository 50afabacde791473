"""No page of either site has what axe-core calls a serious fault, in light or dark, wide or narrow."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from .page_checks import NARROW, SCHEMES, accessibility_faults, inaccessible, pages_of, resize
from .pictures import keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("site", ["book", "situations"])
def test_no_page_shuts_readers_out(context: BrowserContext, address: str, folder: Path, site: str) -> None:
    page = context.new_page()
    faults = {}
    for name in pages_of(folder / site):
        if found := accessibility_faults(page, f"{address}/{site}/{name}"):
            faults[name] = found
            keep_picture(page, f"failed-accessibility-{site}/{name}")
    assert faults == {}


def test_each_framework_of_a_page_is_looked_at(page: Page, situations: str) -> None:
    for framework in ("tensorflow", "jax"):
        page.goto(f"{situations}/pieces.html?framework={framework}")
        assert inaccessible(page) == []


@pytest.mark.parametrize("toggle", [".nav-overlay-icon", ".toc-header-icon"])
def test_open_drawers_shut_nobody_out(page: Page, situations: str, toggle: str) -> None:
    resize(page, NARROW)
    page.goto(f"{situations}/pieces.html")
    page.locator(toggle).click()
    page.wait_for_function("() => document.getAnimations().length === 0")
    assert inaccessible(page) == []


def test_results_of_the_search_shut_nobody_out(page: Page, situations: str) -> None:
    page.goto(f"{situations}/search.html?q=framework&framework=jax")
    page.locator("#search-results li .context").last.wait_for()
    assert inaccessible(page) == []


def test_notices_shut_nobody_out(page: Page, situations: str) -> None:
    page.goto(f"{situations}/only-pytorch.html?framework=jax")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert inaccessible(page) == []


def test_faults_are_found(page: Page, situations: str) -> None:
    """A check that finds nothing is worth something only if it could find something."""
    page.goto(f"{situations}/plain.html")
    page.evaluate(
        "() => { document.querySelector('.theme-toggle-content .theme-toggle').removeAttribute('aria-label'); }"
    )
    page.evaluate("() => { document.querySelector('article p').style.color = '#ddd'; }")
    found = " ".join(inaccessible(page))
    assert "button-name" in found
    assert "color-contrast" in found
