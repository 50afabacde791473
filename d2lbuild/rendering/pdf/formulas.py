"""Formulas as books write them for MathJax, in the form that LaTeX with `unicode-math` takes. Pure functions."""

import re

from d2lbuild.rendering.displays import LAST_LINE_ENDS, OWN_LINES, has_open_lines, two_columns

__all__ = ["braced_scripts", "display", "inline"]

_INNER = {"align": "aligned", "flalign": "aligned", "alignat": "alignedat", "gather": "gathered"}
"""What stands for an environment of lines inside of a display that has one number."""
_MOST_LINES = 14
"""A display with more may have to go on to another page."""
_ONLY_OUTSIDE = re.compile(r"\\(?:short)?intertext\b|\\tag\b|\\displaybreak\b")
"""What stands in displays alone, not in a part of one."""
_SCRIPT = re.compile(
    r"([_^])\s*\\((?:math|text)[a-z]*|operatorname\*?|boldsymbol|bm|hat|widehat|tilde|widetilde|bar|vec|dot|ddot"
    r"|overline|underline|sqrt|mbox|hbox|frac|dfrac|tfrac|binom)(?=\s*[{\[])"
)
_TWO_ARGUMENTS = {"frac", "dfrac", "tfrac", "binom"}


def inline(text: str) -> str:
    """Return a formula for running text."""
    return rf"\({braced_scripts(' '.join(text.split()))}\)"


def display(text: str, number: str = "", label: str = "") -> str:
    """Return a display; `number` is the one that the book has given it, and `label` the target of its references.

    What is wider than the page is made smaller, unless its lines may have to go on to another page.
    """
    formula = braced_scripts("\n".join(line for line in text.splitlines() if line.strip()).strip())
    tag = (rf"\tag{{{number}}}" if number else "") + (rf"\label{{{label}}}" if label else "")
    match = OWN_LINES.match(formula)
    if match is None:
        formula = LAST_LINE_ENDS.sub("", formula)
        lines = has_open_lines(formula)
        return _fitted(rf"\begin{{aligned}}{formula}\end{{aligned}}" if lines else formula, tag)
    name, body = match[1], formula[match.end() :].rsplit(rf"\end{{{match[1]}{match[2]}}}", 1)[0]
    if name == "eqnarray":
        name, body = "align", two_columns(body)
    if name == "equation":
        return _fitted(body.strip(), tag)
    if name == "multline":
        return f"\\begin{{multline{'' if tag else '*'}}}{tag}{body}\\end{{multline{'' if tag else '*'}}}"
    if not tag and (body.count(r"\\") > _MOST_LINES or _ONLY_OUTSIDE.search(body)):
        # MathJax numbers nothing by itself; LaTeX would.
        return f"\\begin{{{name}*}}{body}\\end{{{name}*}}"
    content = LAST_LINE_ENDS.sub("", body.rstrip())
    return _fitted(f"\\begin{{{_INNER[name]}}}{content}\n\\end{{{_INNER[name]}}}", tag)


def _fitted(formula: str, tag: str) -> str:
    """Return a formula in a display that makes it as small as it must be."""
    star = "" if tag else "*"
    room = r"\dltagged" if tag else r"\dlbare"
    return f"\\begin{{equation{star}}}{tag}\n{room}{{{formula}}}\n\\end{{equation{star}}}"


def braced_scripts(formula: str) -> str:
    r"""Put braces around scripts such as the one of ``x_\mathcal{B}``, which `unicode-math` takes for two things."""
    found = []
    at = 0
    for match in _SCRIPT.finditer(formula):
        if match.start() < at:
            continue
        end = match.end()
        for _ in range(2 if match[2] in _TWO_ARGUMENTS else 1):
            end = _after_argument(formula, end)
        script = f"\\{match[2]}{braced_scripts(formula[match.end() : end])}"
        found.append(f"{formula[at : match.start()]}{match[1]}{{{script}}}")
        at = end
    return "".join([*found, formula[at:]])


def _after_argument(formula: str, at: int) -> int:
    """Return the offset after the argument, and the optional one before it, that begins at `at`."""
    while formula[at : at + 1].isspace():
        at += 1
    if formula[at : at + 1] == "[":
        return _after_argument(formula, formula.find("]", at) + 1 or len(formula))
    depth = 0
    while at < len(formula):
        sign = formula[at]
        if sign == "\\":
            at += 2
            continue
        depth += {"{": 1, "}": -1}.get(sign, 0)
        at += 1
        if depth <= 0:
            return at
    return at
