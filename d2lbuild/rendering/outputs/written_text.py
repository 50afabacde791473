"""Markdown and LaTeX of outputs: which formulas MathJax may have, and Markdown as HTML that is still to be cleaned."""

import re
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

__all__ = ["formula", "is_harmless", "markdown_html"]

_ENVIRONMENT = re.compile(
    r"\\begin\{(align|alignat|equation|eqnarray|flalign|gather|multline)(\*?)\}.*\\end\{\1\2\}", re.DOTALL
)
_DELIMITED = re.compile(
    r"\$\$(?P<a>(?:[^$\\]|\\.)+)\$\$|\$(?P<b>(?:[^$\\]|\\.)+)\$|\\\[(?P<c>.+)\\\]|\\\((?P<d>.+)\\\)", re.DOTALL
)
_COMMANDS = re.compile(
    r"\\(?:href|class|cssId|style|data|require|def|gdef|edef|xdef|let|global|newcommand|renewcommand|providecommand"
    r"|DeclareMathOperator|newenvironment|renewenvironment|mmlToken|unicode|begingroup|endgroup|csname)(?![A-Za-z])"
)
"""What makes links, gives the parts of a formula names and styles, loads, or changes other formulas of the page."""


def is_harmless(tex: str) -> bool:
    """Whether a formula, or a text with formulas, can do nothing but be set."""
    return not _COMMANDS.search(tex)


def formula(latex: str) -> str:
    """Return the formula that a piece of LaTeX consists of; empty if it is text, or not harmless."""
    latex = latex.strip()
    if not is_harmless(latex):
        return ""
    if _ENVIRONMENT.fullmatch(latex):
        return latex
    whole = _DELIMITED.fullmatch(latex)
    found = next((part for part in whole.groups() if part), "") if whole else ""
    # Such delimiters would end the formula on the page.
    return "" if re.search(r"\\[()\[\]]", found) else found.strip()


def markdown_html(text: str, *, html: bool) -> str:
    """Return Markdown as HTML, with formulas as Sphinx has them; without `html`, tags in it are text."""
    rendered: str = _markdown(html).render(text)
    return rendered


@cache
def _markdown(html: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": html}).enable(["table", "strikethrough"])
    return parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True, renderer=_formula)


def _formula(tex: str, options: dict[str, Any]) -> str:
    before, after = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return escape(f"{before}{tex}{after}")
