"""Pictures of pages, kept for people to look at: `test-artefacts/` in this repository."""

import re
from pathlib import Path

from playwright.sync_api import Page

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"


def keep_picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Write a picture of what the page shows, or of the whole page."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=_path(name), full_page=whole)


def forget_picture(name: str) -> None:
    """Remove the picture of an earlier run."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return ARTEFACTS / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}.png"
