"""The index of the names that the book's code saves for its library: each leads to the cell that saves it."""

import re
from collections.abc import Mapping
from html import escape

from d2lbuild.rendering.epub.extension import saved_anchor

__all__ = ["names_page", "saved_names"]

_SAVED = re.compile(rf'\bid="{saved_anchor("")}([^"]+)"')


def saved_names(pages: Mapping[str, str]) -> dict[str, str]:
    """Return the names that pages save, with the addresses of their cells; `pages` are texts by their addresses."""
    found: dict[str, str] = {}
    for address, text in pages.items():
        for match in _SAVED.finditer(text):
            found.setdefault(match[1], f"{address}#{saved_anchor(match[1])}")
    return dict(sorted(found.items(), key=lambda item: (item[0].casefold(), item[0])))


def names_page(names: Mapping[str, str], title: str) -> str:
    """Return the body of the page of the index."""
    lines = [f'<li><a href="{address}"><code>{escape(name)}</code></a></li>' for name, address in names.items()]
    return "\n".join(
        [
            '<section class="d2l-names" epub:type="index" role="doc-index">',
            f"<h1>{escape(title)}</h1>",
            *("<ul>", *lines, "</ul>"),
            *("</section>", ""),
        ]
    )
