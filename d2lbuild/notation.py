"""How sizes of memory and exact packages are written, in chapters, in the configuration and in messages."""

import re

__all__ = ["is_exact", "parse_size", "show_size"]

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<prefix>[kmgt])(?P<unit>i?b)?", re.IGNORECASE)
_PREFIXES = "kmgt"


def parse_size(text: str) -> int | None:
    """Return the bytes that a size means, or None if it is none.

    ``500MB`` counts in thousands; ``4GiB``, and ``2G`` as memory is usually meant, in powers of 1024. A number without
    a unit is no size: nobody can tell what it counts.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    factor = 1000 if (match["unit"] or "").lower() == "b" else 1024
    return int(float(match["number"]) * factor ** (_PREFIXES.index(match["prefix"].lower()) + 1))


def show_size(size: int) -> str:
    """Return a size for people: ``4 GiB``, ``1.5 GiB``, ``300 MiB``."""
    number, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number < 1024:
            break
        number, unit = number / 1024, larger
    return f"{number:.4g} {unit}" if number < 10 else f"{number:.0f} {unit}"


def is_exact(requirement: str) -> bool:
    """Whether a requirement names one version of one package: ``networkx==3.3``, without conditions."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - slow to import

    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        return False
    if parsed.url or parsed.marker or len(parsed.specifier) != 1:
        return False
    (only,) = parsed.specifier
    return only.operator == "==" and not only.version.endswith("*")
