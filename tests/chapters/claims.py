"""What the text of our chapters says about outputs, as data that can be held against the executed notebooks."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.model import Output

__all__ = ["Claim", "read_claims", "text_of"]

FOLDER = Path(__file__).parent / "claims"
_KEYS = {"section", "framework", "text", "value", "pattern", "at_least", "at_most", "equals", "within"}


@dataclass(frozen=True)
class Claim:
    """A sentence of a section and the output that it speaks of."""

    section: str
    framework: str
    """One framework, or ``all``."""
    text: str
    """A piece of the section, word for word: a sentence that is rewritten must be looked at again."""
    value: str
    """What the number is, for messages."""
    pattern: str
    """Finds it in what the notebook prints; the number is the first group, and the last match counts."""
    at_least: float | None = None
    at_most: float | None = None
    equals: float | None = None
    within: float = 0.0

    def number(self, printed: str) -> float | None:
        """Return the number in what a notebook printed; None if it is not there."""
        found = re.findall(self.pattern, printed)
        return float(found[-1]) if found else None

    def holds(self, number: float) -> bool:
        """Whether a number is what the text says."""
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
            and (self.equals is None or abs(number - self.equals) <= self.within)
        )

    def __str__(self) -> str:
        return f"{self.section}, {self.framework}: {self.value}"


def read_claims() -> list[Claim]:
    """Return the claims of all chapters. Raises ValueError for one that claims nothing."""
    return [claim for path in sorted(FOLDER.glob("*.toml")) for claim in _claims_of(path)]


def _claims_of(path: Path) -> Iterator[Claim]:
    for table in tomllib.loads(path.read_text(encoding="utf-8"))["claim"]:
        if unknown := set(table) - _KEYS:
            raise ValueError(f"{path.name}: unknown keys {sorted(unknown)}")
        claim = Claim(**table)
        if {claim.at_least, claim.at_most, claim.equals} == {None}:
            raise ValueError(f"{path.name}: {claim} has no bound")
        yield claim


def text_of(outputs: Sequence[Sequence[Output]]) -> str:
    """Return all that a notebook printed or showed as text."""
    pieces = []
    for output in (output for cell in outputs for output in cell):
        text = output.get("text", output.get("data", {}).get("text/plain", ""))
        pieces.append(text if isinstance(text, str) else "".join(text))
    return "\n".join(pieces)
