"""The folder that Sphinx reads: a notebook a page, and copies of the files that pages show.

A page's notebook is made again when something that it is made of has changed: its cells, and what it may ask of the
rest of the book (labels, titles, citations, names of the library, which files there are).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from d2lbuild.config.types import Config
from d2lbuild.files import copy_if_changed, write_if_changed
from d2lbuild.model import Book, Section, Span
from d2lbuild.rendering.api.entries import Described, LibraryNames
from d2lbuild.rendering.api.pages import ApiPage, api_pages, first_api_page
from d2lbuild.rendering.content_digest import digest, digest_of_tools
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.forked_pages import on_pages
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.outputs import OutputSettings
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.rendering.page_store import PageStore, SourcePage
from d2lbuild.rendering.sources.book_files import files_of_book
from d2lbuild.rendering.sources.discussions import take_discussions
from d2lbuild.rendering.sources.myst import TranslationContext, translate
from d2lbuild.rendering.sources.page_notebook import CodeNames, LinePositions, Prose, page_notebook
from d2lbuild.rendering.website.site_notebooks import SiteNotebooks
from d2lbuild.source.prose import parse_prose

__all__ = ["Mirror", "SourceWriter", "Translator", "dialect", "site_files", "write_sources"]


class Mirror:
    """The folder that Sphinx reads: laid out as the book is, so that relative paths lead to the same files."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.folder = folder
        self.source = folder / config.chapters
        self._root = config.root.resolve()
        self._wanted: set[Path] = set()
        self.source.mkdir(parents=True, exist_ok=True)

    def take(self, file: Path) -> Path | None:
        """Copy a file of the book, unless it is there; return its copy, or None if the book has no such file."""
        path = Path(os.path.normpath(self._root / file))
        if not path.is_relative_to(self._root) or not path.is_file():
            return None
        target = self.folder / path.relative_to(self._root)
        if target not in self._wanted:
            copy_if_changed(path, target)
            self._wanted.add(target)
        return target

    def address(self, section: str, file: Path) -> str:
        """Copy a file and return its address as a page's source says it."""
        target = self.take(file) or file
        return PurePosixPath(os.path.relpath(target, (self.source / section).parent)).as_posix()

    def path(self, section: str) -> Path:
        """Return where a page's notebook lies."""
        return self.source / f"{section}.ipynb"

    def write(self, section: str, content: bytes) -> None:
        """Write a page's notebook, unless it is there with the same bytes."""
        write_if_changed(self.path(section), content)
        self._wanted.add(self.path(section))

    def taken(self) -> frozenset[str]:
        """Return what was copied, as paths below the book's folder."""
        return frozenset(path.relative_to(self.folder).as_posix() for path in self._wanted if path.suffix != ".ipynb")

    def want(self, section: str, files: Sequence[str]) -> None:
        """Keep a page's notebook as it is, and bring its files up to date."""
        self._wanted.add(self.path(section))
        for file in files:
            self.take(Path(file))

    def remove_others(self) -> None:
        """Remove notebooks and images of pages that are gone."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self._wanted:
                path.unlink()


Translator = Callable[[Page, RenderContext, frozenset[str], Mirror], Prose]
"""Gives, for a page, what turns its prose into MyST Markdown."""


def dialect(page: Page, context: RenderContext, pages: frozenset[str], mirror: Mirror) -> Prose:
    """Translate chapters as they are written; images that they show are copied."""
    shared = TranslationContext(
        root=context.config.root,
        book=context.book,
        section=page.section,
        pages=pages,
        image=lambda file: mirror.address(page.section.id, file),
        language=context.config.language,
    )

    def translated(text: str, tabbed: bool) -> tuple[str, Sequence[int]]:
        found = translate(text, replace(shared, tabbed=tabbed))
        return found.text, found.lines

    return translated


@dataclass(frozen=True, slots=True)
class _Writing:
    """What the notebooks of all pages are made with."""

    context: RenderContext
    described: Mapping[str, Described]
    mirror: Mirror
    translator: Translator
    store: PageStore
    ids: frozenset[str]
    names: CodeNames
    appendix: str
    notebooks: SiteNotebooks | None


def write_sources(
    pages: Sequence[Page],
    context: RenderContext,
    described: Mapping[str, Described],
    mirror: Mirror,
    *,
    translator: Translator,
    store: PageStore,
    notebooks: SiteNotebooks | None = None,
) -> dict[str, LinePositions]:
    """Bring the folder up to date, and return where the lines of its notebooks come from.

    `notebooks` are those that readers can download, where the output has such.
    """
    ids = frozenset(page.section.id for page in pages)
    writing = _Writing(
        context,
        described,
        mirror,
        translator,
        store,
        ids,
        LibraryNames(described).of,
        first_api_page(described),
        notebooks,
    )
    key = _keys(writing)
    found: dict[str, SourcePage] = {}
    missing: dict[str, Page] = {}
    for page in pages:
        name = page.section.id
        known = store.source(name)
        if known is not None and known.key == key(page) and _is_there(name, known, writing):
            found[name] = known
        else:
            missing[name] = page
    context.observer("write", len(found), len(pages))
    sizes = {name: sum(len(cell.source) for cell in page.cells) for name, page in missing.items()}
    for name, source in on_pages(lambda name: _write(missing[name], key(missing[name]), writing), sizes, context.jobs):
        found[name] = source
        context.observer("write", len(found), len(pages))
    parse_prose.cache_clear()  # it was parsed for this, and takes much memory
    for name, source in found.items():
        mirror.want(name, source.files)
    if notebooks is not None:
        notebooks.finish(
            {file for source in found.values() for file in source.notebooks},
            {file for source in found.values() for file in source.figures},
        )
    positions = {page.section.id: found[page.section.id].positions for page in pages}
    for api in _api_pages(writing):
        mirror.write(api.name, _as_bytes(api.notebook))
        positions[api.name] = api.positions
    for path in (*context.book.bibliography, *site_files(context.config)):
        mirror.take(Path(path))
    mirror.remove_others()
    return positions


class SourceWriter:
    """Writes the notebook of a single page again, after `write_sources` has written all."""

    def __init__(
        self,
        pages: Sequence[Page],
        context: RenderContext,
        described: Mapping[str, Described],
        mirror: Mirror,
        *,
        translator: Translator,
        store: PageStore,
    ) -> None:
        ids = frozenset(page.section.id for page in pages)
        names, appendix = LibraryNames(described).of, first_api_page(described)
        self._writing = _Writing(context, described, mirror, translator, store, ids, names, appendix, None)

    def write(self, page: Page, book: Book, moved: Mapping[Span, Span]) -> None:
        """Write a page's notebook; the next build will not take it for its own.

        `moved` says of the page's code where it stood when the library was made.
        """
        writing = self._writing

        def names(cell: PageCell) -> Mapping[str, object]:
            return writing.names(replace(cell, span=moved.get(cell.span, cell.span)))

        _write(page, "", replace(writing, names=names, context=replace(writing.context, book=book)))
        parse_prose.cache_clear()


def _keys(writing: _Writing) -> Callable[[Page], str]:
    """Return what tells of a page all that its notebook depends on."""
    context = writing.context
    book, config = context.book, context.config
    labels = [(one.name, one.kind, str(one.span.path), one.frameworks, one.text) for one in book.labels.values()]
    sections = [(one.id, str(one.path), one.title) for one in book.sections.values()]
    names = {name: [entry.name for entry in one.entries] for name, one in writing.described.items()}
    there = list(files_of_book(config.root, config.output))
    shared = digest(
        config, context.frameworks, labels, sections, book.citations, writing.ids, names, writing.appendix, there,
        digest_of_tools(), writing.translator, writing.notebooks.ids if writing.notebooks else None,
    )  # fmt: skip
    saved: dict[str, list[object]] = {}
    for name, one in writing.described.items():
        for block in one.library.blocks:
            saved.setdefault(str(block.span.path), []).append((name, block.names, block.span.first))

    def key(page: Page) -> str:
        cells: object = page.cells
        if page.section.digest:
            # What the file says is in its digest; what running it gave decides which cells stand once.
            cells = [(cell.id, cell.outputs, cell.notice) for cell in page.cells if cell.outputs or cell.notice]
        return digest(
            shared,
            page.section.id,
            page.section.path,
            page.section.digest,
            page.section.contents,
            page.section.labels,
            page.frameworks,
            cells,
            {name: replace(result, outputs=()) for name, result in page.results.items()},
            saved.get(str(page.section.path), ()),
        )

    return key


def _is_there(name: str, known: SourcePage, writing: _Writing) -> bool:
    """Whether what making a page gave lies where it was left."""
    notebooks = writing.notebooks
    there = notebooks is None or notebooks.has(known.notebooks)
    return there and known.notebook == digest_of_file(writing.mirror.path(name))


def _write(page: Page, key: str, writing: _Writing) -> SourcePage:
    """Write one page's notebook."""
    context = writing.context
    name = page.section.id
    mirror = Mirror(context.config, writing.mirror.folder)
    text, discussions = take_discussions(page, context.config.html.forum)
    written = page_notebook(
        text,
        [context.config.framework(one) for one in context.frameworks],
        writing.translator(page, context, writing.ids, mirror),
        writing.ids,
        names=writing.names,
        outputs=OutputSettings(
            stderr=context.config.html.stderr,
            package=context.config.library.package,
            language=context.config.language,
        ),
        discussions=discussions,
        appendix=writing.appendix if name == context.book.root else "",
        language=context.config.language,
    )
    mirror.write(name, _as_bytes(written.notebook))
    notebooks, figures = writing.notebooks.write(page) if writing.notebooks else ({}, ())
    found = SourcePage(
        key=key,
        notebook=digest_of_file(mirror.path(name)),
        files=tuple(sorted(mirror.taken())),
        positions=written.positions,
        notebooks=notebooks,
        figures=figures,
    )
    writing.store.keep_source(name, found)
    return found


def _api_pages(writing: _Writing) -> Iterator[ApiPage]:
    """Make the API reference; docstrings are written in the dialect, whatever the chapters are."""
    context = writing.context
    root = context.book.sections[context.book.root]
    prose = {}
    for framework, one in writing.described.items():
        section = Section(one.page, root.path, (), "")
        prose[framework] = dialect(Page(section, (framework,), ()), context, writing.ids, writing.mirror)
    return api_pages(writing.described, context.config, context.book, prose)


def _as_bytes(notebook: Mapping[str, object]) -> bytes:
    return json.dumps(notebook, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def site_files(config: Config) -> Iterator[PurePosixPath]:
    """Yield the files for the site that the configuration names."""
    yield from (path for path in (config.html.favicon, config.html.logo, config.html.image) if path)
    yield from config.html.css
    yield from config.html.javascript
