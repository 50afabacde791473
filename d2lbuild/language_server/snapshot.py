"""The book at one moment, with what editors hold unsaved: what the answers to an editor are made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from d2lbuild.checking.ignores import settled
from d2lbuild.config import Config
from d2lbuild.edition.alias_definitions import alias_names
from d2lbuild.edition.edition import Edition, make_edition
from d2lbuild.edition.library_checks import joined
from d2lbuild.edition.select import has_page, select
from d2lbuild.model import Book, Finding, Section, Span
from d2lbuild.source.book import load_book
from d2lbuild.source.ignores import find_ignores
from d2lbuild.source.kept import KeptSections
from d2lbuild.source.markdown import unparse
from d2lbuild.source.prose import split_lines
from d2lbuild.source.works import Work

__all__ = ["Saved", "Snapshot", "editions_of", "saved_names", "take"]


@dataclass(frozen=True, slots=True)
class Saved:
    """A name of the generated library, in one framework."""

    framework: str
    code: str
    """Empty for a name that is an alias."""
    span: Span | None


@dataclass(frozen=True)
class Snapshot:
    """A book that was read, with everything that can be asked of it."""

    config: Config
    book: Book
    saved: Mapping[str, Sequence[Saved]] = field(default_factory=dict)
    """The names of the libraries, each as the frameworks have it."""
    works: Mapping[str, Work] = field(default_factory=dict)

    @cached_property
    def by_path(self) -> Mapping[PurePosixPath, Section]:
        """The sections by their files."""
        return {section.path: section for section in self.book.sections.values()}

    def lines(self, section: Section) -> list[str]:
        """Return the lines of a section's file, without what ends them."""
        return [line.rstrip("\r\n") for line in split_lines(unparse(section))]

    def file(self, path: PurePosixPath) -> Path:
        """Return a file of the book."""
        return self.config.root / path

    def findings(self, section: Section) -> Iterator[Finding]:
        """Yield what is wrong with a section, as far as neither other code nor the library decides about it."""
        found = [one for one in self.book.findings if one.span and one.span.path == section.path]
        names = [one.name for one in self.config.frameworks]
        of_code = {
            one.name: select(section, one.name, names, comment="" if one.is_python else one.comment).findings
            for one in self.config.frameworks
            if has_page(section, one.name)
        }
        ignores = tuple(find_ignores(section))
        yield from settled(self.config, [*found, *joined(of_code)], ignores, names=False, whole=False)


def take(config: Config, kept: KeptSections, unsaved: Mapping[PurePosixPath, str], before: Snapshot | None) -> Snapshot:
    """Read the book: what `before` knew of libraries and works stays. Raises BookError if there is no first section."""
    book = load_book(config, kept, unsaved)
    return Snapshot(config, book, before.saved if before else {}, before.works if before else {})


# --- what takes longer ---


def editions_of(snapshot: Snapshot, kept: KeptSections) -> dict[str, Edition]:
    """Return the book for each of its frameworks."""
    sections = tuple(snapshot.book.sections.values())
    return {one.name: make_edition(snapshot.config, sections, one.name, kept) for one in snapshot.config.frameworks}


def saved_names(editions: Mapping[str, Edition]) -> dict[str, list[Saved]]:
    """Return the names of the libraries."""
    found: dict[str, list[Saved]] = {}
    for framework, edition in editions.items():
        for block in edition.library.blocks:
            for name in block.names:
                found.setdefault(name, []).append(Saved(framework, block.code, block.span))
        for name in alias_names(edition.framework.aliases):
            if all(one.framework != framework for one in found.get(name, ())):
                found.setdefault(name, []).append(Saved(framework, "", None))
    return found
