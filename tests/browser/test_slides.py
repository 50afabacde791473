"""Decks in a real browser: without a network and under a strict policy, by keys, on paper, and for the speaker."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from pypdf import PdfReader

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build

from .conftest import ROOT
from .page_checks import Watch, accessibility_faults
from .serving import served

pytestmark = [pytest.mark.browser, pytest.mark.integration]

READY = "window.Reveal !== undefined && Reveal.isReady()"
DECK = "pytorch/multilayer-perceptrons/numerical-stability.slides.html"
"""It has formulas, code, outputs and tables."""


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all decks of one framework."""
    config = replace(load_config(ROOT), output=tmp_path_factory.mktemp("book"))
    report = build(config, BuildRequest(("pytorch",), to=("slides",), execute=False))
    return report.outputs["slides"].parent


@pytest.fixture
def offline(browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser without a network, on a screen of the shape of slides."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    yield context
    context.close()


def _open(page: Page, address: str) -> int:
    """Open a deck, and return how many slides it has."""
    page.goto(address)
    page.wait_for_function(READY)
    return int(page.evaluate("Reveal.getTotalSlides()"))


def test_the_keys_go_through_all_slides_without_a_network(slides: Path, offline: BrowserContext) -> None:
    page = offline.new_page()
    watch = Watch(page, slides.as_uri())
    count = _open(page, (slides / DECK).as_uri())
    assert count > 5
    assert page.evaluate("document.querySelectorAll('mjx-container').length") > 0
    for number in range(count):
        assert page.evaluate("Reveal.getSlidePastCount()") == number
        assert page.evaluate("Reveal.getCurrentSlide().scrollWidth <= Reveal.getCurrentSlide().clientWidth")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert page.evaluate("Reveal.getSlidePastCount()") == 0
    assert page.get_by_role("button", name="Next slide").is_visible()
    assert watch.take() == []


def test_what_is_taller_than_the_screen_scrolls_by_keys(slides: Path, offline: BrowserContext) -> None:
    page = offline.new_page()
    count = _open(page, (slides / DECK).as_uri())
    tall = "Reveal.getCurrentSlide().scrollHeight > Reveal.getCurrentSlide().clientHeight"
    for _ in range(count):
        if page.evaluate(tall):
            break
        page.keyboard.press("ArrowRight")
    assert page.evaluate(tall)
    page.keyboard.press("ArrowDown")
    page.wait_for_function("Reveal.getCurrentSlide().scrollTop > 0")


def test_every_deck_opens_without_a_complaint(slides: Path, offline: BrowserContext) -> None:
    page = offline.new_page()
    watch = Watch(page, slides.as_uri())
    found = {}
    for path in sorted(slides.rglob("*.slides.html")):
        _open(page, path.as_uri())
        errors = page.evaluate("[...document.querySelectorAll('mjx-merror')].map((one) => one.textContent)")
        empty = page.evaluate("document.querySelectorAll('.slides > section:not(:has(:not(.notes, .notes *)))').length")
        if faults := [*watch.take(), *errors, *["an empty slide"] * empty]:
            found[path.relative_to(slides).as_posix()] = faults
    assert found == {}


def test_a_strict_policy_allows_all_of_it_and_everybody_can_read_it(slides: Path, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    with served(slides) as address:
        page = context.new_page()
        watch = Watch(page, address)
        _open(page, f"{address}/{DECK}")
        assert accessibility_faults(page, f"{address}/{DECK}") == []
        assert accessibility_faults(page, f"{address}/index.html") == []
        assert watch.take() == []
    context.close()


def test_each_slide_is_a_sheet(slides: Path, offline: BrowserContext, tmp_path: Path) -> None:
    page = offline.new_page()
    count = _open(page, f"{(slides / DECK).as_uri()}?print-pdf")
    page.wait_for_selector(".pdf-page")
    paper = tmp_path / "deck.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    texts = [sheet.extract_text().strip() for sheet in PdfReader(paper).pages]
    assert len(texts) >= count
    assert all(texts)


def test_the_speaker_sees_the_notes(slides: Path, offline: BrowserContext) -> None:
    page = offline.new_page()
    _open(page, (slides / DECK).as_uri())
    with offline.expect_page() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    notes = page.evaluate("Reveal.getCurrentSlide().querySelector('.notes').textContent").split()
    speaker.wait_for_function("document.querySelector('.speaker-controls-notes .value').textContent.trim() !== ''")
    assert speaker.locator(".speaker-controls-notes .value").text_content().split() == notes  # type: ignore[union-attr]
