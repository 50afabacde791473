"""What renderers are given beside the pages, and what they give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from d2lbuild.config.types import Config
from d2lbuild.edition.library import Library
from d2lbuild.model import Book, Finding
from d2lbuild.rendering.references.works_ahead import Works, no_works

if TYPE_CHECKING:
    from d2lbuild.rendering.website.resident import ResidentSite

__all__ = ["RenderContext", "RenderResult"]


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What the renderers need to know beside the pages."""

    config: Config
    book: Book
    frameworks: tuple[str, ...]
    """The edition's frameworks, in the book's order."""
    output: Path
    """The folder that the renderer writes."""
    modules: Mapping[str, Path] = field(default_factory=dict)
    """The generated library modules, by framework."""
    libraries: Mapping[str, Library] = field(default_factory=dict)
    """The same as values, for the API reference."""
    jobs: int = 1
    observer: Callable[[str, int, int], None] = _silent
    """Is told the stage, how many pages are done, and of how many."""
    works: Works = no_works
    """Gives what was formatted of the bibliography while the book was read."""
    fast: bool = True
    """Whether Sphinx is made faster; if not, it makes the whole website anew, as it comes."""
    resident: "ResidentSite | None" = None
    """Where Sphinx stays ready when a website is made, to write single pages again."""

    @property
    def work(self) -> Path:
        """The folder beside the output, for what the next build can use again."""
        return self.output.parent / f"{self.output.name}-work"


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A finished output."""

    path: Path
    """The file to open: a site's first page, a book."""
    findings: tuple[Finding, ...]
    """What is wrong with the book."""
