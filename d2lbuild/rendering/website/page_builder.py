"""Sphinx's HTML builder, remade so that what has not changed is neither read nor written, and the rest in processes.

Reading is the `page_reading`; here the writing of single pages is remembered, with everything they depend on.
"""

import shutil
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.builders.html._assets import _file_checksum_inner
from sphinx.util.build_phase import BuildPhase

from d2lbuild.files import copy_if_changed
from d2lbuild.rendering.content_digest import digest, digest_of_folder, digest_of_tools
from d2lbuild.rendering.elsewhere.places import SITE_NOTEBOOKS
from d2lbuild.rendering.forked_pages import on_pages
from d2lbuild.rendering.page_reading import OF_PAGES, PageReader
from d2lbuild.rendering.page_store import WrittenPage, facts_of
from d2lbuild.rendering.references.citations import citing_pages, digests_of_works
from d2lbuild.rendering.references.title_references import titles_of
from d2lbuild.rendering.sphinx_speed.searches import one_page
from d2lbuild.rendering.website.search_parts import PageIndexer, SearchPart, add_part

__all__ = ["PageBuilder"]

_FIRST = 2**40
"""More than any page has: the largest are written first."""


class PageBuilder(PageReader, StandaloneHTMLBuilder):  # type: ignore[misc]
    """Makes a website."""

    _page_indexer: PageIndexer

    def write_book(self) -> None:
        """Write the pages that are not there as they should be, and what a site has beside them."""
        names = sorted(self.env.found_docs)
        self._clear_caches()
        self.prepare_writing(set(names))
        if self.indexer is not None:
            self._page_indexer = PageIndexer(self.indexer)
        shutil.rmtree(self._static_dir, ignore_errors=True)
        self.copy_assets()
        keys = self._write_keys(names)
        written: dict[str, WrittenPage] = {}
        missing: dict[str, int] = {}
        for name in names:
            known = self.orders.store.written(name)
            path = self.get_output_path(name)
            if known is not None and known.key == keys[name] and known.file and known.file == facts_of(path):
                written[name] = known
            else:
                missing[name] = len(self._read_pages[name].skeleton) + self.env.doc2path(name).stat().st_size
                if name in self.orders.urgent:
                    missing[name] += _FIRST
        self._remove_strangers(names)
        total, done = len(names), len(written)
        self.orders.observer(done, total)
        for name, found in on_pages(lambda name: self._write_page(name, keys[name]), missing, self.orders.jobs):
            written[name] = found
            if name in self.orders.urgent:
                self.orders.urgent[name](self.get_output_path(name))
            done += 1
            self.orders.observer(done, total)
        for name in names:
            self.orders.collector.warnings += written[name].warnings
            self.images.update(written[name].images)
        self._finish(written)

    def _clear_caches(self) -> None:
        # One process may make several sites, and one several times.
        _file_checksum_inner.cache_clear()

    @cached_property
    def key_of_pages(self) -> str:
        """A digest of the settings, and of what pages may show of each other."""
        of_pages = OF_PAGES - {"d2lbuild_api"}  # any page may link to what it names
        settings = {item.name: item.value for item in self.config if item.name not in of_pages}
        facts = [(name, page.facts) for name, page in sorted(self._read_pages.items())]
        return digest(settings, digest_of_tools(), facts, titles_of(self.env))

    def _write_keys(self, names: Iterable[str]) -> dict[str, str]:
        shared = digest(self.key_of_pages, digest_of_folder(self._static_dir))
        works = digests_of_works(self.env)
        citing = citing_pages(self.env)
        files = {str(path) for path in self._bibliography_files()}
        keys = {}
        for name in names:
            page = self._read_pages[name]
            if page.lists_works:
                citations: object = (list(works.items()), [citing.get(key) for key in works])
            else:
                citations = [(key, works.get(key)) for key in page.cited]
            images = [(image, self.env.images[image][1]) for image in page.images]
            others = {path: found for path, found in page.dependencies.items() if path not in files}
            links = self.config.d2lbuild_page_links.get(name)
            keys[name] = digest(shared, page.key, others, images, citations, links)
        return keys

    def _bibliography_files(self) -> list[Path]:
        return [(Path(self.confdir) / name).resolve() for name in self.config.bibtex_bibfiles or ()]

    def _write_page(self, name: str, key: str) -> WrittenPage:
        collector = self.orders.collector
        before = len(collector.warnings)
        self.images = {}
        self._search_part: Any = None
        with one_page():
            self.phase = BuildPhase.RESOLVING
            tree = self.env.get_and_resolve_doctree(name, self, tags=self.tags, doctree=self._load_tree(name))
            self.phase = BuildPhase.WRITING
            self.write_doc_serialized(name, tree)
            self.write_doc(name, tree)
        found = WrittenPage(
            key=key,
            file=facts_of(self.get_output_path(name)),
            images=dict(self.images),
            search=self._search_part,
            warnings=tuple(collector.warnings[before:]),
        )
        del collector.warnings[before:]
        self.images = {}
        self.orders.store.keep_written(name, found)
        return found

    def write_again(self, name: str) -> bool:
        """Read and write one page once more; return False, without writing, if others might have to be written too."""
        before = self._read_pages[name]
        if before.lists_works or before.pages or not self.read_again(name):
            return False
        self._write_page(name, "")
        return True

    def index_page(self, pagename: str, doctree: nodes.document, title: str) -> None:
        """Index a page by itself; `_finish` puts the index together."""
        if self.indexer is None or not title:
            return
        file = str(self.env.doc2path(pagename, base=False))
        if {"no-search", "nosearch"} & self.env.metadata.get(pagename, {}).keys():
            doctree, title = nodes.document(doctree.settings, doctree.reporter), ""
        self._search_part = self._page_indexer.part(pagename, file, title, doctree)

    def load_indexer(self, docnames: Any) -> None:
        """Begin with an empty index."""

    def _finish(self, written: Mapping[str, WrittenPage]) -> None:
        if self.indexer is not None:
            for name in ("_titles", "_filenames", "_mapping", "_title_mapping", "_all_titles", "_index_entries"):
                setattr(self.indexer, name, {})
            for name, page in sorted(written.items()):
                if page.search is not None:
                    add_part(self.indexer, name, page.search)
            if all(page.search is None for page in written.values()):
                # Sphinx cannot write an index of nothing, which is what it has of pages without titles.
                root = self.config.root_doc
                add_part(self.indexer, root, SearchPart(self.config.project, f"{root}.ipynb", [], [], (), ()))
            # There is nothing to prune: it holds the pages of this book alone.
            cast("Any", self.indexer).prune = lambda _names: None
        self.finish()
        self.finish_tasks.join()

    def _remove_strangers(self, names: Iterable[str]) -> None:
        """Remove what an earlier build has left, except for what is written over or still wanted."""
        keep = {self.get_output_path(name) for name in names}
        keep |= {Path(self.outdir, self.searchindex_filename)}
        keep |= {self._images_dir / name for _, name in self.env.images.values()}
        keep |= {self._downloads_dir / name for _, name in self.env.dlfiles.values()}
        others = (self._static_dir, Path(self.outdir, SITE_NOTEBOOKS))
        for path in Path(self.outdir).rglob("*"):
            if path.is_file() and path not in keep and not any(map(path.is_relative_to, others)):
                path.unlink()

    def copy_image_files(self) -> None:
        """Copy the images that pages show, and only these."""
        for source, name in self.images.items():
            path = Path(self.srcdir) / source
            if path.is_file():
                copy_if_changed(path, self._images_dir / name)
        wanted = set(self.images.values())
        if self._images_dir.is_dir():
            for copy in self._images_dir.iterdir():
                if copy.name not in wanted:
                    copy.unlink()

    def write_buildinfo(self) -> None:
        """Leave Sphinx's own record out: it depends on the folder."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx make HTML with this builder."""
    app.add_builder(PageBuilder, override=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
