"""Sphinx's LaTeX builder, remade so that each page is written by itself; the pages are put together elsewhere."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.latex import LaTeXBuilder
from sphinx.util.build_phase import BuildPhase

from d2lbuild.rendering.parts import Part, parts_of_book
from d2lbuild.rendering.pdf import extension
from d2lbuild.rendering.pdf.images import image_name
from d2lbuild.rendering.pdf.translator import DEPTH, PAGE_NAME, BookTranslator
from d2lbuild.rendering.reading_order import depths
from d2lbuild.rendering.sphinx_warnings import PlacedWarning

__all__ = ["LatexPages", "PageText", "Written"]


@dataclass(slots=True)
class PageText:
    """What writing one page gave."""

    latex: str
    images: dict[str, Path]
    """The files that it shows, by the names that it has for them."""
    saved: list[str]
    """Names of the library that its code saves: each is the target of a reference."""
    warnings: tuple[PlacedWarning, ...] = ()


@dataclass(slots=True)
class Written:
    """What writing the whole book gave."""

    pages: dict[str, PageText] = field(default_factory=dict)
    """In the order of reading."""
    numbered: frozenset[str] = frozenset()
    """The pages whose title has a number."""
    parts: Sequence[Part] = ()
    language: str = ""
    """What LaTeX calls the language of the book."""


class LatexPages(LaTeXBuilder):
    """Writes each page's LaTeX; `written` has it afterwards."""

    name = "latex"
    supported_image_types = [  # noqa: RUF012 - as Sphinx has it
        *("application/pdf", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"),
    ]
    default_translator_class = BookTranslator
    written: Written

    def init(self) -> None:
        """Begin with nothing written."""
        super().init()
        self.written = Written()
        self._files: dict[str, Path] = {}
        self._known_depths: dict[str, int] = {}

    def write_documents(self, docnames: AbstractSet[str]) -> None:  # noqa: ARG002
        """Write all pages, one after the other."""
        for name in self.depths():
            self.written.pages[name] = self.write_page(name)

    def finish(self) -> None:
        """Note what else is known; the images are left to who makes the PDF."""
        self.written.numbered = frozenset(name for name, found in self.env.toc_secnumbers.items() if found.get(""))
        self.written.parts = parts_of_book(self.env)
        self.written.language = self.babel.get_language() or ""
        self.write_message_catalog()

    def take_image(self, path: Path) -> str:
        """Note an image that the page shows; return its name for LaTeX."""
        name = image_name(path)
        self._files[name] = path
        return f"images/{name}"

    def post_process_images(self, doctree: nodes.Node) -> None:
        """Choose the images of a page and give them their names."""
        super().post_process_images(doctree)
        for uri in {node["uri"] for node in doctree.findall(nodes.image)} & self.images.keys():
            path = Path(self.srcdir, uri)
            if path.is_file():
                self.images[uri] = self.take_image(path)

    def depths(self) -> Mapping[str, int]:
        """Return the pages in the order of reading, each with its depth below the root."""
        self._known_depths = self._known_depths or depths(self.env)
        return self._known_depths

    def write_page(self, name: str) -> PageText:
        """Return the LaTeX of a page."""
        self.images = {}
        self._files = {}
        self.docnames = set(self.env.found_docs)
        self.phase = BuildPhase.RESOLVING
        tree = self.env.get_doctree(name)
        tree[PAGE_NAME] = name
        tree[DEPTH] = self.depths()[name]
        self.env.apply_post_transforms(tree, name)
        self.post_process_images(tree)
        self.phase = BuildPhase.WRITING
        theme = self.themes.get("manual")
        self.update_doc_context(self.config.project, self.config.author, theme)
        visitor: Any = self.create_translator(tree, self, theme)
        tree.walkabout(visitor)
        return PageText(visitor.page_text, dict(self._files), visitor.saved)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx write LaTeX with this builder."""
    app.add_builder(LatexPages, override=True)
    extension.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
