"""A section cut into parts that are translated as one, and what has become of them in another state of the section."""

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from d2lbuild.model import Block, BlockKind, Frameworks, Section
from d2lbuild.source.fences import find_fences
from d2lbuild.source.prose import split_lines

__all__ = ["Change", "ChangeKind", "Part", "changes_between", "changes_within", "lines_near", "parts_of"]

_ALIKE = 0.4
"""Two parts that share so much of their words are one that was changed."""
_MANY = 40_000
"""So many pairs of parts are not compared word by word."""


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, a formula, a table, a cell: a run of lines of one file."""

    kind: BlockKind
    text: str
    first: int
    last: int
    frameworks: Frameworks = None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it this part: in prose, line breaks do not count."""
        text = self.text if self.kind is BlockKind.CODE else " ".join(self.text.split())
        return self.kind, self.frameworks, text

    @property
    def form(self) -> tuple[object, ...]:
        """What it is in any language."""
        if self.kind is not BlockKind.PROSE:
            return (self.kind,)
        start = self.text.lstrip()
        if start.startswith("$$"):
            return self.kind, " ".join(self.text.split())
        mark = start[: len(start) - len(start.lstrip("#!-*|:>`0123456789"))]
        return self.kind, mark[:4]


class ChangeKind(enum.Enum):
    """What became of a part."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """A part that is not what it was."""

    kind: ChangeKind
    before: Part | None
    after: Part | None
    number: int
    """The number of the part before, or of the one that it was added in front of."""


def parts_of(section: Section, frameworks: frozenset[str]) -> tuple[Part, ...]:
    """Cut a section into parts; what none of the `frameworks` sees, and empty lines, belong to none."""
    return tuple(part for block in section.blocks for part in _parts_of_block(block, frameworks))


def _parts_of_block(block: Block, frameworks: frozenset[str]) -> Iterator[Part]:
    seen = None if block.frameworks is None else block.frameworks & frameworks
    if block.kind in (BlockKind.MARK, BlockKind.FURNITURE) or seen == frozenset():
        return
    if block.kind is BlockKind.PROSE:
        yield from (replace(part, frameworks=seen) for part in _paragraphs(block))
    elif block.kind is BlockKind.CODE:
        # How a cell is marked for its frameworks says nothing else.
        text = "\n".join(line.rstrip() for line in block.content.split("\n")).strip("\n")
        yield Part(block.kind, text, block.span.first, block.span.last, frameworks if seen is None else seen)
    else:
        yield Part(block.kind, block.text.strip(), block.span.first, block.span.last, seen)


def _paragraphs(block: Block) -> Iterator[Part]:
    """Cut prose at empty lines, but not within formulas and listings."""
    lines = split_lines(block.text)
    fences = find_fences(lines)
    start: int | None = None
    until, formula = 0, False
    for number, line in enumerate([*lines, ""]):
        if number in fences and number >= until:
            until = fences[number].end
        within = number < until or formula
        if (not within and line.count("$$") % 2) or (formula and line.count("$$") % 2):
            formula = not formula
        if line.strip() and start is None:
            start = number
        at_end = number == len(lines)
        if start is not None and (at_end or (not line.strip() and not within)):
            text = "\n".join(one.rstrip() for one in lines[start:number]).rstrip()
            last = start + text.count("\n")
            yield Part(block.kind, text, block.span.first + start, block.span.first + last, block.frameworks)
            start = None


# --- what has become of them ---


def changes_between(before: Sequence[Part], after: Sequence[Part]) -> tuple[Change, ...]:
    """Return what was changed, added and removed, in order."""
    matcher = SequenceMatcher(None, [part.key for part in before], [part.key for part in after], autojunk=False)
    found: list[Change] = []
    for tag, low, high, start, end in matcher.get_opcodes():
        if tag != "equal":
            found += changes_within(before[low:high], after[start:end], low)
    return tuple(found)


def changes_within(before: Sequence[Part], after: Sequence[Part], first: int) -> Iterator[Change]:
    """Yield the changes of a stretch that is another one now."""
    at = done = 0
    for one, other in [*_pairs(before, after), (len(before), len(after))]:
        yield from (Change(ChangeKind.REMOVED, before[n], None, first + n) for n in range(at, one))
        yield from (Change(ChangeKind.ADDED, None, after[n], first + one) for n in range(done, other))
        if one < len(before):
            yield Change(ChangeKind.CHANGED, before[one], after[other], first + one)
        at, done = one + 1, other + 1


def _pairs(before: Sequence[Part], after: Sequence[Part]) -> list[tuple[int, int]]:
    """Return which parts are the same but for some words: as much as possible of the text, in order."""
    if len(before) * len(after) > _MANY:
        pairs = zip(range(len(before)), range(len(after)), strict=False)
        return [(one, other) for one, other in pairs if before[one].kind is after[other].kind]
    words = [[Counter(part.text.split()) for part in parts] for parts in (before, after)]

    def alike(one: int, other: int) -> float:
        if before[one].kind is not after[other].kind:
            return 0
        common = (words[0][one] & words[1][other]).total()
        share = 2 * common / max(words[0][one].total() + words[1][other].total(), 1)
        if before[one].frameworks != after[other].frameworks:
            share /= 2
        return share if share >= _ALIKE else 0

    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    likeness = [[alike(one, other) for other in range(len(after))] for one in range(len(before))]
    for one in reversed(range(len(before))):
        for other in reversed(range(len(after))):
            paired = likeness[one][other] and likeness[one][other] + best[one + 1][other + 1]
            best[one][other] = max(best[one + 1][other], best[one][other + 1], paired)
    found = []
    one = other = 0
    while one < len(before) and other < len(after):
        value = best[one][other]
        if likeness[one][other] and value == likeness[one][other] + best[one + 1][other + 1]:
            found.append((one, other))
            one, other = one + 1, other + 1
        elif value == best[one + 1][other]:
            one += 1
        else:
            other += 1
    return found


# --- where the translation has them ---


def lines_near(
    changes: Sequence[Change], before: Sequence[Part], translation: Sequence[Part]
) -> tuple[int | None, ...]:
    """Return for each change a line of the translation: parts are found by their form and the formulas in order."""
    matcher = SequenceMatcher(None, [part.form for part in before], [part.form for part in translation], autojunk=False)
    places = {
        one + step: translation[other + step].first
        for one, other, size in matcher.get_matching_blocks()
        for step in range(size)
    }
    return tuple(places.get(change.number) for change in changes)
