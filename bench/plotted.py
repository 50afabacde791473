"""What the plots of the manual show, as plain values that `plots.py` draws."""

from collections.abc import Mapping
from typing import Any

from bench.bars import MUST
from bench.measuring import OURS
from bench.results import Result

_SPEED = {
    "check": "check",
    "library": "library",
    "html": "website",
    "kernels": "kernel",
    "execution": "running",
}
"""The works whose ratios are drawn, and what they are called there."""
_COPIES = {"the book": 1, "3 times the sections": 3, "10 times the sections": 10}


def plotted(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the values by the name of the plot; what was not measured has none."""
    found = {"speed": _speed(results), "growth": _growth(results), "scale": _scale(results)}
    return {name: value for name, value in found.items() if value}


def _speed(results: Mapping[str, Result]) -> list[tuple[str, str, float]]:
    """Return what each of the others takes as a multiple of d2lbuild: label, who, ratio."""
    bars = []
    for work, name in _SPEED.items():
        result = results.get(work)
        for row in result.rows if result else ():
            ratio = result.ratio(row.task, row.who) if result else None
            if ratio is not None and row.who not in (OURS, MUST) and row.unit == "s":
                bars.append((f"{name}: {row.task}", row.who, ratio))
    return bars


def _growth(results: Mapping[str, Result]) -> dict[str, list[tuple[float, float]]]:
    """Return lines of what a larger book takes: points of the number of copies, and seconds."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in results["growth"].rows if "growth" in results else ():
        size, _, what = row.task.partition(": ")
        if row.who == OURS and row.unit == "s" and row.value:
            lines.setdefault(what, []).append((_COPIES[size], row.value))
    return lines


def _scale(results: Mapping[str, Result]) -> dict[str, list[tuple[float, float]]]:
    """Return lines of what many notebooks take: points of their number, and seconds."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in results["scale"].rows if "scale" in results else ():
        size, _, what = row.task.partition(" notebooks: ")
        if row.unit == "s" and row.value:
            lines.setdefault(what, []).append((float(size.replace(",", "")), row.value))
    return lines
