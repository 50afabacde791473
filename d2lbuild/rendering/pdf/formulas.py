"""Formulas as books write them for MathJax, in the form that LaTeX with `unicode-math` takes. Pure functions."""

import re

__all__ = ["braced_scripts", "display", "inline"]

_OWN_LINES = re.compile(r"\\begin\{(align|alignat|flalign|eqnarray|gather|multline|equation)(\*?)\}")
_INNER = {"align": "aligned", "flalign": "aligned", "alignat": "alignedat", "gather": "gathered"}
"""What stands for an environment of lines inside of a display that has one number."""
_SCRIPT = re.compile(
    r"([_^])\s*\\((?:math|text)[a-z]*|operatorname\*?|boldsymbol|bm|hat|widehat|tilde|widetilde|bar|vec|dot|ddot"
    r"|overline|underline|sqrt|mbox|hbox|frac|dfrac|tfrac|binom)(?=\s*[{\[])"
)
_TWO_ARGUMENTS = {"frac", "dfrac", "tfrac", "binom"}
_NO_LINE_END = re.compile(r"(?:\\\\\s*)+\Z")


def inline(text: str) -> str:
    """Return a formula for running text."""
    return rf"\({braced_scripts(' '.join(text.split()))}\)"


def display(text: str, number: str = "", label: str = "") -> str:
    """Return a display; `number` is the one that the book has given it, and `label` the target of its references."""
    lines = [line for line in text.splitlines() if line.strip()]
    formula = braced_scripts("\n".join(lines).strip())
    tag = rf"\tag{{{number}}}" if number else ""
    target = rf"\label{{{label}}}" if label else ""
    match = _OWN_LINES.match(formula)
    if match is None:
        star = "" if number else "*"
        formula = _NO_LINE_END.sub("", formula)
        inner = rf"\begin{{split}}{formula}\end{{split}}" if r"\\" in formula and not _is_one(formula) else formula
        return f"\\begin{{equation{star}}}{tag}{target}\n{inner}\n\\end{{equation{star}}}"
    name, body = match[1], formula[match.end() :].rsplit(rf"\end{{{match[1]}{match[2]}}}", 1)
    if not number:
        # MathJax numbers nothing by itself; LaTeX would.
        name = "align" if name == "eqnarray" else name
        return f"\\begin{{{name}*}}{_columns(match[1], body[0])}\\end{{{name}*}}"
    if name == "equation":
        return f"\\begin{{equation}}{tag}{target}\n{body[0].strip()}\n\\end{{equation}}"
    if name == "multline":
        return f"\\begin{{multline}}{tag}{target}{body[0]}\\end{{multline}}"
    inner = _INNER.get(name, "aligned")
    content = _NO_LINE_END.sub("", _columns(name, body[0]).rstrip())
    return f"\\begin{{equation}}{tag}{target}\n\\begin{{{inner}}}{content}\n\\end{{{inner}}}\n\\end{{equation}}"


def _is_one(formula: str) -> bool:
    """Whether all line ends of a formula are inside of environments, so that nothing has to hold its lines."""
    depth = 0
    for token in re.finditer(r"\\begin\b|\\end\b|\\\\", formula):
        if token[0] == r"\\" and depth == 0:
            return False
        depth += {r"\begin": 1, r"\end": -1}.get(token[0], 0)
    return True


def _columns(name: str, body: str) -> str:
    """Join the relation of an `eqnarray` with what follows it: other environments have two columns, not three."""
    return re.sub(r"&([^&\\]*)&", r"&\1", body) if name == "eqnarray" else body


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
        found.append(
            f"{formula[at : match.start()]}{match[1]}{{\\{match[2]}{braced_scripts(formula[match.end() : end])}}}"
        )
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
