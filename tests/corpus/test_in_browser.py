"""A real browser over twenty pages of a real book, for four frameworks: what `tests/browser` asks of our own pages."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from d2lbuild.config import Config
from d2lbuild.edition.select import has_page
from d2lbuild.pipeline import BuildRequest, build
from d2lbuild.source.book import load_book
from tests.browser.chromium import chromium
from tests.browser.page_checks import Watch, accessibility_faults, page_faults
from tests.browser.pictures import keep_picture
from tests.browser.reading import shown, switch
from tests.browser.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(1800)]

COUNT = 20

KNOWN: dict[str, tuple[str, ...]] = {
    # The front page of Dive into Deep Learning, which the book brings as HTML:
    "index": (
        "platform.twitter.com/widgets.js",  # it fetches scripts from elsewhere
        "buttons.github.io/buttons.js",
        "sha256-DBIRbWJDtDZPWkYjL+pPjeTfQSLGuQhhW0OjlCjISCY=",  # it has a script within the page
        "_images/map.png",  # it shows a picture that the book lacks
        "Failed to load resource: the server responded with a status of 404",
        "the id logoimg twice",
        '<div class="expansion">',  # its list of universities opens by that script
        "image-alt (critical), 34:",  # pictures of universities without words
        "link-name (serious), 3:",  # links around pictures without words
    ),
}
"""What is wrong with pages of a book itself: words of the faults."""


@pytest.fixture(scope="session")
def site(corpus: Config) -> tuple[Path, tuple[str, ...], list[str]]:
    """Return the site's folder, its frameworks, and the pages to look at: the first one, and some from all over."""
    names = tuple(framework.name for framework in corpus.frameworks)[:4]
    report = build(replace(corpus, output=corpus.output / "browser"), BuildRequest(names, execute=False))
    book = load_book(corpus)
    pages = [one.id for one in book.sections.values() if any(has_page(one, name) for name in names)]
    step = max(1, len(pages) // COUNT)
    return report.outputs["html"].parent, names, pages[::step][:COUNT]


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    with chromium() as browser:
        yield browser.new_context(viewport={"width": 1440, "height": 900})


def test_pages_are_as_ours_are(site: tuple[Path, tuple[str, ...], list[str]], context: BrowserContext) -> None:
    folder, _, pages = site
    assert len(pages) == COUNT
    faults = {}
    with served(folder) as address:
        page = context.new_page()
        watch = Watch(page, address)
        for name in pages:
            found = [
                *page_faults(page, watch, f"{address}/{name}.html"),
                *accessibility_faults(page, f"{address}/{name}.html"),
                *watch.take(),
            ]
            if new := [fault for fault in found if not any(words in fault for words in KNOWN.get(name, ()))]:
                faults[name] = new
                keep_picture(page, f"corpus-{name}")
        page.close()
    assert faults == {}


def test_every_framework_can_be_read(site: tuple[Path, tuple[str, ...], list[str]], context: BrowserContext) -> None:
    folder, names, pages = site
    switched = 0
    with served(folder) as address:
        page = context.new_page()
        watch = Watch(page, address)
        for name in pages[1:]:
            page.goto(f"{address}/{name}.html")
            here = page.locator(".d2l-switcher button:not(.d2l-elsewhere)").count()
            if here < len(names) or not page.locator(".d2l-tabs").count():
                continue
            for framework in names:
                switch(page, framework).click()
                assert set(shown(page)) <= {framework}, name
                assert f"framework={framework}" in page.url
                switched += 1
        page.close()
        assert watch.take() == []
    assert switched >= len(names) * 3
