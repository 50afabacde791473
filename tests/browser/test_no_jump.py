"""What a reader looks at stays where it is when another framework is chosen."""

import pytest
from playwright.sync_api import Page

from .chromium import next_frame, settle
from .page_checks import NARROW, WIDE, resize
from .reading import shown, switch, top_of

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["situations/pieces", "book/linear-regression/from-scratch"])
def test_the_tabs_that_are_pressed_stay(page: Page, address: str, name: str, size: tuple[int, int]) -> None:
    resize(page, size)
    page.goto(f"{address}/{name}.html")
    settle(page)
    sets = page.locator(".d2l-tabs")
    pressed = 0
    for at in range(1, sets.count() - 1):
        for framework in ("jax", "tensorflow", "pytorch"):
            found = sets.nth(at)
            tab = found.locator(f"[role=tab][data-choose={framework}]")
            if not tab.count():
                continue
            found.evaluate(
                "(e) => window.scrollTo({ top: scrollY + e.getBoundingClientRect().top - 300, behavior: 'instant' })"
            )
            next_frame(page)
            before = top_of(found)
            tab.evaluate("(e) => e.click()")
            next_frame(page)
            assert abs(top_of(found) - before) <= 2, (at, framework)
            assert shown(page) == [framework]
            pressed += 1
    assert pressed > 10


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_what_is_read_stays_when_the_header_switches(page: Page, situations: str, size: tuple[int, int]) -> None:
    resize(page, size)
    page.goto(f"{situations}/pieces.html?framework=pytorch")
    settle(page)
    read = page.locator("#sec-below > p").nth(1)
    # It is the first thing that is wholly seen below what may stay above the text.
    read.evaluate("(e) => window.scrollTo({ top: scrollY + e.getBoundingClientRect().top - 120, behavior: 'instant' })")
    next_frame(page)
    before = top_of(read)
    for framework in ("tensorflow", "jax", "pytorch"):
        switch(page, framework).evaluate("(e) => e.click()")
        next_frame(page)
        assert abs(top_of(read) - before) <= 2, framework


def test_a_long_panel_stays_while_its_tabs_are_out_of_sight(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=tensorflow")
    settle(page)
    found = page.locator("#sec-below .d2l-tabs")
    found.evaluate("(e) => window.scrollTo({ top: scrollY + e.getBoundingClientRect().top + 80, behavior: 'instant' })")
    next_frame(page)
    before = top_of(found)
    switch(page, "jax").evaluate("(e) => e.click()")
    next_frame(page)
    assert abs(top_of(found) - before) <= 2


def test_an_address_with_a_heading_stays_there_when_formulas_come(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=jax#tab-jax")
    settle(page)
    next_frame(page)
    assert 0 <= top_of(page.locator("#tab-jax")) < 300
