"""What a PDF and an EPUB have in common: Sphinx reads and writes the pages of one framework, without tabs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pybtex.errors
from sphinx.builders import Builder

from d2lbuild.garbage import without_collections
from d2lbuild.model import Finding
from d2lbuild.rendering.api.entries import describe
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.page_store import PageStore
from d2lbuild.rendering.references.bibliography_errors import bibliography_findings
from d2lbuild.rendering.sources.page_notebook import LinePositions
from d2lbuild.rendering.sources.page_sources import Mirror, dialect, write_sources
from d2lbuild.rendering.sphinx_configuration import settings_of_pages, sphinx_configuration
from d2lbuild.rendering.sphinx_run import run_sphinx
from d2lbuild.rendering.sphinx_speed import fast_sphinx, is_fast
from d2lbuild.rendering.sphinx_warnings import findings_of

__all__ = ["SphinxBook", "write_with_sphinx"]

_FORMS = ("text/html", "text/latex", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/plain")
"""The forms that outputs come in; each has one only."""
_OF_WEBSITES = frozenset({"d2l.raw", "d2l.remote"})
"""Warnings of HTML that a book brings itself: such a book shows none."""


@dataclass(frozen=True, slots=True)
class SphinxBook:
    """The pages as Sphinx has written them."""

    builder: Builder
    sources: Mapping[str, PurePosixPath]
    """The files of the sections."""
    positions: Mapping[str, LinePositions]
    findings: tuple[Finding, ...]


def write_with_sphinx(
    builder: str,
    pages: Sequence[Page],
    context: RenderContext,
    output: Path,
    settings: Callable[[dict[str, Any], bool], dict[str, Any]],
) -> SphinxBook:
    """Write `pages` below `output` with a builder of Sphinx.

    `settings` is given those that all such books have, and whether the builder is the fast one.
    """
    described = describe(context.libraries, context.book)
    mirror = Mirror(context.config, context.work / "source")
    store = PageStore(context.work / "pages")
    with without_collections():
        positions = write_sources(pages, context, described, mirror, translator=dialect, store=store)
    source, fast = mirror.source, context.fast and is_fast()
    common = {
        **sphinx_configuration(
            context.config, context.book, context.frameworks, context.modules, source=source, made=source
        ),
        **settings_of_pages(pages, described),
        "nb_mime_priority_overrides": [(builder, form, place) for place, form in enumerate(_FORMS, start=1)],
    }
    chosen = settings(common, fast)
    with (
        pybtex.errors.capture() as errors,
        fast_sphinx(context.work, fast=fast, works=context.works),
    ):
        run = run_sphinx(builder, chosen, source=source, output=output, store=store, context=context, fast=fast)
    sources = {page.section.id: page.section.path for page in pages}
    warnings = [one for one in run.warnings if one.kind not in _OF_WEBSITES]
    findings = [*bibliography_findings(errors, context.book), *findings_of(warnings, sources, positions)]
    return SphinxBook(run.builder, sources, positions, tuple(findings))
