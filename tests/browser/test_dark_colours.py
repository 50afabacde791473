"""Dark pages, too, have colours that can be told apart; a file of its own, so that it runs beside its neighbours."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from .page_checks import accessibility_faults, pages_of
from .pictures import keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.mark.parametrize("site", ["book", "situations"])
def test_dark_pages_can_be_read(context: BrowserContext, address: str, folder: Path, site: str) -> None:
    page = context.new_page()
    faults = {}
    for name in pages_of(folder / site):
        if found := accessibility_faults(page, f"{address}/{site}/{name}", "dark"):
            faults[name] = found
            keep_picture(page, f"failed-dark-{site}/{name}")
    assert faults == {}
