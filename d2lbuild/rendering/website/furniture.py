"""What templates are given to put around the text of a page, and the files of a site that are no pages of the book."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from d2lbuild.files import write_if_changed
from d2lbuild.rendering.reader_texts import reader_texts
from d2lbuild.rendering.website.page_links import PageLinks

__all__ = ["connect"]

_ABSENT = "404"
_NO_PLACE = (_ABSENT, "search")
"""Pages that search engines should not name."""
_MOST_CHARACTERS = 200
"""Of the description of a page: others show no more."""
_NO_TEXT = (addnodes.toctree, nodes.table, nodes.figure, nodes.footnote, nodes.Admonition, nodes.container)
"""A paragraph in one of these does not say what a page is about."""


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_config_value("d2lbuild_page_links", {}, "", types=frozenset({dict}))
    app.add_config_value("d2lbuild_site", {}, "html", types=frozenset({dict}))
    app.connect("html-collect-pages", _further_pages)
    app.connect("html-page-context", _add_context)
    app.connect("build-finished", _write_sitemap)


def _add_context(app: Sphinx, page: str, _template: str, context: dict[str, Any], tree: nodes.document | None) -> None:
    # A page that is no page of the book has no document.
    context["page_links"] = app.config.d2lbuild_page_links.get(page, PageLinks())
    context["breadcrumbs"] = _breadcrumbs(app, page) if tree is not None else []
    context["description"] = _description(tree) if tree is not None else ""
    context["several_frameworks"] = len(app.config.d2lbuild_frameworks) > 1
    context["site"] = app.config.d2lbuild_site
    context["no_index"] = page in _NO_PLACE
    context["texts"] = reader_texts(app.config.language)
    if page in _NO_PLACE:
        context["pageurl"] = None


# --- where a page is ---


def _breadcrumbs(app: Sphinx, page: str) -> list[dict[str, str]]:
    """Return the pages above a page, from the top, and the page itself; without the first page of the book."""
    builder: Any = app.builder
    found: list[dict[str, str]] = []
    name: str | None = page
    while name and name != app.config.root_doc and len(found) < len(builder.relations):
        title = builder.render_partial(app.env.titles[name])["title"]  # with its number
        found.append({"title": title, "link": "" if name == page else builder.get_relative_uri(page, name)})
        name = builder.relations.get(name, [None])[0]
    return found[::-1]


def _description(tree: nodes.document) -> str:
    """Return the first words of a page's text."""
    for paragraph in tree.findall(nodes.paragraph):
        above = paragraph.parent
        while above is not None and not isinstance(above, _NO_TEXT):
            above = above.parent
        text = " ".join(paragraph.astext().split())
        if above is None and text:
            return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS].rsplit(' ', 1)[0]} …"
    return ""


# --- other files ---


def _further_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield _ABSENT, {"title": reader_texts(app.config.language)["absent_title"], "furo_hide_toc": True}, "404.html"


def _write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """List the pages for search engines, if it is known where they will be."""
    if app.builder.format != "html":
        return
    path = Path(app.outdir, "sitemap.xml")
    if error is not None or not app.config.html_baseurl:
        path.unlink(missing_ok=True)
        return
    addresses = [app.config.html_baseurl + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
        *(f"<url><loc>{escape(address)}</loc></url>" for address in addresses),
        "</urlset>",
    ]
    write_if_changed(path, "\n".join(lines) + "\n")
