"""Two sites on loopback, our chapters and a book of situations, and a real browser to look at them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build, select_frameworks

from .chromium import chromium
from .mini_book import write_site
from .page_checks import WIDE, Watch
from .pictures import forget_picture, keep_picture
from .serving import served

ROOT = Path(__file__).parents[2]
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember that a test has failed, for a picture of its page."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report  # type: ignore[return-value]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both sites: `book`, ours for all frameworks without outputs, and `situations`."""
    folder = tmp_path_factory.mktemp("sites")
    config = replace(load_config(ROOT), output=tmp_path_factory.mktemp("book"))
    report = build(config, BuildRequest(select_frameworks(config, ["all"]), execute=False))
    assert report.findings == ()
    (folder / "book").symlink_to(report.outputs["html"].parent)
    (folder / "situations").symlink_to(write_site(tmp_path_factory.mktemp("situations")))
    return folder


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """Return the address under which both sites are served."""
    with served(folder) as found:
        yield found


@pytest.fixture(scope="session")
def book(address: str) -> str:
    """Return the address of our book."""
    return f"{address}/book"


@pytest.fixture(scope="session")
def situations(address: str) -> str:
    """Return the address of the book of situations."""
    return f"{address}/situations"


# Not for the whole session: while Playwright is open, no other test of this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser that has never been here."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return a page of that browser, about which it may not complain; if the test fails, its picture is kept."""
    page = context.new_page()
    watch = Watch(page, address)
    picture = f"failed-{request.node.name}"
    forget_picture(picture)
    yield page
    if request.node.stash.get(FAILED, False):
        keep_picture(page, picture)
    assert watch.take() == []
