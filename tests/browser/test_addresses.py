"""The choice of a framework in the address of a page, and in all that leads from one page to another."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .chromium import settle
from .page_checks import Watch, untypeset
from .reading import chosen, in_view, shown, switch, tab

pytestmark = [pytest.mark.browser, pytest.mark.integration]


def copied(link: Locator) -> str:
    """Return what "copy link address" would give."""
    link.dispatch_event("contextmenu")
    return str(link.evaluate("(e) => e.href"))


def test_a_choice_is_written_into_the_address(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?from=here#sec-below")
    steps = page.evaluate("history.length")
    tab(page, "#sec-below", "jax").click()
    assert page.url == f"{situations}/pieces.html?from=here&framework=jax#sec-below"
    switch(page, "tensorflow").click()
    assert page.url == f"{situations}/pieces.html?from=here&framework=tensorflow#sec-below"
    assert page.evaluate("history.length") == steps


def test_an_address_chooses_and_leads_to_its_heading(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=jax#sec-below")
    settle(page)
    assert shown(page) == ["jax"]
    assert in_view(page.locator("#sec-below h2"))
    page.goto(f"{situations}/lists.html")
    assert shown(page) == ["jax"]


def test_an_address_counts_more_than_what_is_remembered(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=jax")
    page.goto(f"{situations}/pieces.html?framework=tensorflow")
    assert shown(page) == ["tensorflow"]
    page.reload()
    assert shown(page) == ["tensorflow"]


@pytest.mark.parametrize("name", ["torch7", "", "%22%5D%20%7B%7D", "constructor", "PyTorch"])
def test_a_name_that_no_framework_has_is_as_none(page: Page, situations: str, name: str) -> None:
    page.goto(f"{situations}/pieces.html?framework={name}")
    assert shown(page) == ["pytorch"]
    assert chosen(page) == ["pytorch"]
    assert "framework" not in copied(page.locator(".next-page"))
    page.goto(f"{situations}/lists.html")
    assert page.url == f"{situations}/lists.html"


def test_links_to_headings_have_the_choice(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    switch(page, "jax").click()
    assert copied(page.locator("#sec-below .headerlink").first) == f"{situations}/pieces.html?framework=jax#sec-below"
    page.locator(".toc-tree a[href='#sec-missing']").click()
    assert in_view(page.locator("#sec-missing h2"))
    assert page.url == f"{situations}/pieces.html?framework=jax#sec-missing"
    assert shown(page) == ["jax"]


@pytest.mark.parametrize("event", ["contextmenu", "focus", "pointerdown"])
def test_links_to_other_pages_have_the_choice(page: Page, situations: str, event: str) -> None:
    page.goto(f"{situations}/plain.html?framework=jax")
    places = {
        "article a[href*='pieces.html']": f"{situations}/pieces.html?framework=jax#sec-pieces",
        ".sidebar-tree a[href*='lists.html']": f"{situations}/lists.html?framework=jax",
        ".next-page": f"{situations}/only-pytorch.html?framework=jax",
        ".prev-page": f"{situations}/outputs.html?framework=jax",
        ".sidebar-brand": f"{situations}/index.html?framework=jax",
    }
    for selector, expected in places.items():
        link = page.locator(selector).first
        if event == "focus":
            link.focus()
        else:
            link.dispatch_event(event)
        assert link.evaluate("(e) => e.href") == expected


def test_other_links_stay_as_they_are(page: Page, situations: str) -> None:
    page.goto(f"{situations}/links.html?framework=jax")
    elsewhere = page.get_by_role("link", name="a page elsewhere")
    assert copied(elsewhere) == "https://example.org/page.html"
    picture = page.get_by_role("link", name="a file of this site")
    assert "framework" not in copied(picture)


def test_links_have_no_choice_that_nobody_made(page: Page, situations: str) -> None:
    page.goto(f"{situations}/plain.html")
    assert copied(page.locator(".next-page")) == f"{situations}/only-pytorch.html"


def test_who_goes_back_keeps_the_newest_choice(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    switch(page, "jax").click()
    page.locator(".next-page").click()
    page.wait_for_url("**/lists.html?framework=jax")
    switch(page, "tensorflow").click()
    page.go_back()
    assert shown(page) == ["tensorflow"]
    assert page.url == f"{situations}/pieces.html?framework=tensorflow"
    switch(page, "pytorch").click()
    page.go_forward()
    assert shown(page) == ["pytorch"]
    assert page.url == f"{situations}/lists.html?framework=pytorch"


def test_a_link_into_another_framework_shows_it(page: Page, situations: str) -> None:
    page.goto(f"{situations}/links.html")
    page.get_by_role("link", name="Table 1.5.1").click()
    settle(page)
    assert shown(page) == ["jax"]
    assert in_view(page.locator("#tab-jax"))
    assert page.url == f"{situations}/pieces.html?framework=jax#tab-jax"


def test_a_link_within_a_page_shows_its_target_each_time(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=jax")
    for _ in range(2):
        switch(page, "pytorch").click()
        page.evaluate(
            "() => { const a = document.createElement('a'); a.href = '#tab-jax'; document.body.append(a); a.click(); }"
        )
        expect(page.locator("#tab-jax")).to_be_visible()
        assert in_view(page.locator("#tab-jax"))
        assert shown(page) == ["jax"]


@pytest.mark.parametrize(
    ("framework", "expected", "place"),
    [
        ("pytorch", "tensorflow", "fig-graph"),
        ("tensorflow", "tensorflow", "fig-graph"),
        ("jax", "jax", "fig-graph-jax"),
    ],
)
def test_a_link_prefers_what_the_chosen_framework_has(
    page: Page, situations: str, framework: str, expected: str, place: str
) -> None:
    page.goto(f"{situations}/links.html?framework={framework}")
    page.get_by_role("link", name="Fig. 1.4.1").click()
    settle(page)
    assert shown(page) == [expected]
    assert in_view(page.locator(f"#{place}"))


def test_an_address_with_a_broken_ending_does_no_harm(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html?framework=jax#%E0%A4%A")
    assert shown(page) == ["jax"]
    switch(page, "pytorch").click()
    assert shown(page) == ["pytorch"]


def test_a_search_keeps_the_choice(page: Page, situations: str) -> None:
    page.goto(f"{situations}/plain.html")
    page.locator(".sidebar-search").fill("array")
    switch(page, "tensorflow").click()
    switch(page, "jax").click()
    page.locator(".sidebar-search").press("Enter")
    page.wait_for_url("**/search.html?*")
    assert "framework=jax" in page.url
    assert page.url.count("framework=") == 1
    result = page.locator("#search-results li a", has_text="Pieces of Frameworks")
    words = page.locator("#search-results li", has_text="Pieces of Frameworks")
    expect(words).to_contain_text("Array(1., dtype=float32)")  # what JAX has, without names of tabs before it
    expect(words).not_to_contain_text("PyTorch TensorFlow JAX")
    assert copied(result).startswith(f"{situations}/pieces.html?framework=jax")
    result.click()
    page.wait_for_url("**/pieces.html?framework=jax*")
    assert shown(page) == ["jax"]


def test_the_site_works_as_files_without_a_server(context: BrowserContext, folder: Path) -> None:
    page = context.new_page()
    site = (folder / "situations").resolve().as_uri()
    watch = Watch(page, site)
    page.goto(f"{site}/pieces.html")
    settle(page)
    assert untypeset(page) == []
    tab(page, "#sec-code-only", "jax").click()
    assert shown(page) == ["jax"]
    assert page.url == f"{site}/pieces.html?framework=jax"
    page.locator(".next-page").click()
    page.wait_for_url("**/lists.html?framework=jax")
    assert shown(page) == ["jax"]
    page.locator(".sidebar-search").fill("figure")
    page.locator(".sidebar-search").press("Enter")
    expect(page.locator("#search-results li a").first).to_be_visible()
    assert watch.take() == []
