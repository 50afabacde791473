"""Which cells of a saved notebook are which of the one that was opened, and which of them have moved."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d2lbuild.editing.notebook import KEY, Json

__all__ = ["Match", "matched"]


@dataclass(frozen=True, slots=True)
class Match:
    """What a cell was when the notebook was opened."""

    cell: Json
    stays: bool
    """Whether it still stands between the same cells; else it was moved."""


def matched(before: Sequence[Json], after: Sequence[Json]) -> list[Match | None]:
    """Return for each cell of `after` the one of `before` that it is, or None for a new one.

    Cells are known by their ids. A program that gives them new ones leaves what we have written into their metadata.
    """
    found: list[int | None] = [None] * len(after)
    taken = set[int]()
    for name in (_id, _name):
        places = {name(cell): number for number, cell in reversed(list(enumerate(before))) if number not in taken}
        for number, cell in enumerate(after):
            place = places.get(name(cell)) if found[number] is None and name(cell) else None
            if place is not None and place not in taken and before[place]["cell_type"] == cell["cell_type"]:
                found[number] = place
                taken.add(place)
    staying = _longest_rising([place for place in found if place is not None])
    return [None if place is None else Match(before[place], place in staying) for place in found]


def _id(cell: Mapping[str, Any]) -> str:
    return str(cell.get("id", ""))


def _name(cell: Mapping[str, Any]) -> str:
    return str(cell.get("metadata", {}).get(KEY, {}).get("cell", ""))


def _longest_rising(places: Sequence[int]) -> set[int]:
    """Return the most numbers that are in rising order: all others have moved."""
    tails: list[int] = []
    lasts: list[int] = []
    previous: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(tails, place)
        previous[place] = lasts[at - 1] if at else None
        if at == len(tails):
            tails.append(place)
            lasts.append(place)
        else:
            tails[at] = lasts[at] = place
    chain = set[int]()
    last = lasts[-1] if lasts else None
    while last is not None:
        chain.add(last)
        last = previous[last]
    return chain
