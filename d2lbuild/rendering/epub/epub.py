"""Pages of one framework to an EPUB: Sphinx writes pages of XHTML, and they are packed with what readers ask for.

Beside the book's folder stands a work folder (`epub-work`) with the notebooks, what reading them gave, and the pages.
A page is read and written again only if it would be another one.
"""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from d2lbuild.files import write_if_changed
from d2lbuild.rendering.context import RenderContext, RenderResult
from d2lbuild.rendering.epub.contents import Entry
from d2lbuild.rendering.epub.cover import cover_drawing, cover_page, title_page
from d2lbuild.rendering.epub.drawings import mended_drawing
from d2lbuild.rendering.epub.epub_pages import SUFFIX, EpubPages, Written, whole_page
from d2lbuild.rendering.epub.names import names_page, saved_names
from d2lbuild.rendering.epub.package import (
    Facts,
    archive,
    contents_for_old_readers,
    list_of_contents,
    package_document,
)
from d2lbuild.rendering.locale import language_tag, translated
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sphinx_speed import is_fast
from d2lbuild.rendering.sphinx_warnings import in_order
from d2lbuild.rendering.whole_book import write_with_sphinx

__all__ = ["render_epub"]

_STYLE = Path(__file__).parents[1] / "theme" / "epub" / "book.css"


def render_epub(pages: Sequence[Page], context: RenderContext) -> RenderResult:
    """Make the EPUB of `pages`, which are those of one framework, in the folder `context.output`."""
    text = context.work / "text"
    if not (context.fast and is_fast()):
        shutil.rmtree(text, ignore_errors=True)
    run = write_with_sphinx("epub", pages, context, text, partial(_settings, context))
    assert isinstance(run.builder, EpubPages)
    path = context.output / f"{context.config.name}.epub"
    write_if_changed(path, archive(_files(run.builder.written, text, context)))
    return RenderResult(path, in_order(run.findings))


def _settings(context: RenderContext, common: dict[str, Any], fast: bool) -> dict[str, Any]:
    extension = "fast_pages" if fast else "epub_pages"
    return {
        **{name: value for name, value in common.items() if not name.startswith(("html_", "copybutton_"))},
        "extensions": [*common["extensions"], f"d2lbuild.rendering.epub.{extension}"],
        "d2lbuild_macros": dict(context.config.html.math_macros),
        "d2lbuild_site": {"url": "", "image": ""},
        "html_theme": "basic",
        "html_math_renderer": "mathml",
        "html_copy_source": False,
        "html_use_index": False,
        "html_domain_indices": False,
    }


# --- the book ---------------------------------------------------------------------------------------------------------


def _files(written: Written, text: Path, context: RenderContext) -> dict[str, bytes]:
    """Return everything that is in the book, by its name below the folder ``EPUB``."""
    config = context.config
    framework = config.framework(context.frameworks[0])
    own = config.root / config.epub.cover if config.epub.cover else None
    logo = next((config.root / path for path in (config.pdf.logo, config.html.logo) if path), None)
    image = own.read_bytes() if own else cover_drawing(config, framework, logo).encode()
    facts = Facts(
        title=config.title,
        edition=framework.title,
        author=config.author,
        language=language_tag(config.language),
        rights=f"© {config.copyright}" if config.copyright else "",
        source=config.html.site_url or config.name,
        cover=f"cover{own.suffix.lower() if own else '.svg'}",
    )
    pages = [f"{name}{SUFFIX}" for name in written.names]
    images = [name for one in written.images if (text / (name := f"_images/{one}")).is_file()]
    files = {
        **{f"text/{name}": (text / name).read_bytes() for name in pages},
        **{f"text/{name}": _image(text / name) for name in images},
        "styles/book.css": _STYLE.read_bytes(),
        "styles/pygments.css": written.code_style.encode(),
        facts.cover: image,
    }
    contents = [_below(entry) for entry in written.contents]

    def page(name: str, body: str, title: str) -> None:
        files[name] = whole_page(body, title, facts.language, "styles/").encode()

    page("cover.xhtml", cover_page(facts.cover, facts.whole_title), facts.whole_title)
    page("title.xhtml", title_page(config, framework), facts.whole_title)
    spine = ["cover.xhtml", "title.xhtml", "nav.xhtml", *(f"text/{name}" for name in pages)]
    names = saved_names({quote(f"text/{name}"): files[f"text/{name}"].decode() for name in pages})
    if names:
        title = translated(config.language, "Index of the library")
        page("names.xhtml", names_page(names, title), title)
        contents.append(Entry(title, "names.xhtml"))
        spine.append("names.xhtml")
    title = translated(config.language, "Contents")
    page("nav.xhtml", list_of_contents(contents, title, contents[0].address), title)
    files["toc.ncx"] = contents_for_old_readers(contents, facts).encode()
    files["package.opf"] = package_document(facts, files, spine).encode()
    return files


def _image(path: Path) -> bytes:
    content = path.read_bytes()
    return mended_drawing(content) if path.suffix.lower() == ".svg" else content


def _below(entry: Entry) -> Entry:
    """Return a line of the contents with addresses that count from the folder above that of the pages."""
    return Entry(entry.title, f"text/{entry.address}", [_below(one) for one in entry.below])
