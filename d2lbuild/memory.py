"""What a process keeps that builds the same book again and again: the last book, its editions, its website."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from d2lbuild.edition.edition import Edition
from d2lbuild.model import Book, ExecutionResult

if TYPE_CHECKING:
    from d2lbuild.rendering.website.resident import ResidentSite

__all__ = ["Memory"]

Results = Mapping[tuple[str, str], ExecutionResult]


@dataclass
class Memory:
    """Is handed to each build, which leaves in it what it has made."""

    site: "ResidentSite"
    book: Book | None = None
    """As it is shown."""
    built: Book | None = None
    """As it was at the last build."""
    editions: Mapping[str, Edition] = field(default_factory=dict)
    shown: Results = field(default_factory=dict)
    """The results that pages show, by section and framework."""
    notices: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What pages say of results that were made in another environment."""

    def hold(
        self, book: Book, editions: Mapping[str, Edition], shown: Results, notices: Mapping[tuple[str, str], str]
    ) -> None:
        """Remember what a build has made."""
        self.book, self.built, self.editions, self.shown, self.notices = book, book, editions, shown, notices
