"""Markdown of slides and notes as HTML: formulas for MathJax on slides, as MathML in notes, code with its colours.

Chapters are the author's: their own HTML stays. Pictures from elsewhere become links, since a deck loads nothing.
"""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight  # type: ignore[import-untyped,unused-ignore]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped,unused-ignore]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped,unused-ignore]
from pygments.lexers.special import TextLexer  # type: ignore[import-untyped,unused-ignore]
from pygments.util import ClassNotFound  # type: ignore[import-untyped,unused-ignore]

from d2lbuild.rendering.displays import OWN_LINES, has_open_lines
from d2lbuild.rendering.epub.formulas import Formulas, NotConvertedError
from d2lbuild.rendering.locale import translated

__all__ = ["SlideTexts", "code_colours"]

_WIDE = 72
"""Characters, more than which a line of code may have to scroll sideways: then the keyboard must be able to."""
_FAR_PICTURE = re.compile(r"""<img\b[^>]*\bsrc=(["'])(?P<address>(?:https?:)?//[^"']*)\1[^>]*>""")
_ALTERNATIVE = re.compile(r'\balt="([^"]*)"')
_FORMATTER = HtmlFormatter(nowrap=True)


class SlideTexts:
    """Writes the Markdown of a book, which may have commands of its own in formulas."""

    def __init__(self, macros: Mapping[str, str], language: str = "en") -> None:
        self.language = language
        self._formulas = Formulas(macros)
        self._on_slides = _parser(_for_mathjax, self._listing)
        self._in_notes = _parser(self._as_mathml, self._listing)

    def slide(self, text: str) -> str:
        """Return Markdown as a slide shows it."""
        return _rendered(self._on_slides, text)

    def notes(self, text: str) -> str:
        """Return Markdown for the window of the speaker, which has no MathJax."""
        return _rendered(self._in_notes, text)

    def code(self, code: str, language: str) -> str:
        """Return code with its colours; what is wider than a slide can be scrolled with the keyboard."""
        wide = any(len(line) > _WIDE for line in code.splitlines())
        label = escape(translated(self.language, "Code"))
        scrolls = f' tabindex="0" role="region" aria-label="{label}"' if wide else ""
        return f'<pre class="highlight"{scrolls}><code>{highlight(code, _lexer(language), _FORMATTER)}</code></pre>'

    def _listing(self, code: str, language: str, _attributes: str) -> str:
        return self.code(code, language)

    def _as_mathml(self, tex: str, options: Mapping[str, Any]) -> str:
        try:
            return self._formulas.mathml(tex, display=options["display_mode"])
        except NotConvertedError:
            return f"<code>{escape(tex.strip())}</code>"


def _rendered(parser: MarkdownIt, text: str) -> str:
    html: str = parser.render(text)
    return _FAR_PICTURE.sub(_as_link, html).strip()


def _as_link(match: re.Match[str]) -> str:
    words = _ALTERNATIVE.search(match[0])
    return f'<a href="{match["address"]}">{(words and words[1]) or match["address"]}</a>'


def _parser(formula: Any, listing: Any) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "highlight": listing}).enable(["table", "strikethrough"])
    return parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_digits=False,
        allow_space=False,
        double_inline=True,
        renderer=formula,
    )


def _for_mathjax(tex: str, options: Mapping[str, Any]) -> str:
    if not options["display_mode"]:
        return escape(rf"\({tex}\)")
    if has_open_lines(tex) and not OWN_LINES.search(tex):
        body, tag, number = tex.partition(r"\tag")
        tex = rf"\begin{{aligned}}{body}\end{{aligned}}{tag}{number}"
    return escape(rf"\[{tex}\]")


@cache
def _lexer(language: str) -> Any:
    try:
        return get_lexer_by_name(language, stripnl=True)
    except ClassNotFound:
        return TextLexer()


def code_colours() -> str:
    """Return the style sheet of code, for light and for dark screens."""
    light, dark = (
        HtmlFormatter(style=f"a11y-{name}").get_style_defs(".highlight").replace("pre { line-height: 125%; }", "")
        for name in ("light", "dark")
    )
    return f"{light.strip()}\n@media screen and (prefers-color-scheme: dark) {{\n{dark.strip()}\n}}\n"
