"""A page, which is what a reader sees of one section: its frameworks' cells and outputs, joined."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from d2lbuild.model import CellKind, ExecutionResult, Output, Section, Span

__all__ = ["Page", "PageCell"]


@dataclass(frozen=True, slots=True)
class PageCell:
    """A cell of a page: prose or code for some or all of the page's frameworks."""

    id: str
    """Unique on the page: the cell's id, followed by the framework where the frameworks' versions differ."""
    kind: CellKind
    source: str
    span: Span
    lines: tuple[int, ...]
    frameworks: tuple[str, ...]
    """The frameworks of this page that see it, in the book's order."""
    everywhere: bool
    """Whether that is all frameworks of the page, so that it stands outside of any tab."""
    tags: frozenset[str] = frozenset()
    outputs: tuple[Output, ...] = ()
    indent: int = 0
    notice: str = ""
    """What a reader should know before this code: that none of it ran, or that the run ended here."""


@dataclass(frozen=True, slots=True)
class Page:
    """One section as a reader meets it, in one framework or several."""

    section: Section
    frameworks: tuple[str, ...]
    cells: tuple[PageCell, ...]
    results: Mapping[str, ExecutionResult] = field(default_factory=dict)
    """By framework; empty where no outputs are known."""
    outdated: Mapping[str, str] = field(default_factory=dict)
    """By framework what to say of outputs that were made in another environment than the present one."""

    @property
    def coded(self) -> tuple[str, ...]:
        """The frameworks that see code on this page."""
        seen = {name for cell in self.cells if cell.kind is CellKind.CODE for name in cell.frameworks}
        return tuple(name for name in self.frameworks if name in seen)
