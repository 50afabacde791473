"""Pages of one framework to a PDF: Sphinx writes LaTeX, XeLaTeX sets it, and what either finds wrong are findings.

Beside the PDF's folder stands a work folder (`pdf-work`) with the notebooks, what reading them gave, the LaTeX and the
converted images. What has not changed is not made again: no page is read twice, no image is converted twice, and
XeLaTeX is not started for the text that it has set before.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pybtex.errors

from d2lbuild.config.types import Config
from d2lbuild.errors import D2lbuildError
from d2lbuild.files import copy_if_changed, write_atomically
from d2lbuild.garbage import without_collections
from d2lbuild.model import Finding, Page
from d2lbuild.rendering.api.entries import Described, describe
from d2lbuild.rendering.content_digest import digest, digest_of_tools
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.page_store import PageStore
from d2lbuild.rendering.pdf.book_text import LATEX_THEME, book_text, framed, without_images
from d2lbuild.rendering.pdf.fonts import Fonts, character_commands, choose_fonts
from d2lbuild.rendering.pdf.images import bring_images, image_name
from d2lbuild.rendering.pdf.latex_pages import LatexPages, Written
from d2lbuild.rendering.pdf.places import Places
from d2lbuild.rendering.pdf.post_latex import changed_by_program, not_run
from d2lbuild.rendering.pdf.system import require_system
from d2lbuild.rendering.pdf.typesetting import absent_fonts, not_shown, set_book
from d2lbuild.rendering.pdf.xelatex import NAME, Typesetter
from d2lbuild.rendering.references.bibliography_errors import bibliography_findings
from d2lbuild.rendering.sources.page_sources import Mirror, dialect, write_sources
from d2lbuild.rendering.sphinx_configuration import settings_of_pages, sphinx_configuration
from d2lbuild.rendering.sphinx_run import run_sphinx
from d2lbuild.rendering.sphinx_speed import fast_sphinx, is_fast
from d2lbuild.rendering.sphinx_warnings import PlacedWarning, findings_of, in_order
from d2lbuild.rendering.still_pages import FORMS, OF_WEBSITES

__all__ = ["PdfResult", "render_pdf"]


@dataclass(frozen=True, slots=True)
class PdfResult:
    """A finished PDF."""

    path: Path
    findings: tuple[Finding, ...]


def render_pdf(pages: Sequence[Page], context: RenderContext, *, run_post_latex: bool = False) -> PdfResult:
    """Make the PDF of `pages`, which are those of one framework, in the folder `context.output`.

    With `run_post_latex` the book's own program may change the LaTeX.
    """
    require_system(context.config)
    work = context.output.parent / f"{context.output.name}-work"
    described = describe(context.libraries, context.book)
    mirror = Mirror(context.config, work / "source")
    store = PageStore(work / "pages")
    with without_collections():
        positions = write_sources(pages, context, described, mirror, translator=dialect, store=store)
    with pybtex.errors.capture() as errors:
        written, warnings = _latex(pages, mirror.source, store, context, described)
    sources = {page.section.id: page.section.path for page in pages}
    fonts = _fonts(context.config)
    book = _whole_file(written, work / "latex", context, fonts)
    text = book.text
    if run_post_latex:
        text = changed_by_program(text, context.config, work / "latex" / f"{NAME}.tex")
    path, more = _typeset(text, work / "latex", context, lambda latex: Places(latex, sources, positions))
    findings = [
        *([] if run_post_latex else not_run(context.config)),
        *absent_fonts(context.config, fonts),
        *bibliography_findings(errors, context.book),
        *findings_of(warnings, sources, positions),
        *not_shown(book.text, book.failed, book.lost, Places(book.text, sources, positions)),
        *more,
    ]
    return PdfResult(path, in_order(findings))


# --- Sphinx -----------------------------------------------------------------------------------------------------------


def _latex(
    pages: Sequence[Page], source: Path, store: PageStore, context: RenderContext, described: Mapping[str, Described]
) -> tuple[Written, list[PlacedWarning]]:
    work = store.folder.parent
    fast = context.fast and is_fast()
    settings = _settings(pages, source, context, described, fast=fast)
    with fast_sphinx(work, fast=fast, works=context.works):
        run = run_sphinx(
            "latex", settings, source=source, output=work / "latex", store=store, context=context, fast=fast
        )
    assert isinstance(run.builder, LatexPages)
    return run.builder.written, [one for one in run.warnings if one.kind not in OF_WEBSITES]


def _settings(
    pages: Sequence[Page], source: Path, context: RenderContext, described: Mapping[str, Described], *, fast: bool
) -> dict[str, Any]:
    settings = sphinx_configuration(
        context.config, context.book, context.frameworks, context.modules, source=source, made=source
    )
    extension = "page_builder" if fast else "latex_pages"
    return {
        **settings,
        "extensions": ["sphinx.builders.latex", *settings["extensions"], f"d2lbuild.rendering.pdf.{extension}"],
        **settings_of_pages(pages, described),
        "html_static_path": [],
        "latex_engine": "xelatex",
        # Chinese is set by `ctex`, which has captions of its own.
        "latex_elements": {"babel": "", "polyglossia": ""} if context.config.language.startswith("zh") else {},
        "latex_show_urls": "footnote",
        "latex_documents": [(context.book.root, f"{NAME}.tex", context.config.title, context.config.author, "manual")],
        "latex_table_style": ["booktabs"],
        "nb_mime_priority_overrides": [("latex", form, place) for place, form in enumerate(FORMS, start=1)],
    }


# --- the file for LaTeX -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Book:
    """The file for LaTeX; the images that cannot be shown, with reasons; the characters that no font has."""

    text: str
    failed: Mapping[str, str]
    lost: Sequence[str]


def _whole_file(written: Written, folder: Path, context: RenderContext, fonts: Fonts) -> _Book:
    config = context.config
    images = {name: path for page in written.pages.values() for name, path in page.images.items()}
    logo = ""
    if config.pdf.logo:
        file = config.root / config.pdf.logo
        images[logo := image_name(file)] = file
    failed = dict(bring_images(images, folder / "images"))
    body = without_images(book_text(written, context.book.root, config), failed)
    commands, lost = character_commands(body, fonts, chinese=config.language.startswith("zh"))
    framework = config.framework(context.frameworks[0])
    text = framed(body, framework, config, fonts, "\n".join(commands), language=written.language, logo=logo)
    return _Book(text, failed, lost)


def _fonts(config: Config) -> Fonts:
    pdf = config.pdf
    return choose_fonts(pdf.main_font, pdf.sans_font, pdf.mono_font, pdf.math_font)


# --- LaTeX ------------------------------------------------------------------------------------------------------------


def _typeset(
    text: str, folder: Path, context: RenderContext, places: Callable[[str], Places]
) -> tuple[Path, tuple[Finding, ...]]:
    """Set the text, unless that was done before; return the PDF and what is wrong with it."""
    target = context.output / f"{context.config.name}.pdf"
    own = context.config.pdf.document_class
    for style in [*LATEX_THEME.glob("*.sty"), *([context.config.root / own] if own else [])]:
        copy_if_changed(style, folder / style.name)
    styles = [digest_of_file(path) for path in sorted(folder.iterdir()) if path.suffix in (".sty", ".cls")]
    key = digest(text, styles, sorted(path.name for path in (folder / "images").iterdir()), digest_of_tools())
    memory = folder / "typeset.pickle"
    known = _remembered(memory)
    if known is not None and known.key == key and known.pdf == digest_of_file(target):
        return target, known.findings
    typesetter = Typesetter(folder, lambda _: context.observer("typeset", 0, len(context.book.sections)))
    made, findings = set_book(text, typesetter, places)
    if made is None:
        raise D2lbuildError("XeLaTeX made no PDF", findings=findings, hint=f"it says why in {folder / NAME}.log")
    write_atomically(target, made.read_bytes())
    write_atomically(memory, pickle.dumps(_Typeset(key, digest_of_file(target), findings)))
    return target, findings


@dataclass(frozen=True, slots=True)
class _Typeset:
    """What was set when, with what came of it."""

    key: str
    pdf: str
    findings: tuple[Finding, ...]


def _remembered(path: Path) -> _Typeset | None:
    try:
        with path.open("rb") as file:
            found = pickle.load(file)  # noqa: S301 - our own file
    except Exception:
        return None
    return found if isinstance(found, _Typeset) else None
