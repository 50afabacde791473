"""The same LaTeX as that of `latex_pages`, with reading that is remembered, and pages written in processes."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from d2lbuild.rendering.forked_pages import on_pages
from d2lbuild.rendering.page_reading import PageReader
from d2lbuild.rendering.pdf import extension
from d2lbuild.rendering.pdf.latex_pages import LatexPages, PageText
from d2lbuild.rendering.sphinx_speed.searches import one_page

__all__ = ["FastLatexPages"]


class FastLatexPages(PageReader, LatexPages):
    """Writes each page's LaTeX."""

    def write_book(self) -> None:
        """Write all pages."""
        names = list(self.depths())
        self.prepare_writing(set(names))
        self.copy_assets()
        sizes = {name: Path(self.env.doc2path(name)).stat().st_size for name in names}
        found: dict[str, PageText] = {}
        for name, page in on_pages(self._one_page, sizes, self.orders.jobs):
            found[name] = page
            self.orders.observer(len(found), len(names))
        for name in names:
            self.written.pages[name] = found[name]
            self.orders.collector.warnings += found[name].warnings
        self.finish()

    def _one_page(self, name: str) -> PageText:
        collector = self.orders.collector
        before = len(collector.warnings)
        with one_page():
            page = self.write_page(name)
        page.warnings = tuple(collector.warnings[before:])
        del collector.warnings[before:]
        return page


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx write LaTeX with this builder."""
    app.add_builder(FastLatexPages, override=True)
    extension.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
