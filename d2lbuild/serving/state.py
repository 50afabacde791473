"""What the preview knows of a book, as it goes from the process that builds to the server, and on to pages: JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from d2lbuild.errors import D2lbuildError
from d2lbuild.model import Finding

__all__ = ["BookState", "Problem", "Update", "problems_of"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding, with its place as pages and terminals show it."""

    place: str
    """File and line; empty if it has none."""
    severity: str
    message: str
    hint: str
    rule: str

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity}: {self.message}{hint} [{self.rule}]"


def problems_of(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """Return findings as pages show them."""
    return tuple(Problem(str(one.span or ""), one.severity.value, one.message, one.hint, one.rule) for one in findings)


@dataclass(frozen=True, slots=True)
class BookState:
    """How a book stands."""

    error: str = ""
    """Why it cannot be built; then the pages are those of the last time that it could."""
    hint: str = ""
    problems: tuple[Problem, ...] = ()
    stale: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By section and framework why the outputs of its code are missing: ``changed``, ``never`` or ``failed``."""

    @classmethod
    def of_error(cls, error: D2lbuildError) -> "BookState":
        """Return the state of a book that cannot be built."""
        return cls(error.message, error.hint, problems_of(error.findings))


@dataclass(frozen=True, slots=True)
class Update:
    """What came of looking at a book's files."""

    state: BookState
    files: tuple[str, ...]
    """The files of the book that have changed, below its folder."""
    changed: tuple[str, ...]
    """The files of the website that are not what they were."""
    quick: bool
    """Whether only one page was made; a build follows."""
    seconds: float
    edited: tuple[str, ...] = ()
    """Sections whose code has been changed."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)
