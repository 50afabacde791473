"""Pages read once: a Sphinx builder of any output that remembers what reading each page gave, and reads in processes.

A build is always a whole one: the environment is merged from what reading each page gave, in a fixed order, and only
the reading of single pages is remembered (`page_store`), with everything it depends on. The class leans on Sphinx's
inner structure, so it is used with versions that it was tried with only; see `sphinx_speed`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import CONFIG_OK, BuildEnvironment
from sphinx.util.build_phase import BuildPhase
from sphinx.util.docutils import LoggingReporter
from sphinx.util.parallel import SerialTasks

from d2lbuild.rendering.content_digest import digest, digest_of_tools
from d2lbuild.rendering.environment_parts import EnvironmentParts, skeleton_of
from d2lbuild.rendering.figure_numbers import kept_numbers
from d2lbuild.rendering.forked_pages import on_pages
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.page_store import PageStore, ReadPage
from d2lbuild.rendering.sphinx_speed.override import put_in_place
from d2lbuild.rendering.sphinx_speed.searches import one_page
from d2lbuild.rendering.sphinx_warnings import WarningCollector

__all__ = ["OF_PAGES", "Orders", "PageReader"]

OF_PAGES = frozenset({"d2lbuild_sources", "d2lbuild_page_frameworks", "d2lbuild_page_links", "d2lbuild_api"})
"""Settings that say something of each page: reading a page depends on its own part only."""


_OWN = ("key", "dependencies", "known", "skeleton", "warnings")
"""What reading a page gives that no other page shows, or that says the same as another field."""


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a build is told beside Sphinx's settings."""

    store: PageStore
    collector: WarningCollector
    jobs: int = 1
    observer: Callable[[int, int], None] = field(default=_silent)
    urgent: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    """Pages that somebody waits for: they are written first, and each is told when its file is there."""


class PageReader(Builder):
    """Reads the pages of a book; `orders` are given before it builds, and `write_book` is what a subclass does then."""

    orders: Orders
    _parts: EnvironmentParts

    def __init__(self, app: Sphinx, env: BuildEnvironment) -> None:
        super().__init__(app, env)
        self._read_pages: dict[str, ReadPage] = {}
        self._tree = b""
        self._skeleton = b""
        self._numbered = ""
        self._has_contents = False

    def get_outdated_docs(self) -> str:
        """Leave the decision to `build`."""
        return ""

    def build(self, docnames: Any, summary: str | None = None, method: Any = "update") -> None:  # type: ignore[misc]  # noqa: ARG002
        """Read the whole book and write it."""
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
        self.write_book()
        self.orders.store.remove_others(frozenset(self.env.found_docs))

    def write_book(self) -> None:
        """Write what was read."""
        raise NotImplementedError

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
        settings = {item.name: item.value for item in self.config if item.name not in OF_PAGES}
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

    def read_again(self, name: str) -> bool:
        """Read one page once more; return whether it gives all other pages what it gave them before.

        The environment stays as it is, and the next build will not take for its own what was read.
        """
        known = self._read_pages[name]
        with self._parts.put_aside():
            found = self._read_page(name, "", known.pages)
        return replace(known, **{one: getattr(found, one) for one in _OWN}) == found

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
