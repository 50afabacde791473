"""Figures as something that can be compared: drawings as text, pictures as a few bits that say where they are dark."""

import base64
import binascii
import io
import re
from functools import cache
from typing import Any

__all__ = ["differing_pictures", "drawing_text"]

_SIDE = 16
"""Pictures are compared at so many by so many points."""
_MOST_BITS = 8
"""So many of them may differ, of 256: other edges of letters change a few."""
_METADATA = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>]*>", re.DOTALL)
_NAMES = re.compile(r"(?<=[\"#(])[a-zA-Z]?[0-9a-f]{8,}(?=[\")])")
"""What matplotlib calls markers and clipping paths, made up anew by each process."""


def drawing_text(svg: str) -> str:
    """Return an SVG file without what differs from run to run: dates, made-up names."""
    numbers: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return numbers.setdefault(match[0], f"name-{len(numbers)}-")

    text = _NAMES.sub(name, _METADATA.sub("", svg))
    # Letters and signs of paths stand next to their numbers.
    return re.sub(r"(?<=[A-Za-z,(])(?=[-\d.])|(?<=\d)(?=[A-Za-z,)])", " ", text)


def differing_pictures(before: str, after: str) -> bool:
    """Whether two pictures, in base64, look different; where they cannot be decoded, whether they are other files."""
    if before.strip() == after.strip():
        return False
    bits = [_bits(one) for one in (before, after)]
    if None in bits:
        return True
    one, other = (found for found in bits if found is not None)
    return one[0] != other[0] or (one[1] ^ other[1]).bit_count() > _MOST_BITS


@cache
def _imaging() -> Any:
    try:
        from PIL import Image  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return Image


def _bits(data: str) -> tuple[tuple[int, int], int] | None:
    """Return a picture's shape, roughly, and for each of its parts whether it is lighter than the one to its right."""
    imaging = _imaging()
    if imaging is None:
        return None
    try:
        picture = imaging.open(io.BytesIO(base64.b64decode(data)))
        width, height = picture.size
        small = picture.convert("RGB").convert("L").resize((_SIDE + 1, _SIDE))
    except (binascii.Error, OSError, ValueError):
        return None
    light = small.tobytes()
    bits = 0
    for row in range(_SIDE):
        for column in range(_SIDE):
            at = row * (_SIDE + 1) + column
            bits = bits << 1 | (light[at] > light[at + 1] + 2)
    return (round(width / 32), round(height / 32)), bits
