"""Python cells as concrete syntax trees, which give back the text with all its layout.

Apart from `code`, since LibCST takes a while to import and most stages do without it.
"""

from functools import lru_cache

import libcst as cst

from d2lbuild.edition.code import CodeError, masked_tree, unmask

__all__ = ["concrete", "text_of"]


@lru_cache(maxsize=256)
def concrete(source: str) -> cst.Module:
    """Return the concrete syntax tree of a cell, magics masked. Raises CodeError."""
    text, _ = masked_tree(source)
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, TypeError) as error:  # little that Python reads, such as `a if b else(lambda: c)`
        raise CodeError(f"LibCST cannot read it: {error}", 1) from None


def text_of(module: cst.Module) -> str:
    """Return the source of a concrete tree, magics put back."""
    return unmask(module.code)
