"""Pages to a website: notebooks for MyST-NB, Sphinx run in this process, and what it warns of as findings.

Beside the site's folder stands a work folder (`html-work`): the notebooks, Sphinx's pickles and the images of outputs.
Files there are written only when their bytes change, so that a second build does little. Nothing is fetched.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import pybtex.errors

from d2lbuild.config.types import Config
from d2lbuild.files import write_if_changed
from d2lbuild.garbage import without_collections
from d2lbuild.model import Finding, Severity
from d2lbuild.rendering.api.entries import Described, describe
from d2lbuild.rendering.context import RenderContext, RenderResult
from d2lbuild.rendering.kept_digests import kept_digests
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.page_store import PageStore
from d2lbuild.rendering.references.bibliography_errors import bibliography_findings
from d2lbuild.rendering.sources.page_sources import (
    Mirror,
    SourceWriter,
    Translator,
    dialect,
    site_files,
    write_sources,
)
from d2lbuild.rendering.sphinx_configuration import (
    EXTENSIONS,
    made_static_files,
    settings_of_pages,
    sphinx_configuration,
)
from d2lbuild.rendering.sphinx_run import SphinxRun, run_sphinx
from d2lbuild.rendering.sphinx_speed import fast_sphinx, is_fast
from d2lbuild.rendering.sphinx_warnings import findings_of, in_order
from d2lbuild.rendering.website.page_links import page_links
from d2lbuild.rendering.website.site_notebooks import SiteNotebooks

__all__ = ["Mirror", "RenderContext", "RenderResult", "Translator", "dialect", "import_extensions", "render"]


def render(pages: Sequence[Page], context: RenderContext, translator: Translator = dialect) -> RenderResult:
    """Make the website of `pages` in `context.output`, and return its first page and what is wrong with the book."""
    if context.resident:
        context.resident.release()
    work = context.work
    fast = context.fast and is_fast()
    if not fast:
        shutil.rmtree(context.output, ignore_errors=True)
    mirror = Mirror(context.config, work / "source")
    described = describe(context.libraries, context.book)
    store = PageStore(work / "pages")
    with kept_digests(work / "digests.pickle"):
        with without_collections():
            notebooks = SiteNotebooks(pages, context)
            positions = write_sources(
                pages, context, described, mirror, translator=translator, store=store, notebooks=notebooks
            )
        with ExitStack() as stack:
            stack.enter_context(fast_sphinx(work, fast=fast, works=context.works))
            with pybtex.errors.capture() as errors:
                run = _run_sphinx(pages, mirror.source, store, context, described, fast=fast)
            if context.resident and fast:
                sources = SourceWriter(pages, context, described, mirror, translator=translator, store=store)
                context.resident.keep(run.builder, sources, stack.pop_all())
    paths = {page.section.id: page.section.path for page in pages}
    findings = [
        *_missing_files(context.config),
        *bibliography_findings(errors, context.book),
        *findings_of(run.warnings, paths, positions),
    ]
    return RenderResult(context.output / f"{context.book.root}.html", in_order(findings))


def import_extensions() -> None:
    """Import what Sphinx will load, at a time when it costs nothing."""
    for name in EXTENSIONS:
        import_module(name)


def _missing_files(config: Config) -> Iterator[Finding]:
    """Report the files for the site that the configuration names and the book lacks."""
    source = config.source.relative_to(config.root) if config.source.is_relative_to(config.root) else config.source
    for name in site_files(config):
        if not (config.root / name).is_file():
            message = f"{source}: the file {name} does not exist"
            yield Finding("missing-file", message, severity=Severity.WARNING)


# --- Sphinx -----------------------------------------------------------------------------------------------------------


def _run_sphinx(
    pages: Sequence[Page],
    source: Path,
    store: PageStore,
    context: RenderContext,
    described: Mapping[str, Described],
    *,
    fast: bool,
) -> SphinxRun:
    made = store.folder.parent / "static"
    files = made_static_files(context.config)
    for name, text in files.items():
        write_if_changed(made / name, text)
    for path in made.rglob("*"):
        if path.is_file() and path.relative_to(made).as_posix() not in files:
            path.unlink()
    settings = sphinx_configuration(
        context.config, context.book, context.frameworks, context.modules, source=source, made=made
    )
    settings |= settings_of_pages(pages, described)
    settings["d2lbuild_page_links"] = {
        page.section.id: page_links(page, context.config, context.frameworks) for page in pages
    }
    if fast:
        settings["extensions"] = [*settings["extensions"], "d2lbuild.rendering.website.page_builder"]
    return run_sphinx("html", settings, source=source, output=context.output, store=store, context=context, fast=fast)
