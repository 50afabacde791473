"""One deck as a page of HTML, which reveal.js shows slide by slide. No script of its own stands in it."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from d2lbuild.config.types import Framework
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.outputs import OutputSettings, displayed
from d2lbuild.rendering.page import PageCell
from d2lbuild.rendering.slides.slide_text import SlideTexts
from d2lbuild.rendering.slides.slides import HIDES_CODE, HIDES_OUTPUTS, Slide, SlideText
from d2lbuild.rendering.sources.displayed_code import displayed_code

__all__ = ["DeckSettings", "deck_html"]


@dataclass(frozen=True, slots=True)
class DeckSettings:
    """What a deck must know beside its slides."""

    title: str
    language: str
    """As HTML calls it."""
    framework: Framework
    static: str
    """The folder of styles and scripts, relative to the deck."""
    texts: SlideTexts
    outputs: OutputSettings


def deck_html(slides: Sequence[Slide], settings: DeckSettings) -> str:
    """Return a deck as its file."""
    sections = "\n".join(_slide(slide, number, settings) for number, slide in enumerate(slides, start=1))
    static = escape(settings.static)
    styles = ("reveal.css", "cells.css", "code.css", "slides.css")
    scripts = ["reveal.js", "notes.js", "deck.js"]
    if 'class="math ' in sections:
        scripts = ["mathjax-settings.js", "mathjax/tex-chtml-full.js", *scripts]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(settings.language)}">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(settings.title)}</title>",
            f'<link rel="icon" href="{static}/favicon.svg">',
            *(f'<link rel="stylesheet" href="{static}/{name}">' for name in styles),
            *(f'<script defer src="{static}/{name}"></script>' for name in scripts),
            "</head>",
            "<body>",
            f'<main class="reveal mathjax_ignore"{_labels(settings)}>',
            '<div class="slides">',
            sections,
            "</div>",
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _labels(settings: DeckSettings) -> str:
    """Return what the arrows do, as attributes: deck.js tells it to who does not see them."""
    language = settings.texts.language
    words = {"left": translated(language, "Previous slide"), "right": translated(language, "Next slide")}
    return "".join(f' data-{name}="{escape(text)}"' for name, text in words.items())


def _slide(slide: Slide, number: int, settings: DeckSettings) -> str:
    lines = [f'<section aria-label="{number}">']
    for part in slide.parts:
        lines += [settings.texts.slide(part.text)] if isinstance(part, SlideText) else _cell(part, settings)
    if slide.notes:
        lines.append(f'<aside class="notes">\n{settings.texts.notes(slide.notes)}\n</aside>')
    return "\n".join([*lines, "</section>"])


def _cell(cell: PageCell, settings: DeckSettings) -> Iterator[str]:
    """Yield what readers are shown of a cell."""
    framework = settings.framework
    source = displayed_code(cell.source)[0] if framework.is_python else cell.source
    outputs = "" if cell.tags & HIDES_OUTPUTS else "\n".join(_outputs(cell, settings.outputs))
    shows_code = bool(source.strip()) and not cell.tags & HIDES_CODE
    if not shows_code and not outputs:
        return
    yield '<div class="cell">'
    if shows_code:
        yield f'<div class="cell_input">\n{settings.texts.code(source, framework.language)}\n</div>'
    if outputs:
        yield f'<div class="cell_output">\n{outputs}\n</div>'
    yield "</div>"


def _outputs(cell: PageCell, settings: OutputSettings) -> Iterator[str]:
    """Yield the outputs of a cell, each in the one form that pages show, which is safe."""
    found = displayed(cell.outputs, cell.id, cell.tags, settings)
    pictures = iter(found.pictures)
    for output in found.outputs:
        ((kind, data),) = output["data"].items()
        if kind == "text/html":
            yield data
        elif kind == "text/latex":
            yield '<div class="math block">' + escape(rf"\[{data}\]") + "</div>"
        else:
            yield _picture(kind, data, next(pictures), output["metadata"].get(kind, {}))


def _picture(kind: str, data: str, said: Mapping[str, str], size: Mapping[str, int]) -> str:
    encoded = base64.b64encode(data.encode()).decode() if kind == "image/svg+xml" else data
    sizes = "".join(f' {name}="{value}"' for name, value in sorted(size.items()))
    image = f'<img class="d2l-picture" src="data:{kind};base64,{encoded}" alt="{escape(said["name"])}"{sizes}>'
    if folded := said.get("folded"):
        return f"<details><summary>{escape(folded)}</summary>{image}</details>"
    return image
