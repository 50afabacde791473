"""Tabs as WAI-ARIA describes them: roles, names, and what the keys do."""

import pytest
from playwright.sync_api import Locator, Page, expect

from .page_checks import NARROW, resize
from .reading import chosen, shown, switch, tab, tabs, top_of

pytestmark = [pytest.mark.browser, pytest.mark.integration]

PAGES = ("situations/pieces", "situations/lists", "situations/two-frameworks", "book/linear-regression/from-scratch")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("framework", ["pytorch", "jax"])
def test_roles_and_attributes_are_those_of_the_pattern(page: Page, address: str, name: str, framework: str) -> None:
    page.goto(f"{address}/{name}.html?framework={framework}")
    faults = page.evaluate(
        """() => [...document.querySelectorAll(".d2l-tabs")].flatMap((set) => {
          const faults = [];
          const must = (holds, what) => holds || faults.push(`${set.querySelector("[role=tab]").id}: ${what}`);
          const list = set.querySelector("[role=tablist]");
          must(list.getAttribute("aria-label"), "a list of tabs has a name");
          const tabs = [...list.children];
          must(tabs.every((tab) => tab.matches("button[type=button][role=tab]")), "a list has nothing but tabs");
          const selected = tabs.filter((tab) => tab.getAttribute("aria-selected") === "true");
          const has = tabs.some((tab) => tab.dataset.choose === document.documentElement.dataset.shown);
          must(selected.length === (has ? 1 : 0), "one tab is selected, where the framework has one");
          const reached = tabs.filter((tab) => tab.tabIndex === 0);
          must(reached.length === 1 && (!has || reached[0] === selected[0]), "the tab key reaches the selected one");
          for (const tab of tabs) {
            const panel = document.getElementById(tab.getAttribute("aria-controls"));
            must(panel?.matches("[role=tabpanel]") && set.contains(panel), "a tab controls a panel");
            must(panel?.getAttribute("aria-labelledby") === tab.id, "a panel is named by its tab");
            must(panel?.tabIndex === 0, "a panel can have the focus");
            must(panel?.checkVisibility() === selected.includes(tab), "the panel of the selected tab is seen");
          }
          must(set.querySelectorAll("[role=tabpanel]").length === tabs.length, "each panel has a tab");
          return faults;
        })"""
    )
    assert page.locator(".d2l-tabs").count() > 0
    assert faults == []


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def test_the_keys_of_the_pattern(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    tab(page, "#sec-below", "pytorch").focus()
    height = top_of(tabs(page, "#sec-below"))
    keys = [
        ("ArrowRight", "tensorflow"), ("ArrowRight", "jax"), ("ArrowRight", "pytorch"), ("ArrowLeft", "jax"),
        ("Home", "pytorch"), ("End", "jax"), ("ArrowLeft", "tensorflow"),
    ]  # fmt: skip
    for key, expected in keys:
        page.keyboard.press(key)
        assert shown(page) == [expected], key
        expect(focused(page)).to_have_attribute("data-choose", expected)
        expect(focused(page)).to_have_attribute("aria-selected", "true")
        assert f"framework={expected}" in page.url
        assert abs(top_of(tabs(page, "#sec-below")) - height) <= 2, key


def test_keys_with_modifiers_are_left_to_the_browser(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    tab(page, "#sec-below", "pytorch").focus()
    for key in ("Control+End", "Alt+ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert shown(page) == ["pytorch"]


def test_the_tab_key_goes_from_the_tab_to_its_panel(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=jax")
    tab(page, "#sec-prose-only", "jax").focus()
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_attribute("role", "tabpanel")
    expect(focused(page)).to_have_attribute("data-framework", "jax")
    page.keyboard.press("Shift+Tab")
    expect(focused(page)).to_have_attribute("role", "tab")
    expect(focused(page)).to_have_attribute("data-choose", "jax")


def test_the_keyboard_reaches_tabs_where_the_framework_has_none(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=tensorflow")
    first = tab(page, "#sec-missing", "pytorch")
    assert first.evaluate("(e) => e.tabIndex") == 0
    first.focus()
    page.keyboard.press("End")
    assert shown(page) == ["jax"]


def test_the_switcher_is_a_group_of_buttons(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    group = page.get_by_role("group", name="Framework").first
    expect(group.get_by_role("button")).to_have_text(["PyTorch", "TensorFlow", "JAX"])
    switch(page, "tensorflow").focus()
    page.keyboard.press("Enter")
    assert chosen(page) == ["tensorflow"]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert chosen(page) == ["jax"]
    expect(focused(page)).to_have_attribute("data-choose", "jax")


def test_the_focus_is_seen(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    places = (tab(page, "#sec-below", "pytorch"), page.locator("#sec-below .d2l-panel:visible"), switch(page, "jax"))
    page.keyboard.press("Tab")  # what has the focus is marked for those who use the keyboard
    for place in places:
        place.focus()
        outline = place.evaluate("(e) => getComputedStyle(e).outlineStyle + ' ' + getComputedStyle(e).outlineWidth")
        assert outline.startswith("solid")
        assert not outline.endswith(" 0px")


def test_what_scrolls_can_be_reached_and_scrolled(page: Page, situations: str) -> None:
    page.goto(f"{situations}/outputs.html")
    listing = page.locator(".cell_output .d2l-output", has_text="line 119")
    expect(listing).to_have_attribute("tabindex", "0")
    listing.focus()
    page.keyboard.press("End")
    page.wait_for_function("(e) => e.scrollTop > 100", arg=listing.element_handle())
    expect(page.locator(".cell_output .d2l-output", has_text="its code is hidden")).not_to_have_attribute(
        "tabindex", "0"
    )


def test_in_narrow_windows_nothing_has_the_focus_out_of_sight(page: Page, situations: str) -> None:
    resize(page, NARROW)
    page.goto(f"{situations}/pieces.html")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(focused(page).evaluate("(e) => e.id || e.className || e.textContent"))
        assert focused(page).evaluate(
            "(e) => { const b = e.getBoundingClientRect(); return b.left >= 0 && b.right > 0; }"
        )
    assert {"__navigation", "__toc"} <= set(reached)


@pytest.mark.parametrize(("toggle", "drawer"), [("#__navigation", ".sidebar-drawer"), ("#__toc", ".toc-drawer")])
def test_drawers_open_by_the_keyboard(page: Page, situations: str, toggle: str, drawer: str) -> None:
    resize(page, NARROW)
    page.goto(f"{situations}/pieces.html")
    link = page.locator(f"{drawer} a[href]").last
    expect(link).to_be_hidden()
    page.keyboard.press("Tab")
    page.locator(toggle).focus()
    label = page.locator(f"label[for={toggle[1:]}]:visible").last
    assert label.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Space")
    expect(link).to_be_visible()
    link.focus()
    expect(link).to_be_focused()
    page.locator(toggle).focus()
    page.keyboard.press("Space")
    expect(link).to_be_hidden()
