"""Pages of one framework to a PDF: Sphinx writes LaTeX, XeLaTeX sets it, and what either finds wrong are findings.

Beside the PDF's folder stands a work folder (`pdf-work`) with the notebooks, what reading them gave, the LaTeX and the
converted images. What has not changed is not made again: no page is read twice, no image is converted twice, and
XeLaTeX is not started for the text that it has set before.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from d2lbuild.config.types import Config
from d2lbuild.errors import D2lbuildError
from d2lbuild.files import copy_if_changed, write_atomically
from d2lbuild.model import Finding
from d2lbuild.rendering.content_digest import digest, digest_of_tools
from d2lbuild.rendering.context import RenderContext, RenderResult
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.pdf.book_text import LATEX_THEME, book_text, framed, without_images
from d2lbuild.rendering.pdf.fonts import Fonts, character_commands, choose_fonts
from d2lbuild.rendering.pdf.images import bring_images, image_name
from d2lbuild.rendering.pdf.latex_pages import LatexPages, Written
from d2lbuild.rendering.pdf.places import Places
from d2lbuild.rendering.pdf.post_latex import changed_by_program, not_run
from d2lbuild.rendering.pdf.system import require_system
from d2lbuild.rendering.pdf.typesetting import absent_fonts, not_shown, set_book
from d2lbuild.rendering.pdf.xelatex import NAME, Typesetter
from d2lbuild.rendering.sphinx_warnings import in_order
from d2lbuild.rendering.whole_book import write_with_sphinx

__all__ = ["render_pdf"]


def render_pdf(pages: Sequence[Page], context: RenderContext, *, run_post_latex: bool = False) -> RenderResult:
    """Make the PDF of `pages`, which are those of one framework, in the folder `context.output`.

    With `run_post_latex` the book's own program may change the LaTeX.
    """
    require_system(context.config)
    folder = context.work / "latex"
    run = write_with_sphinx("latex", pages, context, folder, partial(_settings, context))
    assert isinstance(run.builder, LatexPages)
    fonts = _fonts(context.config)
    book = _whole_file(run.builder.written, folder, context, fonts)
    text = book.text
    if run_post_latex:
        text = changed_by_program(text, context.config, folder / f"{NAME}.tex")
    path, more = _typeset(text, folder, context, lambda latex: Places(latex, run.sources, run.positions))
    findings = [
        *([] if run_post_latex else not_run(context.config)),
        *absent_fonts(context.config, fonts),
        *run.findings,
        *not_shown(book.text, book.failed, book.lost, Places(book.text, run.sources, run.positions)),
        *more,
    ]
    return RenderResult(path, in_order(findings))


def _settings(context: RenderContext, common: dict[str, Any], fast: bool) -> dict[str, Any]:
    extension = "page_builder" if fast else "latex_pages"
    return {
        **common,
        "extensions": ["sphinx.builders.latex", *common["extensions"], f"d2lbuild.rendering.pdf.{extension}"],
        "html_static_path": [],
        "latex_engine": "xelatex",
        # Chinese is set by `ctex`, which has captions of its own.
        "latex_elements": {"babel": "", "polyglossia": ""} if context.config.language.startswith("zh") else {},
        "latex_show_urls": "footnote",
        "latex_documents": [(context.book.root, f"{NAME}.tex", context.config.title, context.config.author, "manual")],
        "latex_table_style": ["booktabs"],
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
