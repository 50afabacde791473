"""Two edits of one text put together, block by block: a cell, a mark, a paragraph."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from d2lbuild.model import BlockKind
from d2lbuild.source.cells import FrameworkNames
from d2lbuild.source.markdown import cut_section

__all__ = ["merge"]

_SOMEWHERE = PurePosixPath("section.md")
Change = tuple[int, int, tuple[str, ...]]
"""Which blocks, and what comes in their place."""


def merge(base: str, one: str, other: str, names: FrameworkNames) -> str | None:
    """Return `base` with the changes of both; None if they change the same block in different ways."""
    old = list(_blocks(base, names))
    mine = _changes(old, list(_blocks(one, names)))
    theirs = _changes(old, list(_blocks(other, names)))
    if any(_clash(a, b) for a in mine for b in theirs):
        return None
    made, at = list[str](), 0
    for first, end, new in sorted({*mine, *theirs}):
        made += [*old[at:first], *new]
        at = end
    return "".join([*made, *old[at:]])


def _blocks(text: str, names: FrameworkNames) -> Iterator[str]:
    for block in cut_section(text, _SOMEWHERE, names).blocks:
        if block.kind is BlockKind.PROSE:
            yield from re.findall(r"(?:[^\n]*\S[^\n]*(?:\n|\Z))+(?:[^\S\n]*\n)*|(?:[^\S\n]*\n)+|[^\n]+\Z", block.text)
        else:
            yield block.text


def _changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(first, end, tuple(new[start:stop])) for kind, first, end, start, stop in codes if kind != "equal"]


def _clash(one: Change, other: Change) -> bool:
    if one == other:
        return False
    if one[0] == other[0]:
        return True  # also if both put something there
    first, second = sorted([one, other])
    return second[0] < first[1]
