"""The cover and the title page: the book's own image, or a drawing of its title, its authors and its framework."""

import base64
import unicodedata
from collections.abc import Sequence
from html import escape
from pathlib import Path

from d2lbuild.config.types import Config, Framework
from d2lbuild.rendering.epub.package import KINDS

__all__ = ["cover_drawing", "cover_page", "title_page"]

_WIDTH, _HEIGHT, _MARGIN = 1600, 2400, 150
_SIZES = (165, 140, 115, 95, 80)
"""Of the title's letters: the largest that lets it stand in few lines."""
_MOST_LINES = 4
_LETTER = 0.56
"""The width of a letter of the heaviest kind, for each unit of its size."""
_FONT = "Palatino, 'Palatino Linotype', 'TeX Gyre Pagella', Georgia, 'Noto Serif CJK SC', serif"
_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
_LOGOS = {".svg", ".png", ".jpg", ".jpeg"}


def cover_drawing(config: Config, framework: Framework, logo: Path | None) -> str:
    """Return a drawing that stands for a cover."""
    size, title = next(
        ((size, lines) for size in _SIZES if len(lines := _lines(config.title, size)) <= _MOST_LINES),
        (_SIZES[-1], _lines(config.title, _SIZES[-1])[: 2 * _MOST_LINES]),
    )
    y = 620
    pieces = [
        f'<svg {_NAMESPACES} viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">',
        f"<title>{escape(config.title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fdfdfc"/>',
        f'<rect width="{_WIDTH}" height="330" fill="#1d5fa8"/>',
        f'<g font-family="{escape(_FONT)}" fill="#1b2733">',
        *_logo(logo),
    ]
    for line in title:
        pieces.append(_letters(line, y, size, weight="bold"))
        y += round(size * 1.2)
    y += 40
    pieces.append(_letters(framework.title, y, 110, fill="#1d5fa8"))
    y = _HEIGHT - 260
    for line in reversed(_lines(config.author, 70)[:6]):
        pieces.append(_letters(line, y, 70))
        y -= 90
    if config.release:
        pieces.append(_letters(config.release, _HEIGHT - 130, 50, fill="#5a6672"))
    return "\n".join([*pieces, "</g>", "</svg>", ""])


def _logo(path: Path | None) -> list[str]:
    """Return the logo, in the coloured field; it has to be inside of the drawing to be seen everywhere."""
    if path is None or path.suffix.lower() not in _LOGOS or not path.is_file():
        return []
    data = base64.b64encode(path.read_bytes()).decode()
    address = f"data:{KINDS[path.suffix.lower()]};base64,{data}"
    return [
        f'<rect x="{_MARGIN}" y="75" width="180" height="180" rx="20" fill="#fdfdfc"/>',
        f'<image x="{_MARGIN + 15}" y="90" width="150" height="150" xlink:href="{address}"/>',
    ]


def _letters(words: str, y: int, size: int, *, weight: str = "normal", fill: str = "#1b2733") -> str:
    return f'<text x="{_MARGIN}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}">{escape(words)}</text>'


def _lines(text: str, size: int) -> Sequence[str]:
    """Break a text into lines; letters of East Asia may stand in any of them, and are wider."""
    room = (_WIDTH - 2 * _MARGIN) / (size * _LETTER)
    lines: list[str] = []
    line = ""
    for word in _words(text):
        longer = f"{line}{word}"
        if line.strip() and _width(longer.rstrip()) > room:
            lines.append(line.strip())
            line = word
        else:
            line = longer
    return [*lines, line.strip()] if line.strip() else lines


def _words(text: str) -> Sequence[str]:
    words: list[str] = [""]
    for letter in " ".join(text.split()):
        if _is_wide(letter):
            words += [letter, ""]
        else:
            words[-1] += letter
            if letter == " ":
                words.append("")
    return [word for word in words if word]


def _width(text: str) -> float:
    return sum(1.8 if _is_wide(letter) else 1.0 for letter in text)


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in {"W", "F"}


def cover_page(image: str, title: str) -> str:
    """Return the body of the first page."""
    return f'<section class="d2l-cover" epub:type="cover"><img src="{image}" alt="{escape(title)}" /></section>\n'


def title_page(config: Config, framework: Framework) -> str:
    """Return the body of the title page."""
    lines = [
        f'<h1 class="d2l-title">{escape(config.title)}</h1>',
        f'<p class="d2l-edition">{escape(framework.title)}</p>',
        f'<p class="d2l-author">{escape(config.author)}</p>' if config.author else "",
        f'<p class="d2l-release">{escape(config.release)}</p>' if config.release else "",
        f'<p class="d2l-copyright">© {escape(config.copyright)}</p>' if config.copyright else "",
    ]
    text = "\n".join(line for line in lines if line)
    return f'<section class="d2l-titlepage" epub:type="titlepage">\n{text}\n</section>\n'
