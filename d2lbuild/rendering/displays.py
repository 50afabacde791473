"""Displays as books write them for MathJax: which bring an environment for their lines, and which need one."""

import re

__all__ = ["LAST_LINE_ENDS", "OWN_LINES", "has_open_lines", "two_columns"]

OWN_LINES = re.compile(r"\\begin\{(align|alignat|flalign|eqnarray|gather|multline|equation)(\*?)\}")
"""The beginning of an environment that is a display by itself."""
LAST_LINE_ENDS = re.compile(r"\s*(?:\\\\\s*)+\Z")
"""Ends of lines that no line follows."""


def has_open_lines(formula: str) -> bool:
    """Whether a formula has ends of lines outside of environments, so that something has to hold its lines."""
    depth = 0
    for token in re.finditer(r"\\begin\b|\\end\b|\\\\", formula):
        if token[0] == r"\\" and depth == 0:
            return True
        depth += {r"\begin": 1, r"\end": -1}.get(token[0], 0)
    return False


def two_columns(body: str) -> str:
    """Join the relation of an `eqnarray` with what follows it: other environments have two columns, not three."""
    return r"\\".join("&".join(row.split("&", 2)[:2]) + "".join(row.split("&", 2)[2:]) for row in body.split(r"\\"))
