"""One choice of a framework for the whole site: what follows it, and how long it lasts."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .chromium import settle
from .reading import chosen, shown, switch, tab, tabs

pytestmark = [pytest.mark.browser, pytest.mark.integration]


def test_code_outputs_and_prose_follow_a_tab(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    assert shown(page) == ["pytorch"]
    tab(page, "#sec-code-only", "jax").click()
    assert shown(page) == ["jax"]
    assert chosen(page) == ["jax"]
    text = page.locator("article").inner_text()
    for mine in ("only_code = 'jax'", "Array(1., dtype=float32)", "the same code in jax", "In JAX this is an array"):
        assert mine in text
    for other in ("only_code = 'torch'", "tensor(1.)", "the same code in torch", "In PyTorch this is a tensor"):
        assert other not in text


def test_all_follow_the_switcher_in_the_header(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    assert chosen(page) == ["pytorch"]
    switch(page, "tensorflow").click()
    assert shown(page) == ["tensorflow"]
    assert chosen(page) == ["tensorflow"]
    expect(tab(page, "#sec-below", "tensorflow")).to_have_attribute("aria-selected", "true")


def test_what_all_frameworks_share_stands_once(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    cell = page.locator("div.cell", has_text="shared = 1")
    expect(cell).to_have_count(1)
    expect(page.locator(".d2l-tabs div.cell", has_text="shared = 1")).to_have_count(0)
    expect(cell.locator(".cell_output")).to_have_count(1)


@pytest.mark.parametrize(("part", "prose", "code"), [("code-only", 0, 1), ("prose-only", 1, 0), ("together", 1, 1)])
def test_neighbours_share_a_set(page: Page, situations: str, part: str, prose: int, code: int) -> None:
    page.goto(f"{situations}/pieces.html")
    found = tabs(page, f"#sec-{part}")
    expect(found.locator("[role=tab]")).to_have_text(["PyTorch", "TensorFlow", "JAX"])
    for framework in ("pytorch", "tensorflow", "jax"):
        panel = found.locator(f".d2l-panel[data-framework={framework}]")
        expect(panel.locator(".d2l-frameworks")).to_have_count(prose)
        expect(panel.locator("div.cell")).to_have_count(code)
    expect(page.locator(f"#sec-{part} .d2l-tabs")).to_have_count(2 if part == "code-only" else 1)


def test_pieces_in_lists_follow_too(page: Page, situations: str) -> None:
    page.goto(f"{situations}/lists.html")
    assert page.locator("article section ol").count() == 1
    assert page.locator("article section ol > li").count() == 3
    assert page.locator("li .d2l-tabs").count() == page.locator(".d2l-tabs").count() == 3
    page.locator("li [role=tab][data-choose=jax]").first.click()
    assert shown(page) == ["jax"]
    text = page.locator("article").inner_text()
    assert "in_list = 'jax'" in text
    assert "JAX in the list." in text
    assert "PyTorch in the list." not in text


def test_a_framework_without_a_piece_says_so(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    missing = page.locator("#sec-missing .d2l-tabs").first
    notice = missing.get_by_text("TensorFlow has no version of this part.")
    expect(notice).to_be_hidden()
    switch(page, "tensorflow").click()
    expect(notice).to_be_visible()
    expect(missing.locator(".d2l-panel:visible")).to_have_count(0)
    expect(missing.locator("[role=tab]")).to_have_text(["PyTorch", "JAX"])
    missing.locator("[data-choose=jax]").click()
    expect(notice).to_be_hidden()
    assert shown(page) == ["jax"]


def test_a_page_without_the_framework_shows_another_and_the_choice_stays(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    switch(page, "jax").click()
    page.goto(f"{situations}/only-pytorch.html")
    assert chosen(page) == ["jax"]
    expect(page.get_by_text("This page has no JAX version. It shows PyTorch.")).to_be_visible()
    expect(page.get_by_text("This page has no TensorFlow version.")).to_be_hidden()
    expect(page.get_by_text("nobody_else = 'torch'")).to_be_visible()
    page.locator(".next-page").click()
    page.wait_for_url("**/two-frameworks.html?framework=jax")
    assert shown(page) == ["jax"]
    expect(page.locator(".d2l-page-lacks:visible")).to_have_count(0)


def test_a_page_without_the_books_first_framework_says_so_and_can_be_switched(page: Page, situations: str) -> None:
    page.goto(f"{situations}/two-frameworks.html")
    assert shown(page) == ["tensorflow"]
    assert chosen(page) == ["pytorch"]
    notice = page.get_by_text("This page has no PyTorch version. It shows TensorFlow.")
    expect(notice).to_be_visible()
    page.locator("[role=tab][data-choose=jax]").click()
    assert shown(page) == chosen(page) == ["jax"]
    expect(notice).to_be_hidden()
    switch(page, "pytorch").click()
    assert shown(page) == ["tensorflow"]
    expect(notice).to_be_visible()
    page.goto(f"{situations}/pieces.html")
    assert shown(page) == ["pytorch"]


def test_no_choice_means_the_first_framework_and_leaves_the_address_alone(page: Page, situations: str) -> None:
    for name in ("index", "plain", "pieces", "only-pytorch"):
        page.goto(f"{situations}/{name}.html")
        assert page.url == f"{situations}/{name}.html"
        assert chosen(page) == ["pytorch"]
        expect(page.locator(".d2l-page-lacks:visible")).to_have_count(0)


def test_the_choice_is_remembered_on_other_pages_and_later(browser: Browser, page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    switch(page, "jax").click()
    page.goto(f"{situations}/lists.html")
    assert shown(page) == ["jax"]
    later = browser.new_context(storage_state=page.context.storage_state())
    again = later.new_page()
    again.goto(f"{situations}/outputs.html")
    assert shown(again) == ["jax"]
    assert again.url.endswith("/outputs.html?framework=jax")
    later.close()


def test_a_browser_that_keeps_nothing_still_switches(context: BrowserContext, page: Page, situations: str) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { configurable: true,"
        " get() { throw new DOMException('denied', 'SecurityError'); } })"
    )
    page.goto(f"{situations}/pieces.html")
    switch(page, "jax").click()
    assert shown(page) == ["jax"]
    page.locator(".next-page").click()
    page.wait_for_url("**/lists.html?framework=jax")
    assert shown(page) == ["jax"]
    page.locator(".theme-toggle:visible").first.click()
    page.goto(f"{situations}/search.html?q=figure")
    expect(page.locator("#search-results li a").first).to_be_visible()


def test_the_choice_holds_before_the_rest_of_the_page_is_there(page: Page, situations: str) -> None:
    """What belongs to other frameworks is never drawn, not even for a moment."""
    page.route("**/frameworks.js*", lambda _route: None)  # the script that runs last never comes
    page.goto(f"{situations}/pieces.html?framework=jax", wait_until="commit")
    page.locator("#sec-below").wait_for()
    assert shown(page) == ["jax"]
    page.unroute_all(behavior="ignoreErrors")


def test_formulas_that_were_hidden_have_the_size_of_all_others(page: Page, situations: str) -> None:
    page.goto(f"{situations}/pieces.html")
    settle(page)
    formulas = page.locator("#sec-prose-only p mjx-container:visible")
    for framework in ("pytorch", "tensorflow", "jax"):
        switch(page, framework).click()
        sizes = formulas.evaluate_all("(all) => all.map((e) => Math.round(e.getBoundingClientRect().height))")
        assert len(sizes) == 2
        assert abs(sizes[0] - sizes[1]) <= 1


def test_the_copy_button_copies_the_code_that_is_shown(context: BrowserContext, page: Page, situations: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{situations}/pieces.html?framework=tensorflow")
    cell = tabs(page, "#sec-code-only").locator("div.cell:visible")
    cell.locator(".cell_input").hover()
    cell.locator(".cell_input button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "only_code = 'tensorflow'\nrows = 12\nfor row in range(rows):\n    print('tf.Tensor', row)"
