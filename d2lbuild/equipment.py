"""What a machine has and lacks for a piece of work: a value for each thing, made by the module that knows about it."""

from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version

__all__ = ["Item", "State", "installed_version"]


class State(Enum):
    """Whether something is there."""

    THERE = "ok"
    MISSING = "missing"
    NOTE = "note"
    """Not there or not as it could be, but the work can be done."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing, or several of one kind that a single command brings."""

    name: str
    state: State
    detail: str = ""
    """Of what is there: versions, names. Of the rest: what is wrong."""
    lacks: tuple[str, ...] = ()
    """What is missing, by name."""
    mend: str = ""
    """The command that mends it, or in words what does."""


def installed_version(distribution: str) -> str:
    """Return the version of a package; empty if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
