"""The outputs that a build can make, and the renderer that makes each; all write below one folder an edition."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from d2lbuild.building import BuildRequest, Observer
from d2lbuild.config import Config
from d2lbuild.config.types import SERVICES
from d2lbuild.edition.edition import Edition
from d2lbuild.errors import BookError, UsageError
from d2lbuild.execution.needs import whole_needs
from d2lbuild.extras import require
from d2lbuild.model import Book, Finding, Needs
from d2lbuild.rendering.context import RenderContext, RenderResult
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.references.works_ahead import Works

if TYPE_CHECKING:
    from d2lbuild.rendering.website.resident import ResidentSite

__all__ = ["RENDERERS", "edition_name", "render_outputs", "require_packages", "site_folder"]

RENDERERS = ("html", "notebooks", "colab", "sagemaker", "binder", "markdown", "slides", "pdf", "epub")
"""The outputs that a build can make."""
_NEED_SPHINX = frozenset({"html", "slides", "pdf", "epub"})
"""Those that need what the extra `html` brings: slides show code in colours and clean outputs, as a website does."""


def require_packages(outputs: Sequence[str]) -> None:
    """Raise SetupError if one of these outputs needs packages that are not installed."""
    if needing := [name for name in outputs if name in _NEED_SPHINX]:
        require("html", f"a build --to {','.join(needing)}")


def render_outputs(
    config: Config,
    request: BuildRequest,
    book: Book,
    *,
    pages_of: Callable[[Sequence[str]], list[Page]],
    editions: Mapping[str, Edition],
    modules: Mapping[str, Path],
    works: Works,
    observer: Observer,
    resident: "ResidentSite | None",
) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    """Hand the pages, made by `pages_of` for some frameworks, to the renderers that a build asks for.

    Returns what to open of each output, and what is wrong with the book.
    """
    folder = request.output(config) / edition_name(config, request.frameworks)
    outputs: dict[str, Path] = {}
    findings: list[Finding] = []
    context = RenderContext(
        config=config,
        book=book,
        frameworks=request.frameworks,
        output=site_folder(config, request),
        modules=modules,
        libraries={name: edition.library for name, edition in editions.items()},
        jobs=request.jobs or os.cpu_count() or 1,
        observer=observer.rendering,
        works=works,
        resident=resident,
    )
    pages = pages_of(request.frameworks)
    if all(page.section.id != book.root for page in pages):
        raise BookError(
            f"{book.sections[book.root].path} has no page in this edition, and it is the first of the book",
            hint="all its code is for other frameworks: give it some for this one, or move the code elsewhere",
        )
    for name in request.to:
        if name == "html":
            from d2lbuild.rendering.website.html import render  # noqa: PLC0415 - Sphinx is slow to import

            site = render(pages, context)
            outputs[name] = site.path
            findings += site.findings
        elif name in {"notebooks", "markdown", "slides"}:
            outputs[name] = _without_sphinx(name, pages, replace(context, output=folder / name))
        elif name in SERVICES:
            from d2lbuild.rendering.elsewhere.notebooks import render_elsewhere  # noqa: PLC0415

            made = render_elsewhere(name, pages, replace(context, output=folder / name), _needs(config, editions))
            outputs[name] = made.path
            findings += made.findings
        elif name in RENDERERS:
            for framework in request.frameworks:
                made = _whole_book(name, request, framework, pages_of([framework]), context)
                outputs[name if len(request.frameworks) == 1 else f"{name} {framework}"] = made.path
                findings += made.findings
        else:
            raise UsageError(f"unknown output '{name}'", hint=f"one of {', '.join(RENDERERS)}")
    return outputs, tuple(findings)


def _without_sphinx(kind: str, pages: Sequence[Page], context: RenderContext) -> Path:
    """Write what is made of pages directly, and return what to open."""
    if kind == "notebooks":
        from d2lbuild.rendering.notebooks import render_notebooks as render  # noqa: PLC0415 - only what is asked for
    elif kind == "markdown":
        from d2lbuild.rendering.markdown_pages import render_markdown as render  # noqa: PLC0415
    else:
        from d2lbuild.rendering.slides.render import render_slides as render  # noqa: PLC0415
    return render(pages, context)


def _needs(config: Config, editions: Mapping[str, Edition]) -> dict[tuple[str, str], Needs]:
    """Return what each notebook needs, by section and framework."""
    return {
        (notebook.section.id, name): whole_needs(notebook, config.execution)
        for name, edition in editions.items()
        for notebook in edition.neutral
    }


def _whole_book(
    kind: str, request: BuildRequest, framework: str, pages: Sequence[Page], context: RenderContext
) -> RenderResult:
    """Make the PDF or the EPUB of one framework: neither shows tabs."""
    libraries = {name: library for name, library in context.libraries.items() if name == framework}
    output = request.output(context.config) / edition_name(context.config, [framework]) / kind
    own = replace(context, frameworks=(framework,), libraries=libraries, output=output)
    if kind == "pdf":
        from d2lbuild.rendering.pdf.pdf import render_pdf  # noqa: PLC0415 - Sphinx is slow to import

        return render_pdf(pages, own, run_post_latex=request.run_post_latex)
    from d2lbuild.rendering.epub.epub import render_epub  # noqa: PLC0415

    return render_epub(pages, own)


def site_folder(config: Config, request: BuildRequest) -> Path:
    """Return the folder of the website that a build makes."""
    return request.output(config) / edition_name(config, request.frameworks) / "html"


def edition_name(config: Config, frameworks: Sequence[str]) -> str:
    """Return the name of the folder that holds what is built for these frameworks."""
    if len(frameworks) > 1 and len(frameworks) == len(config.frameworks):
        return "all"
    return "+".join(frameworks)
