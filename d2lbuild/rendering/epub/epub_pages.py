"""Sphinx's HTML builder, remade so that pages are bare XHTML; the book is put together of them elsewhere."""

import posixpath
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

from d2lbuild.files import write_if_changed
from d2lbuild.rendering.epub import extension
from d2lbuild.rendering.epub.contents import Entry, entries_of_book, plain_title
from d2lbuild.rendering.epub.extension import EpubTranslator
from d2lbuild.rendering.epub.formulas import Formulas
from d2lbuild.rendering.epub.package import KINDS
from d2lbuild.rendering.epub.xhtml import as_xhtml
from d2lbuild.rendering.reading_order import depths

__all__ = ["SUFFIX", "EpubPages", "Written", "whole_page"]

logger = logging.getLogger(__name__)

SUFFIX = ".xhtml"
_STYLES = ("pygments.css", "book.css")


@dataclass(slots=True)
class Written:
    """What is known of the pages when they are written."""

    names: tuple[str, ...] = ()
    """In the order of reading."""
    images: tuple[str, ...] = ()
    contents: list[Entry] = field(default_factory=list)
    code_style: str = ""
    """The style sheet of code."""


class EpubPages(StandaloneHTMLBuilder):
    """Writes the pages below `outdir`; `written` says what belongs to a book of them."""

    name = "epub"
    out_suffix = SUFFIX
    link_suffix = SUFFIX
    default_translator_class = EpubTranslator
    add_permalinks = False
    allow_parallel = False
    copysource = False
    download_support = False
    html_scaled_image_link = False
    search = False
    formulas: Formulas
    written: Written

    def init(self) -> None:
        """Begin with nothing written."""
        super().init()
        self.out_suffix = self.link_suffix = SUFFIX
        self.formulas = Formulas(self.config.d2lbuild_macros)
        self.written = Written()

    def copy_assets(self) -> None:
        """Bring nothing: the book has style sheets of its own. MyST-NB leaves its own here, in the end."""
        self._static_dir.mkdir(parents=True, exist_ok=True)

    def post_process_images(self, doctree: nodes.Node) -> None:
        """Leave out images that lie elsewhere, and those that readers of books do not know; the words for them stay."""
        super().post_process_images(doctree)
        for image in list(doctree.findall(nodes.image)):
            name = self.images.get(image["uri"], "")
            if posixpath.splitext(name)[1].lower() in KINDS:
                continue
            if name:
                del self.images[image["uri"]]
                logger.warning(
                    "readers of EPUBs show no such image: %s", name, location=image, type="d2l", subtype="image"
                )
            words = image.get("alt", "")
            image.parent.replace(image, nodes.emphasis(words, words) if words else [])

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Write a page."""
        doctree.settings = self.docsettings
        here = self.get_target_uri(docname)
        self.secnumbers = self.env.toc_secnumbers.get(docname, {})
        self.fignumbers = self.env.toc_fignumbers.get(docname, {})
        self.imgpath = relative_uri(here, "_images")
        self.current_docname = docname
        visitor = self.create_translator(doctree, self)
        assert isinstance(visitor, EpubTranslator)
        doctree.walkabout(visitor)
        body, styles = "".join(visitor.fragment), ""
        if visitor.is_mixed:
            found = as_xhtml(body, self._has_image)
            body, styles = found.text, found.styles
        title = plain_title(self.env, docname, self.formulas)
        page = whole_page(body, title, self.config.d2lbuild_language_tag, relative_uri(here, "../styles/"), styles)
        path = self.get_output_path(docname)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(path, page)

    def _has_image(self, address: str) -> bool:
        folder, name = posixpath.split(unquote(address))
        return folder == unquote(self.imgpath) and name in self.images.values()

    def finish(self) -> None:
        """Bring the images, and note what the book is made of."""
        self.copy_image_files()
        self.written = Written(
            names=tuple(depths(self.env)),
            images=tuple(sorted(set(self.images.values()))),
            contents=entries_of_book(self.env, self.get_target_uri, self.formulas),
            code_style=self.highlighter.get_stylesheet(),
        )


def whole_page(body: str, title: str, language: str, styles: str, own_style: str = "", *, kind: str = "") -> str:
    """Return a page of XHTML; `styles` is the way to the style sheets, `kind` what EPUB calls such a page."""
    links = "".join(f'<link rel="stylesheet" type="text/css" href="{styles}{name}" />\n' for name in _STYLES)
    own = f"<style>\n{escape(own_style, quote=False)}\n</style>\n" if own_style else ""
    body_tag = f'<body epub:type="{kind}">' if kind else "<body>"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
        f' lang="{language}" xml:lang="{language}">\n'
        f'<head>\n<meta charset="utf-8" />\n<title>{escape(title, quote=False)}</title>\n{links}{own}</head>\n'
        f"{body_tag}\n{body}</body>\n</html>\n"
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx write such pages."""
    app.add_config_value("d2lbuild_macros", {}, "html", types=frozenset({dict}))
    app.add_builder(EpubPages, override=True)
    extension.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
