"""A book in plain Markdown: what its pages know of each other, for notebooks and for texts.

The files that a page shows are copied to the same place relative to it as in the book.
"""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from d2lbuild.files import copy_if_changed
from d2lbuild.model import Book, CellKind
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.numbering import Numbers, number_pages
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.rendering.plain_markdown import PlainContext, plain_markdown
from d2lbuild.source.works import read_works, references

__all__ = ["PlainBook", "page_text", "remove_others"]


class PlainBook:
    """The pages of an edition, to be written below ``context.output/FRAMEWORK``."""

    def __init__(
        self,
        pages: Sequence[Page],
        context: RenderContext,
        suffix: str,
        *,
        is_written: Callable[[Page, str], bool] = lambda page, framework: framework in page.frameworks,
    ) -> None:
        self._context = context
        self._suffix = suffix
        config, book = context.config, context.book
        self._ids = {
            name: frozenset(page.section.id for page in pages if is_written(page, name)) for name in context.frameworks
        }
        self.numbers = number_pages(pages, book, config.root)
        self._works = read_works(config.root, book.bibliography)
        self._listed = references(config.root, book.bibliography)
        self.files: set[Path] = set()
        """Those that pages show."""

    def path(self, page: Page, framework: str) -> Path:
        """Return where a page of a framework goes."""
        return self._context.output / framework / f"{page.section.id}{self._suffix}"

    def plain_context(self, page: Page, framework: str, image: Callable[[Path], str] | None = None) -> PlainContext:
        """Return what the text of a page must know; `image` gives the addresses of files, else they are copied."""
        config, book = self._context.config, self._context.book
        ids = self._ids[framework]
        return PlainContext(
            root=config.root,
            book=book,
            section=page.section,
            pages=ids,
            numbers=self.numbers.labels,
            image=image or (lambda file: self.beside(file, page, framework)),
            language=config.language,
            works=self._works,
            cited=self._cited(book, ids) if page.section.bibliographies else (),
            suffix=self._suffix,
        )

    def beside(self, file: Path, page: Page, framework: str) -> str:
        """Copy a file and return its address for the page."""
        target = self.copied(file, framework)
        return quote(PurePosixPath(os.path.relpath(target, self.path(page, framework).parent)).as_posix())

    def copied(self, file: Path, framework: str) -> Path:
        """Copy a file to its place below the folder of a framework, and return that."""
        config, folder = self._context.config, self._context.output / framework
        root = config.root.resolve()
        file = root / os.path.relpath(file.resolve(), root)
        chapters = root / config.chapters
        inside = file.is_relative_to(chapters)
        target = folder / file.relative_to(chapters) if inside else folder / "_files" / file.relative_to(root)
        copy_if_changed(file, target)
        self.files.add(target)
        return target

    def _cited(self, book: Book, pages: Collection[str]) -> Sequence[str]:
        """Return the works that these pages cite, in the order of their people."""
        cited = (one for name in pages for one in book.sections[name].references)
        keys = {one.target for one in cited if one.role in {"cite", "citep", "citet"}} & self._listed.keys()
        order = sorted(keys, key=lambda key: (*map(str.casefold, self._works[key].people), self._works[key].year, key))
        return [self._listed[key] for key in order]


def page_text(cell: PageCell, page: Page, context: PlainContext, numbers: Numbers) -> str:
    """Return the text of a cell that is no code."""
    if cell.kind is CellKind.PROSE:
        return plain_markdown(cell.source, context, numbers.places.get((page.section.id, cell.id)))
    if cell.kind is CellKind.CONTENTS:
        return "\n".join(_entries(cell, page, context, numbers))
    return ""  # reStructuredText says nothing to Jupyter


def _entries(cell: PageCell, page: Page, context: PlainContext, numbers: Numbers) -> Sequence[str]:
    names = [
        entry.section
        for tree in page.section.contents
        if cell.span.first <= tree.span.first <= cell.span.last
        for entry in tree.entries
        if entry.section in context.pages
    ]
    folder = PurePosixPath(page.section.id).parent
    titles = {name: plain_markdown(context.book.sections[name].title, context) or name for name in names}
    entries = {name: f"{numbers.pages.get(name, '')} {title}".strip() for name, title in titles.items()}
    return [f"* [{entries[name]}]({os.path.relpath(f'{name}{context.suffix}', folder)})" for name in names]


def remove_others(folder: Path, wanted: Collection[Path]) -> None:
    """Remove what earlier builds have left below a folder."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
