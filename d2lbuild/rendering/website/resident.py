"""A website whose Sphinx stays ready after a build: it writes a single page again in some hundredths of a second.

What it writes is for the eye: the next build takes none of it for its own, and makes these pages once more.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from sphinx.builders import Builder

from d2lbuild.model import Book, Span
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sources.page_sources import SourceWriter
from d2lbuild.rendering.website.page_builder import PageBuilder

__all__ = ["ResidentSite"]


class ResidentSite:
    """Keeps what the last build of a website has left."""

    def __init__(self) -> None:
        self.urgent: Mapping[str, Callable[[Path], None]] = {}
        """Pages that the next build should write first, and who is told when each is there."""
        self._stack = ExitStack()
        self._builder: PageBuilder | None = None
        self._sources: SourceWriter | None = None

    def keep(self, builder: Builder, sources: SourceWriter, stack: ExitStack) -> None:
        """Take over a builder that has finished; `stack` holds what was put in place for it."""
        self._stack = stack
        if isinstance(builder, PageBuilder):
            self._builder, self._sources = builder, sources

    def release(self) -> None:
        """Undo what was put in place: another build begins."""
        self._builder = self._sources = None
        self._stack.close()

    def write_again(self, page: Page, book: Book, moved: Mapping[Span, Span]) -> Path | None:
        """Write a page as it is now in `book`; return its file, or None if other pages may have to change as well.

        `moved` says of the page's code where it stood at the last build.
        """
        builder, name = self._builder, page.section.id
        if builder is None or self._sources is None or name not in builder.env.found_docs:
            return None
        self._sources.write(page, book, moved)
        return Path(builder.get_output_path(name)) if builder.write_again(name) else None
