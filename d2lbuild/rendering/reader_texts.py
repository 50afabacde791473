"""The words of ours that stand around the text of a page, in one place."""

from collections.abc import Mapping

from d2lbuild.rendering.locale import translated

__all__ = ["reader_texts"]

_TEXTS: Mapping[str, str] = {
    "breadcrumbs": "Where this page is",
    "menu": "This page",
    "edit": "Edit this page",
    "notebook": "Download the notebook",
    "open": "Open in",
    "pdf": "The book as a PDF",
    "discuss": "Discuss this page",
    "absent_title": "There is no such page",
    "absent_text": "The address may have changed. The contents and the search of the book lead to all that there is.",
    "absent_home": "To the first page",
    "search": "Search",
    "version": "Version",
    "older": "This is an older version of the book.",
    "latest": "To the latest version",
}
"""By the names that the templates have for them."""


def reader_texts(language: str) -> dict[str, str]:
    """Return the words in a book's language, by the names that the templates have for them."""
    return {name: translated(language, text) for name, text in _TEXTS.items()}
