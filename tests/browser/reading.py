"""What the tests do on a page as a reader does, and what they see there."""

from playwright.sync_api import Locator, Page


def shown(page: Page) -> list[str]:
    """Return the frameworks whose panels are seen."""
    found: list[str] = page.evaluate(
        """() => [...new Set([...document.querySelectorAll(".d2l-panel")].filter((panel) => panel.checkVisibility())
          .map((panel) => panel.dataset.framework))]"""
    )
    return found


def switch(page: Page, framework: str) -> Locator:
    """Return the button of the header that chooses a framework for the whole site."""
    return page.locator(f".d2l-switcher [data-choose={framework}]").first


def tabs(page: Page, within: str) -> Locator:
    """Return the first set of panels in a part of the page, such as ``#sec-below``."""
    return page.locator(f"{within} .d2l-tabs").first


def tab(page: Page, within: str, framework: str) -> Locator:
    """Return the tab of a framework in the first set of panels in a part of the page."""
    return tabs(page, within).locator(f"[role=tab][data-choose={framework}]")


def chosen(page: Page) -> list[str]:
    """Return what the header says is chosen."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('.d2l-switcher [aria-pressed="true"]')].map((e) => e.dataset.choose)"""
    )
    return found


def top_of(place: Locator) -> float:
    """Return how far below the window's upper edge something stands."""
    return float(place.evaluate("(e) => e.getBoundingClientRect().top"))


def in_view(place: Locator) -> bool:
    """Return whether a reader sees something now, without scrolling."""
    script = "(e) => { const b = e.getBoundingClientRect(); return b.height > 0 && b.top >= 0 && b.top < innerHeight; }"
    return bool(place.evaluate(script))
