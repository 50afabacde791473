"""Drawings as readers of books take them: what browsers allow, and the rules of EPUB do not, is mended."""

import re

__all__ = ["mended_drawing"]

_DOCTYPE = re.compile(rb"<!DOCTYPE\s[^\[>]*(?P<own>\[[^\]]*\])?\s*>\s*")
"""The declaration of the kind of a document, which may define names of its own."""
_PATH = re.compile(rb"<path\b(?P<attributes>(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?P<end>\s*/?>)")
_HAS_DATA = re.compile(rb"\sd\s*=")


def mended_drawing(drawing: bytes) -> bytes:
    """Return a drawing that names no document elsewhere, and whose paths all say where they lead.

    Matplotlib draws blanks by paths that do not.
    """
    drawing = _DOCTYPE.sub(lambda match: b"<!DOCTYPE svg " + match["own"] + b">" if match["own"] else b"", drawing, 1)
    return _PATH.sub(lambda match: match[0] if _HAS_DATA.search(match["attributes"]) else _led(match), drawing)


def _led(match: re.Match[bytes]) -> bytes:
    return b"<path" + match["attributes"] + b' d="M0 0"' + match["end"]
