"""Two outputs of one cell, compared as a reader would: numbers within a tolerance, text without what changes each time.

Times, addresses in memory and temporary files differ from run to run and say nothing. Figures are compared as drawings
(SVG: the same shapes at about the same places) or as pictures (PNG: about the same light and dark).
"""

import base64
import enum
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from d2lbuild.comparison.figures import differing_pictures, drawing_text
from d2lbuild.model import Output

__all__ = ["Difference", "Kind", "compare_outputs"]


class Kind(enum.Enum):
    """In what two outputs differ."""

    NUMBERS = "numbers"
    TEXT = "text"
    FIGURE = "figure"
    ERROR = "error"
    """One of them raised, or both something else."""
    COUNT = "number of outputs"


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between the outputs of one cell."""

    kind: Kind
    before: str
    """What a reader saw; of a figure nothing."""
    after: str
    change: float = 0.0
    """The greatest relative change of a number."""
    pictures: tuple[str, str] = ("", "")
    """Of figures, as addresses that hold them; empty where there is none."""


_MASKS = (
    (re.compile(r"0x[0-9a-fA-F]{6,}"), "0x…"),
    (re.compile(r"/tmp/[\w./-]+|/var/folders/[\w./-]+"), "/tmp/…"),  # noqa: S108 - looked for, never opened
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (
        re.compile(r"\b\d+(?:\.\d+)?\s*(?:ns|µs|us|ms|sec|seconds?|s|min|minutes?|h)\b(?:\s*±\s*[\d.]+\s*\w+)?"),
        "<duration>",
    ),
    (re.compile(r"\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\s*(?:\w+/s(?:ec)?|it/s)\b"), "<speed>"),
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])|\b(?:nan|inf)\b")
_SPACES = re.compile(r"[ \t]+")
_TEXTS = ("text/html", "text/markdown", "text/latex", "text/plain")
_DRAWING = "image/svg+xml"
_FIGURES = (_DRAWING, "image/png", "image/jpeg")
_OF_DRAWINGS = 0.01
"""Places in a drawing may differ by this much of their size: nobody sees it."""


def compare_outputs(before: Sequence[Output], after: Sequence[Output], tolerance: float) -> list[Difference]:
    """Return in what the outputs of a cell differ; numbers may differ by `tolerance` of their size."""
    one, other = list(_joined(before)), list(_joined(after))
    if len(one) != len(other):
        return [Difference(Kind.COUNT, _all_words(one), _all_words(other))]
    return [found for pair in zip(one, other, strict=True) if (found := _compare(*pair, tolerance))]


def _joined(outputs: Sequence[Output]) -> Iterator[Output]:
    """Yield outputs, a stream as one: in how many pieces it comes is chance. What goes to stderr is no result."""
    text = ""
    for output in outputs:
        if output["output_type"] == "stream":
            text += "".join(output["text"]) if output.get("name") == "stdout" else ""
            continue
        if text:
            yield {"output_type": "stream", "name": "stdout", "text": text}
            text = ""
        yield output
    if text:
        yield {"output_type": "stream", "name": "stdout", "text": text}


def _compare(before: Output, after: Output, tolerance: float) -> Difference | None:
    if "error" in (before["output_type"], after["output_type"]):
        one, other = _raised(before), _raised(after)
        return None if _masked(one) == _masked(other) else Difference(Kind.ERROR, one, other)
    figures = [
        next(((form, _datum(one, form)) for form in _FIGURES if _datum(one, form)), ("", "")) for one in (before, after)
    ]
    if any(data for _, data in figures):
        change = _figures_change(figures, tolerance)
        return (
            None
            if change is None
            else Difference(Kind.FIGURE, "", "", change, (_address(*figures[0]), _address(*figures[1])))
        )
    return _compare_text(words(before), words(after), tolerance)


def _figures_change(figures: Sequence[tuple[str, str]], tolerance: float) -> float | None:
    """Return by how much the places in two drawings differ, 0 where that is no number; None if they look the same."""
    (one, before), (other, after) = figures
    if one != other:
        return 0.0
    if one == _DRAWING:
        found = _compare_text(drawing_text(before), drawing_text(after), max(tolerance, _OF_DRAWINGS))
        return found.change if found else None
    return 0.0 if differing_pictures(before, after) else None


def _address(form: str, data: str) -> str:
    if not data:
        return ""
    coded = base64.b64encode(data.encode()).decode() if form == _DRAWING else "".join(data.split())
    return f"data:{form};base64,{coded}"


def _raised(output: Output) -> str:
    """Return the error that an output is, or what it says instead."""
    is_error = output["output_type"] == "error"
    return f"{output.get('ename', '')}: {output.get('evalue', '')}" if is_error else words(output)


def _compare_text(before: str, after: str, tolerance: float) -> Difference | None:
    one, other = _masked(before), _masked(after)
    if one == other:
        return None
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return Difference(Kind.TEXT, before, after)
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    change = max((_change(float(a), float(b)) for a, b in pairs), default=0.0)
    return Difference(Kind.NUMBERS, before, after, change) if change > tolerance else None


def _change(before: float, after: float) -> float:
    """Return by how much of its size a number has changed; numbers near 0 are compared as they are."""
    if before == after or (math.isnan(before) and math.isnan(after)):
        return 0.0
    if not (math.isfinite(before) and math.isfinite(after)):
        return math.inf
    return abs(before - after) / max(abs(before), abs(after), 1e-6)


def _masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return "\n".join(_SPACES.sub(" ", line).strip() for line in text.strip().split("\n"))


def words(output: Output) -> str:
    """Return what an output says in text; of tables their HTML without tags."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    for form in reversed(_TEXTS):
        if text := _datum(output, form):
            return re.sub(r"<[^>]+>", " ", text) if form == "text/html" else text
    return ""


def _datum(output: Output, form: str) -> str:
    return "".join(output.get("data", {}).get(form, ""))


def _all_words(outputs: Sequence[Output]) -> str:
    return "\n".join(words(one) or "(a figure)" for one in outputs)
