"""Pages to a website: notebooks for MyST-NB, Sphinx run in this process, and what it warns of as findings.

Beside the site's folder stands a work folder (`html-work`): the notebooks, Sphinx's pickles and the images of outputs.
Files there are written only when their bytes change, so that a second build does little. Nothing is fetched.
"""

import io
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pybtex.errors
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from d2lbuild.config.types import Config
from d2lbuild.errors import D2lbuildError
from d2lbuild.files import copy_if_changed, write_if_changed
from d2lbuild.model import Finding, Page, Section, Severity
from d2lbuild.rendering.api_entries import Described, LibraryNames, describe
from d2lbuild.rendering.api_pages import ApiPage, api_objects, api_pages, first_api_page
from d2lbuild.rendering.bibliography_errors import bibliography_findings
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.myst import TranslationContext, translate
from d2lbuild.rendering.page_notebook import LinePositions, Prose, page_notebook
from d2lbuild.rendering.page_store import PageStore
from d2lbuild.rendering.sphinx_configuration import sphinx_configuration
from d2lbuild.rendering.sphinx_speed import fast_sphinx, is_fast
from d2lbuild.rendering.sphinx_warnings import WarningCollector, findings_of

__all__ = ["Mirror", "RenderContext", "RenderResult", "Translator", "dialect", "render"]


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A finished site."""

    index: Path
    findings: tuple[Finding, ...]


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

    def write(self, section: str, content: bytes) -> None:
        """Write a page's notebook, unless it is there with the same bytes."""
        path = self.source / f"{section}.ipynb"
        write_if_changed(path, content)
        self._wanted.add(path)

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
    )

    def translated(text: str, tabbed: bool) -> tuple[str, Sequence[int]]:
        found = translate(text, replace(shared, tabbed=tabbed))
        return found.text, found.lines

    return translated


def render(pages: Sequence[Page], context: RenderContext, translator: Translator = dialect) -> RenderResult:
    """Make the website of `pages` in `context.output`, and return its first page and what is wrong with the book."""
    work = context.output.parent / f"{context.output.name}-work"
    mirror = Mirror(context.config, work / "source")
    described = describe(context.libraries, context.book)
    positions = _write_sources(pages, context, described, mirror, translator)
    fast = context.fast and is_fast()
    with fast_sphinx(work, fast=fast), pybtex.errors.capture() as errors:
        collector = _run_sphinx(mirror.source, work, context, described, fast=fast)
    paths = {page.section.id: page.section.path for page in pages}
    findings = [
        *_missing_files(context.config),
        *bibliography_findings(errors, context.config),
        *findings_of(collector.warnings, paths, positions),
    ]
    return RenderResult(context.output / f"{context.book.root}.html", tuple(_in_order(findings)))


def _in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Sort by place, each finding once (a piece that stands in two tabs is read once, but written twice)."""
    return sorted(
        dict.fromkeys(findings), key=lambda found: (str(found.span.path), found.span.first) if found.span else ("", 0)
    )


# --- the notebooks ----------------------------------------------------------------------------------------------------


def _write_sources(
    pages: Sequence[Page],
    context: RenderContext,
    described: Mapping[str, Described],
    mirror: Mirror,
    translator: Translator,
) -> dict[str, LinePositions]:
    config = context.config
    frameworks = [config.framework(name) for name in context.frameworks]
    ids = frozenset(page.section.id for page in pages)
    names = LibraryNames(described)
    reference = first_api_page(described)
    positions: dict[str, LinePositions] = {}
    for done, page in enumerate(pages, start=1):
        prose = translator(page, context, ids, mirror)
        appendix = reference if page.section.id == context.book.root else ""
        written = page_notebook(page, frameworks, prose, ids, names=names.of, appendix=appendix)
        mirror.write(page.section.id, _as_bytes(written.notebook))
        positions[page.section.id] = written.positions
        context.observer("write", done, len(pages))
    for api in _api_pages(context, described, ids, mirror):
        mirror.write(api.name, _as_bytes(api.notebook))
        positions[api.name] = api.positions
    for name in (*config.bibliography, *_site_files(config)):
        mirror.take(Path(name))
    mirror.remove_others()
    return positions


def _api_pages(
    context: RenderContext, described: Mapping[str, Described], ids: frozenset[str], mirror: Mirror
) -> Iterator[ApiPage]:
    """Make the API reference; docstrings are written in the dialect, whatever the chapters are."""
    root = context.book.sections[context.book.root]
    prose = {}
    for framework, one in described.items():
        section = Section(one.page, root.path, (), "")
        prose[framework] = dialect(Page(section, (framework,), ()), context, ids, mirror)
    return api_pages(described, context.config, context.book, prose)


def _as_bytes(notebook: Mapping[str, object]) -> bytes:
    return json.dumps(notebook, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _missing_files(config: Config) -> Iterator[Finding]:
    """Report the files for the site that the configuration names and the book lacks."""
    source = config.source.relative_to(config.root) if config.source.is_relative_to(config.root) else config.source
    for name in _site_files(config):
        if not (config.root / name).is_file():
            message = f"{source}: the file {name} does not exist"
            yield Finding("missing-file", message, severity=Severity.WARNING)


def _site_files(config: Config) -> Iterator[PurePosixPath]:
    yield from (path for path in (config.html.favicon, config.html.logo) if path)
    yield from config.html.css
    yield from config.html.javascript


# --- Sphinx -----------------------------------------------------------------------------------------------------------


def _run_sphinx(
    source: Path, work: Path, context: RenderContext, described: Mapping[str, Described], *, fast: bool
) -> WarningCollector:
    settings = sphinx_configuration(context.config, context.book, context.frameworks, context.modules, source)
    settings["d2lbuild_api"] = api_objects(described)
    if fast:
        settings["extensions"] = [*settings["extensions"], "d2lbuild.rendering.page_builder"]
    else:
        shutil.rmtree(context.output, ignore_errors=True)
    try:
        app = Sphinx(
            srcdir=source,
            confdir=None,
            outdir=context.output,
            doctreedir=work / "doctrees",
            buildername="html",
            confoverrides=settings,
            status=None,
            warning=io.StringIO(),
            freshenv=True,
        )
        collector = _listen(app)
        if fast:
            _give_orders(app, work, context, collector)
        app.build()
    except SphinxError as error:
        raise D2lbuildError(f"Sphinx stopped: {error}") from error
    return collector


def _give_orders(app: Sphinx, work: Path, context: RenderContext, collector: WarningCollector) -> None:
    from d2lbuild.rendering.page_builder import Orders, PageBuilder  # noqa: PLC0415 - not every Sphinx has what it needs

    builder = app.builder
    assert isinstance(builder, PageBuilder)
    builder.orders = Orders(
        store=PageStore(work / "pages"),
        collector=collector,
        jobs=context.jobs,
        observer=lambda done, total: context.observer("html", done, total),
    )


def _listen(app: Sphinx) -> WarningCollector:
    """Take the warnings of `app` off its stream."""
    logger = logging.getLogger("sphinx")
    for handler in list(logger.handlers):
        if handler.level == logging.WARNING:
            logger.removeHandler(handler)
    collector = WarningCollector(app)
    logger.addHandler(collector)
    return collector
