"""What a runner needs to know to run one notebook, here or on another machine: picklable, without the prose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["CodeCell", "ExecutionRequest"]

EXECUTION_TAGS = frozenset({"raises-exception", "skip-execution"})
"""The Jupyter tags that change what running a cell does."""


@dataclass(frozen=True, slots=True)
class CodeCell:
    """An executable cell."""

    source: str
    tags: frozenset[str] = frozenset()

    @property
    def execution_tags(self) -> frozenset[str]:
        """Those of its tags that change what running it does."""
        return self.tags & EXECUTION_TAGS


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """One notebook to run."""

    section: str
    """The section's id."""
    framework: str
    cells: tuple[CodeCell, ...]
    python: Path
    """The environment's interpreter."""
    library: Path
    """The folder that holds the generated package; it comes first on the kernel's path."""
    folder: Path
    """The kernel's working folder."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables; they win over those that the backend sets."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What the result says it ran with."""
    timeout: float = 600.0
    """Seconds for the whole notebook."""
    startup_timeout: float = 120.0
    """Seconds until the kernel answers."""
    max_output: int = 1_000_000
    """Characters of text that one cell may print."""
    key: str = ""
    """The result's key in the cache."""
