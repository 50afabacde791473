"""What a reader's browser makes of the site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    yield context.new_page()
    context.close()


def settle(page: Page) -> None:
    """Wait until scripts have run, formulas are typeset and their fonts have come."""
    page.wait_for_load_state()
    page.evaluate("async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }")


def shown_tabs(page: Page) -> set[str]:
    """Return the labels of the tabs that are chosen, over all tab sets of the page."""
    script = """() => [...document.querySelectorAll('.sd-tab-set > input')].filter(i => i.checked)
        .map(i => document.querySelector(`label[for="${i.id}"]`).innerText.trim())"""
    return set(page.evaluate(script))


def choose(page: Page, framework: str) -> None:
    page.locator(".sd-tab-set > label", has_text=framework).first.click()


def test_tabs_switch_together_and_the_choice_is_remembered(page: Page, address: str) -> None:
    page.goto(f"{address}/preliminaries/data-manipulation.html")
    assert page.locator(".sd-tab-set").count() > 3
    assert shown_tabs(page) == {"PyTorch"}
    choose(page, "JAX")
    assert shown_tabs(page) == {"JAX"}
    assert page.get_by_text("import jax").first.is_visible()
    assert not page.get_by_text("import torch", exact=True).first.is_visible()
    page.goto(f"{address}/linear-regression/from-scratch.html")
    settle(page)
    assert shown_tabs(page) == {"JAX"}


def test_every_page_is_whole_and_asks_nobody_else(page: Page, address: str, site: Path) -> None:
    asked: list[str] = []
    failed: list[str] = []
    said: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    def on_failed(request: Request) -> None:
        # ERR_ABORTED is the browser that drops a request because we have gone on to the next page.
        if request.failure != "net::ERR_ABORTED":
            failed.append(f"{request.url}: {request.failure}")

    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", on_failed)
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.on("console", on_console)
    page.on("pageerror", lambda error: said.append(str(error)))
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert len(pages) > 10
    for name in pages:
        page.goto(f"{address}/{name}", wait_until="networkidle")
        settle(page)
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert failed == []
    assert said == []


def test_formulas_are_typeset(page: Page, address: str) -> None:
    page.goto(f"{address}/linear-regression/model.html")
    page.wait_for_selector("mjx-container mjx-math")
    page.wait_for_function("window.MathJax.startup.promise.then(() => true)")
    assert page.locator("mjx-merror").count() == 0
    assert "\\(" not in page.locator("article").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_are_readable(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{address}/preliminaries/linear-algebra.html")
    script = "(name) => getComputedStyle(document.querySelector('article p'))[name]"
    text = brightness(page.evaluate(script, "color"))
    ground = brightness(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert (ground < text) is (scheme == "dark")
    assert abs(ground - text) > 120
    context.close()


def brightness(colour: str) -> float:
    numbers = [float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
    return sum(numbers) / 3


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 380, "height": 800})
    page = context.new_page()
    for name in ("preliminaries/linear-algebra", "linear-regression/from-scratch", "installation"):
        page.goto(f"{address}/{name}.html", wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), name
    context.close()


def test_the_search_finds_a_page(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html?q=broadcasting")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a").count() > 0
