"""Decks of slides for each section with marks of slides, and each framework: ``FRAMEWORK/section.slides.html``.

Beside each lies the same as a notebook. What decks share lies in ``_static``, once; nothing comes from elsewhere.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from d2lbuild.files import copy_if_changed, write_if_changed
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.locale import language_tag, translated
from d2lbuild.rendering.outputs import OutputSettings
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.plain_book import PlainBook, remove_others
from d2lbuild.rendering.plain_markdown import plain_markdown
from d2lbuild.rendering.slides.deck import DeckSettings, deck_html
from d2lbuild.rendering.slides.slide_notebook import slide_notebook
from d2lbuild.rendering.slides.slide_text import SlideTexts, code_colours
from d2lbuild.rendering.slides.slides import has_slides, make_slides
from d2lbuild.rendering.sphinx_configuration import mathjax_settings

__all__ = ["render_slides"]

_THEME = Path(__file__).parents[1] / "theme"
_STATIC = "_static"


def render_slides(pages: Sequence[Page], context: RenderContext) -> Path:
    """Write decks and notebooks below ``context.output/FRAMEWORK`` and an index; return the index."""
    chosen = {(page.section.id, name) for page in pages for name in page.frameworks if has_slides(page, name)}

    def is_written(page: Page, framework: str) -> bool:
        return (page.section.id, framework) in chosen

    decks = PlainBook(pages, context, ".slides.html", is_written=is_written)
    notebooks = PlainBook(pages, context, ".ipynb", is_written=is_written)
    texts = SlideTexts(context.config.html.math_macros, context.config.language)
    written = [(page, name) for page in pages for name in context.frameworks if is_written(page, name)]
    for done, (page, name) in enumerate(written, start=1):
        _write_deck(page, name, context, decks, texts)
        _write_notebook(page, name, context, notebooks)
        context.observer("slides", done, len(written))
    index = context.output / "index.html"
    write_if_changed(index, "\n".join(_index(written, context, decks)))
    files = {book.path(page, name) for page, name in written for book in (decks, notebooks)}
    remove_others(context.output, files | decks.files | notebooks.files | {index, *_write_static(context)})
    return index


def _write_deck(page: Page, name: str, context: RenderContext, decks: PlainBook, texts: SlideTexts) -> None:
    config, path = context.config, decks.path(page, name)
    framework = config.framework(name)
    settings = DeckSettings(
        title=f"{_title(page, name, decks)} · {framework.title} · {config.title}",
        language=language_tag(config.language),
        framework=framework,
        static=os.path.relpath(context.output / _STATIC, path.parent).replace(os.sep, "/"),
        texts=texts,
        outputs=OutputSettings(config.html.stderr, config.library.package, config.language),
    )
    slides = make_slides(page, name, decks.plain_context(page, name), decks.numbers)
    write_if_changed(path, deck_html(slides, settings))


def _write_notebook(page: Page, name: str, context: RenderContext, notebooks: PlainBook) -> None:
    slides = make_slides(page, name, notebooks.plain_context(page, name), notebooks.numbers)
    made = slide_notebook(slides, context.config.framework(name), executed=name in page.results)
    write_if_changed(notebooks.path(page, name), made)


def _title(page: Page, name: str, decks: PlainBook) -> str:
    title = plain_markdown(page.section.title, decks.plain_context(page, name)) or page.section.id
    return f"{decks.numbers.pages.get(page.section.id, '')} {title}".strip()


def _write_static(context: RenderContext) -> Iterator[Path]:
    """Write what decks share; yield the files."""
    folder = context.output / _STATIC
    reveal, mathjax = _THEME / "slides" / "reveal", _THEME / "static" / "mathjax"
    copied: Mapping[str, Path] = {
        **{file.name: file for file in (reveal / "reveal.js", reveal / "reveal.css", reveal / "notes.js")},
        "LICENSE-reveal.txt": reveal / "LICENSE",
        "LICENSE-marked.txt": reveal / "LICENSE-marked.md",
        **{name: _THEME / "static" / "book" / name for name in ("cells.css", "favicon.svg")},
        **{name: _THEME / "slides" / name for name in ("slides.css", "deck.js")},
        **{f"mathjax/{file.relative_to(mathjax).as_posix()}": file for file in mathjax.rglob("*") if file.is_file()},
    }
    for name, source in copied.items():
        copy_if_changed(source, folder / name)
        yield folder / name
    for name, text in {"code.css": code_colours(), "mathjax-settings.js": mathjax_settings(context.config)}.items():
        write_if_changed(folder / name, text)
        yield folder / name


def _index(written: Sequence[tuple[Page, str]], context: RenderContext, decks: PlainBook) -> Iterator[str]:
    """Yield the lines of the page that leads to all decks."""
    config = context.config
    yield "<!DOCTYPE html>"
    yield f'<html lang="{escape(language_tag(config.language))}">'
    yield '<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{escape(config.title)}</title>"
    yield f'<link rel="icon" href="{_STATIC}/favicon.svg">'
    yield f'<link rel="stylesheet" href="{_STATIC}/slides.css">\n</head>\n<body class="index">\n<main>'
    yield f"<h1>{escape(config.title)}</h1>"
    if not written:
        words = translated(config.language, "No section has slides: {mark} in a section begins one.")
        yield f"<p>{escape(words).format(mark='<code>[**text**]</code>')}</p>"
    also = escape(translated(config.language, "Notebook"))
    for name in context.frameworks:
        ours = [page for page, framework in written if framework == name]
        if ours:
            yield f"<h2>{escape(config.framework(name).title)}</h2>\n<ul>"
            for page in ours:
                address = quote(decks.path(page, name).relative_to(context.output).as_posix())
                notebook = quote(f"{name}/{page.section.id}.ipynb")
                title = escape(_title(page, name, decks))
                yield f'<li><a href="{address}">{title}</a> <a class="also" href="{notebook}">{also}</a></li>'
            yield "</ul>"
    yield "</main>\n</body>\n</html>\n"
