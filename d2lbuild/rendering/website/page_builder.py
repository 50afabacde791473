"""Sphinx's HTML builder, remade so that what has not changed is neither read nor written, and the rest in processes.

A build is always a whole one: the environment is merged from what reading each page gave, in a fixed order, and only
the reading and the writing of single pages are remembered (`page_store`), with everything they depend on. The class
leans on Sphinx's inner structure, so it is used with versions that it was tried with only; see `sphinx_speed`.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.builders.html._assets import _file_checksum_inner
from sphinx.environment import CONFIG_OK, BuildEnvironment
from sphinx.util.build_phase import BuildPhase
from sphinx.util.docutils import LoggingReporter
from sphinx.util.parallel import SerialTasks

from d2lbuild.files import copy_if_changed
from d2lbuild.rendering.content_digest import digest, digest_of_file, digest_of_folder, digest_of_tools
from d2lbuild.rendering.forked_pages import on_pages
from d2lbuild.rendering.page_store import PageStore, ReadPage, WrittenPage, facts_of
from d2lbuild.rendering.references.citations import citing_pages, digests_of_works
from d2lbuild.rendering.references.title_references import titles_of
from d2lbuild.rendering.sphinx_speed.override import put_in_place
from d2lbuild.rendering.sphinx_speed.searches import one_page
from d2lbuild.rendering.sphinx_warnings import WarningCollector
from d2lbuild.rendering.website.environment_parts import EnvironmentParts, skeleton_of
from d2lbuild.rendering.website.figure_numbers import kept_numbers
from d2lbuild.rendering.website.search_parts import PageIndexer, add_part
from d2lbuild.rendering.website.site_notebooks import NOTEBOOKS

__all__ = ["Orders", "PageBuilder"]

_OF_PAGES = frozenset({"d2lbuild_sources", "d2lbuild_page_frameworks", "d2lbuild_page_links", "d2lbuild_api"})
"""Settings that say something of each page: reading a page depends on its own part only."""


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a build is told beside Sphinx's settings."""

    store: PageStore
    collector: WarningCollector
    jobs: int = 1
    observer: Callable[[int, int], None] = field(default=_silent)


class PageBuilder(StandaloneHTMLBuilder):
    """Makes a website; `orders` are given before it builds."""

    orders: Orders
    _parts: EnvironmentParts
    _page_indexer: PageIndexer

    def __init__(self, app: Sphinx, env: BuildEnvironment) -> None:
        super().__init__(app, env)
        self._read_pages: dict[str, ReadPage] = {}
        self._tree = b""
        self._skeleton = b""
        self._numbered = ""
        self._has_contents = False

    # --- the build ---

    def get_outdated_docs(self) -> str:  # type: ignore[override]
        """Leave the decision to `build`."""
        return ""

    def build(self, docnames: Any, summary: str | None = None, method: Any = "update") -> None:  # type: ignore[misc]  # noqa: ARG002
        """Make the whole website."""
        self.finish_tasks = SerialTasks()
        self.env.find_files(self.config, self)
        self.env.config_status = CONFIG_OK
        cast("Any", self.env).get_doctree = self._load_tree
        self.read()
        self.phase = BuildPhase.CONSISTENCY_CHECK
        self.env.check_consistency()
        self.phase = BuildPhase.RESOLVING
        self.events.emit("write-started", self)
        self.env.toctree_includes = dict(sorted(self.env.toctree_includes.items()))
        self._write_site()
        self.orders.store.remove_others(frozenset(self.env.found_docs))

    # --- reading ---

    def read(self) -> list[str]:  # type: ignore[misc]
        """Put the environment together from what is remembered and what is read now."""
        names = sorted(self.env.found_docs)
        self.events.emit("env-get-outdated", self.env, set(names), set(), set())
        self.events.emit("env-before-read-docs", self.env, names)
        self._parts = parts = EnvironmentParts(self.env)
        keys = self._read_keys(names)
        store = self.orders.store
        pages = digest(names)
        missing: dict[str, int] = {}
        for name in names:
            known = store.read(name)
            if known is not None and known.current(keys[name], pages) and self._has_files(known):
                self._read_pages[name] = known
                self.orders.collector.warnings += known.warnings
            else:
                missing[name] = self.env.doc2path(name).stat().st_size
        for name, found in on_pages(lambda name: self._read_page(name, keys[name], pages), missing, self.orders.jobs):
            self._read_pages[name] = found
        parts.clear()
        self.orders.collector.warnings += [
            warning for name in sorted(missing) for warning in self._read_pages[name].warnings
        ]
        for name in names:
            parts.merge(name, self._read_pages[name].known)
            self._read_pages[name] = replace(self._read_pages[name], known=b"")  # it is in the environment now
        cast("Any", self.env).get_doctree = self._load_skeleton
        self.events.emit("env-updated", self.env)
        with put_in_place(kept_numbers(store.folder.parent / "numbers.pickle", self._numbers_key)):
            # Sections and figures are numbered here.
            self.events.emit("env-get-updated", self.env)
        cast("Any", self.env).get_doctree = self._load_tree
        return names

    def _read_keys(self, names: list[str]) -> dict[str, str]:
        settings = {item.name: item.value for item in self.config if item.name not in _OF_PAGES}
        shared = digest(settings, str(self.srcdir), digest_of_tools())
        sources, frameworks = self.config.d2lbuild_sources, self.config.d2lbuild_page_frameworks
        return {
            name: digest(
                shared,
                name,
                digest_of_file(Path(self.env.doc2path(name))),
                sources.get(name, ""),
                frameworks.get(name, ()),
            )
            for name in names
        }

    def _numbers_key(self) -> str:
        """Return a digest of what decides about the numbers of figures, once the sections have theirs."""
        skeletons = [(name, page.numbered) for name, page in sorted(self._read_pages.items())]
        numbers = {item.name: item.value for item in self.config if "numfig" in item.name}
        return digest(numbers, self.config.root_doc, self.env.toc_secnumbers, skeletons, digest_of_tools())

    def _has_files(self, page: ReadPage) -> bool:
        return all((self.srcdir / image).is_file() for image in page.images)

    def _read_page(self, name: str, key: str, pages: str) -> ReadPage:
        collector = self.orders.collector
        before = len(collector.warnings)
        parts = self._parts
        parts.clear()
        self.events.emit("env-purge-doc", self.env, name)
        self.env.clear_doc(name)
        self.phase = BuildPhase.READING
        with one_page():
            self.read_doc(name)
        env = self.env
        cite = env.domaindata.get("cite", {})
        found = ReadPage(
            key=key,
            dependencies={
                str(self.srcdir / path): digest_of_file(self.srcdir / path) for path in env.dependencies.get(name, ())
            },
            known=parts.known(),
            pages=pages if self._has_contents else "",
            facts=parts.facts(),
            cited=tuple(target.key for ref in cite.get("citation_refs", ()) for target in ref.targets),
            lists_works=bool(cite.get("bibliographies")),
            images=tuple(sorted(str(path) for path in env.images)),
            skeleton=self._skeleton,
            numbered=self._numbered,
            warnings=tuple(collector.warnings[before:]),
        )
        del collector.warnings[before:]
        self.orders.store.keep_read(name, found, self._tree)
        return found

    def write_doctree(self, docname: str, doctree: nodes.document, *, _cache: bool = True) -> None:  # type: ignore[misc]  # noqa: ARG002
        """Keep a document that was read, without what cannot be pickled."""
        tree: Any = doctree
        tree.reporter = tree.transformer = None
        tree.settings = tree.settings.copy()
        tree.settings.warning_stream = tree.settings.env = tree.settings.record_dependencies = None
        self._tree = self._parts.pickled(tree)
        skeleton = skeleton_of(doctree, self.env)
        self._has_contents = next(skeleton.findall(addnodes.toctree), None) is not None
        self._skeleton = self._parts.pickled(skeleton)
        self._numbered = digest(skeleton)

    def _load_tree(self, name: str) -> nodes.document:
        return self._revived(name, self.orders.store.doctree(name))

    def _load_skeleton(self, name: str) -> nodes.document:
        return self._revived(name, self._read_pages[name].skeleton)

    def _revived(self, name: str, pickled: bytes) -> nodes.document:
        tree: nodes.document = self._parts.unpickled(pickled)
        tree.settings.env = self.env
        tree.reporter = LoggingReporter(str(self.env.doc2path(name)))
        return tree

    # --- writing ---

    def _write_site(self) -> None:
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
        self._remove_strangers(names)
        total, done = len(names), len(written)
        self.orders.observer(done, total)
        for name, found in on_pages(lambda name: self._write_page(name, keys[name]), missing, self.orders.jobs):
            written[name] = found
            done += 1
            self.orders.observer(done, total)
        for name in names:
            self.orders.collector.warnings += written[name].warnings
            self.images.update(written[name].images)
        self._finish(written)

    def _clear_caches(self) -> None:
        # One process may make several sites, and one several times.
        _file_checksum_inner.cache_clear()

    def _write_keys(self, names: Iterable[str]) -> dict[str, str]:
        of_pages = _OF_PAGES - {"d2lbuild_api"}  # any page may link to what it names
        settings = {item.name: item.value for item in self.config if item.name not in of_pages}
        shared = digest(
            settings,
            digest_of_tools(),
            digest_of_folder(self._static_dir),
            [(name, page.facts) for name, page in sorted(self._read_pages.items())],
            titles_of(self.env),
        )
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
        self.finish()
        self.finish_tasks.join()

    def _remove_strangers(self, names: Iterable[str]) -> None:
        """Remove what an earlier build has left, except for what is written over or still wanted."""
        keep = {self.get_output_path(name) for name in names}
        keep |= {Path(self.outdir, self.searchindex_filename)}
        keep |= {self._images_dir / name for _, name in self.env.images.values()}
        keep |= {self._downloads_dir / name for _, name in self.env.dlfiles.values()}
        others = (self._static_dir, Path(self.outdir, NOTEBOOKS))
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
