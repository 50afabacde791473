"""The same pages as those of `epub_pages`, read and written only where something has changed."""

from typing import Any

from sphinx.application import Sphinx

from d2lbuild.rendering.epub import epub_pages
from d2lbuild.rendering.epub.epub_pages import EpubPages
from d2lbuild.rendering.website.page_builder import PageBuilder

__all__ = ["FastEpubPages"]


class FastEpubPages(EpubPages, PageBuilder):  # type: ignore[misc]
    """Writes the pages of a book."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx write pages with this builder."""
    found = epub_pages.setup(app)
    app.add_builder(FastEpubPages, override=True)
    return found
