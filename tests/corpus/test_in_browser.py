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

# What is wrong with the book itself, page by page: the beginnings of faults.
KNOWN: dict[str, tuple[str, ...]] = {}


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
                *accessibility_faults(page, f"{address}/{name}.html", "light"),
                *accessibility_faults(page, f"{address}/{name}.html", "dark"),
            ]
            if new := [fault for fault in found if not fault.startswith(KNOWN.get(name, ("-",)))]:
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
