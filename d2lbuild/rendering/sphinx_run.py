"""One run of Sphinx in this process, for any output: its warnings are collected, and what it raises is told as ours."""

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sphinx.locale
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.errors import SphinxError

from d2lbuild.errors import D2lbuildError
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.page_store import PageStore
from d2lbuild.rendering.sphinx_warnings import PlacedWarning, WarningCollector

__all__ = ["SphinxRun", "run_sphinx"]


@dataclass(frozen=True, slots=True)
class SphinxRun:
    """What is left of a run: the builder that wrote the output, and what Sphinx warned of."""

    builder: Builder
    warnings: list[PlacedWarning]


def run_sphinx(
    builder: str,
    settings: Mapping[str, Any],
    *,
    source: Path,
    output: Path,
    store: PageStore,
    context: RenderContext,
    fast: bool,
) -> SphinxRun:
    """Run Sphinx with a builder.

    `source` is the folder of the notebooks, and beside that of the `store` Sphinx has its own. With `fast` the builder
    is a `PageReader`.
    """
    # Sphinx adds the texts of one language to those of the last one that it was run for in this process.
    sphinx.locale.translators.pop(("general", "sphinx"), None)
    try:
        app = Sphinx(
            srcdir=source,
            confdir=None,
            outdir=output,
            doctreedir=store.folder.parent / "doctrees",
            buildername=builder,
            confoverrides=dict(settings),
            status=None,
            warning=io.StringIO(),
            freshenv=True,
        )
        collector = _listen(app)
        if fast:
            _give_orders(app, store, context, collector)
        app.build()
    except SphinxError as error:
        raise D2lbuildError(f"Sphinx stopped: {error}") from error
    return SphinxRun(app.builder, collector.warnings)


def _give_orders(app: Sphinx, store: PageStore, context: RenderContext, collector: WarningCollector) -> None:
    from d2lbuild.rendering.page_reading import Orders, PageReader  # noqa: PLC0415 - not every Sphinx has what it needs

    builder = app.builder
    assert isinstance(builder, PageReader)
    builder.orders = Orders(
        store=store,
        collector=collector,
        jobs=context.jobs,
        urgent=context.resident.urgent if context.resident else {},
        observer=lambda done, total: context.observer(builder.name, done, total),
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
