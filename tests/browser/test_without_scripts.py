"""The site in a browser that runs no scripts: all there is to read is there, and nothing that does nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .page_checks import Watch

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture
def plain(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    watch = Watch(page, address)
    yield page
    context.close()
    assert watch.take() == []


@pytest.mark.parametrize("name", ["situations/pieces", "situations/lists", "book/preliminaries/data-manipulation"])
def test_all_panels_stand_below_each_other_with_their_names(plain: Page, address: str, name: str) -> None:
    plain.goto(f"{address}/{name}.html?framework=jax")
    panels = plain.locator(".d2l-panel")
    assert panels.count() > 5
    for panel in panels.all():
        expect(panel).to_be_visible()
        expect(panel.locator(".d2l-panel-title")).to_be_visible()
    expect(plain.locator(".d2l-panel-title").first).to_have_text("PyTorch")


@pytest.mark.parametrize("name", ["situations/pieces", "situations/only-pytorch", "book/index"])
def test_nothing_is_offered_that_needs_scripts(plain: Page, address: str, name: str) -> None:
    plain.goto(f"{address}/{name}.html")
    expect(plain.locator("button:visible")).to_have_count(0)
    expect(plain.locator(".d2l-missing:visible, .d2l-page-lacks:visible")).to_have_count(0)


def test_links_lead_on(plain: Page, situations: str) -> None:
    plain.goto(f"{situations}/links.html")
    plain.get_by_role("link", name="Table 1.5.1").click()
    plain.wait_for_url("**/pieces.html#tab-jax")
    expect(plain.locator("#tab-jax")).to_be_visible()
