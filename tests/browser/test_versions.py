"""Two versions of a book side by side: the menu, the same page in another version, the word on older ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build, select_frameworks
from d2lbuild.publishing.places import Folder
from d2lbuild.publishing.versions import publish_version
from tests.books import CONF, write_book

from .page_checks import NARROW, resize
from .pictures import keep_picture
from .serving import served

pytestmark = [pytest.mark.browser, pytest.mark.integration]

SECTION = "# {0}\n\n```{{.python .input}}\n#@tab all\nprint(1)\n```\n"


def _site(root: Path, *sections: str) -> Path:
    toc = "```toc\n:numbered:\n\n" + "\n".join(sections) + "\n```\n"
    files = {"index.md": f"# The Book\n\n{toc}"} | {f"{name}.md": SECTION.format(name) for name in sections}
    write_book(root, files, conf=f'{CONF}[html]\nversions = "../versions.json"\n'.replace('resources = ["img"]\n', ""))
    config = load_config(root)
    report = build(config, BuildRequest(select_frameworks(config, ["all"]), execute=False, jobs=1))
    assert report.findings == ()
    return report.outputs["html"].parent


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve three versions, of which the second is the latest one."""
    folder = tmp_path_factory.mktemp("versions")
    old, new = _site(folder / "old", "both", "sub/gone"), _site(folder / "new", "both", "added")
    place = Folder(folder / "www" / "book")
    for version, site in (("1.0", old), ("2.0", new), ("dev", new)):
        publish_version(site, place, version, title="B", language="en", latest=version == "2.0")
    with served(folder / "www") as found:
        yield f"{found}/book"


def _open_menu(page: Page) -> None:
    summary = page.locator(".d2l-versions summary")
    expect(summary).to_be_visible()  # once the list is there
    summary.focus()
    page.keyboard.press("Enter")


def test_the_same_page_of_another_version_is_two_keys_away(page: Page, address: str) -> None:
    page.goto(f"{address}/1.0/both.html?framework=jax#both")
    menu = page.locator(".d2l-versions")
    expect(menu.locator("summary")).to_have_text("Version 1.0")
    _open_menu(page)
    links = menu.get_by_role("link")
    expect(links).to_have_text(["dev", "2.0", "1.0"])
    expect(menu.locator("[aria-current]")).to_have_text("1.0")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/2.0/both.html?framework=jax#both")
    expect(page.locator(".d2l-versions summary")).to_have_text("Version 2.0")


def test_a_choice_made_on_the_page_goes_with_it(page: Page, address: str) -> None:
    page.goto(f"{address}/1.0/both.html")
    page.get_by_role("button", name="JAX").first.click()
    _open_menu(page)
    page.locator(".d2l-versions").get_by_role("link", name="2.0").click()
    page.wait_for_url(f"{address}/2.0/both.html?framework=jax")


def test_a_page_that_the_other_version_lacks_leads_to_its_first_page(page: Page, address: str) -> None:
    page.goto(f"{address}/1.0/sub/gone.html")
    _open_menu(page)
    page.locator(".d2l-versions").get_by_role("link", name="2.0").click()
    page.wait_for_url(f"{address}/2.0/index.html")


def test_older_versions_say_so_and_no_others(page: Page, address: str) -> None:
    page.goto(f"{address}/1.0/both.html")
    note = page.get_by_role("note").filter(has_text="This is an older version of the book.")
    expect(note).to_be_visible()
    note.get_by_role("link", name="To the latest version").click()
    page.wait_for_url(f"{address}/2.0/both.html")
    for version in ("2.0", "dev"):
        page.goto(f"{address}/{version}/both.html")
        expect(page.locator(".d2l-versions summary")).to_be_visible()
        expect(page.locator(".d2l-older")).to_be_hidden()


def test_the_first_page_of_the_place_leads_to_the_latest_version(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    page.wait_for_url(f"{address}/2.0/index.html")


def test_it_fits_a_narrow_window_in_both_looks(page: Page, address: str) -> None:
    page.goto(f"{address}/1.0/both.html")
    expect(page.locator(".d2l-versions summary")).to_be_visible()
    keep_picture(page, "versions-wide")
    resize(page, NARROW)
    _open_menu(page)
    box = page.locator(".d2l-versions ul").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= NARROW[0]
    keep_picture(page, "versions-narrow")


def test_without_scripts_nothing_of_it_is_seen(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/1.0/both.html")
    assert page.locator(".d2l-versions").count() == 1
    expect(page.locator(".d2l-versions")).to_be_hidden()
    expect(page.locator(".d2l-older")).to_be_hidden()
    context.close()
