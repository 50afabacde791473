"""What XeLaTeX says in its log: errors and boxes that are too wide, by the lines of its input; missing characters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Complaint", "complaints", "missing_characters"]

_ERROR = re.compile(r"^(?P<file>[^\s:]+\.(?:tex|sty|cls|toc|aux|out)):(?P<line>\d+): (?P<what>.*)$")
_BARE_ERROR = re.compile(r"^! (?P<what>.*)$")
_LINE = re.compile(r"^l\.(?P<line>\d+) (?P<text>.*)$")
_OVERFULL = re.compile(
    r"^Overfull \\hbox \((?P<points>[\d.]+)pt too wide\) (?:in paragraph|in alignment|detected) at lines? (?P<line>\d+)"
)
_MISSING = re.compile(r"^Missing character: There is no (?P<character>\S+)")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong."""

    line: int
    """Of the input; 0 if the log does not say."""
    what: str
    points: float = 0.0
    """By how much a box is too wide; 0 for errors."""
    excerpt: str = ""


def complaints(log: str, file: str) -> Iterator[Complaint]:
    """Yield the errors of a run, and the boxes that are too wide; lines count for the input `file`."""
    lines = log.split("\n")
    for at, line in enumerate(lines):
        if match := _ERROR.match(line):
            if match["what"].lstrip().startswith("==> Fatal error"):
                continue
            own = match["file"].removeprefix("./") == file
            yield Complaint(int(match["line"]) if own else 0, match["what"].strip(), excerpt=_excerpt(lines, at))
        elif match := _BARE_ERROR.match(line):
            place = next((_LINE.match(one) for one in lines[at : at + 12] if _LINE.match(one)), None)
            yield Complaint(int(place["line"]) if place else 0, match["what"].strip(), excerpt=_excerpt(lines, at))
        elif match := _OVERFULL.match(line):
            yield Complaint(int(match["line"]), "this is too wide for the page", float(match["points"]))


def _excerpt(lines: list[str], at: int) -> str:
    """Return what LaTeX had read when it complained."""
    for line in lines[at + 1 : at + 12]:
        if match := _LINE.match(line):
            return " ".join(match["text"].split())[-80:]
    return ""


def missing_characters(log: str) -> list[str]:
    """Return the characters that a font lacked, each once."""
    return list(dict.fromkeys(match["character"] for line in log.split("\n") if (match := _MISSING.match(line))))
