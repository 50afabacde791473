"""What earlier builds know of each page: what reading it gave, and under which conditions its HTML was written.

Both are kept with a key made of all that they depend on, and serve only while that key is the same.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from d2lbuild.files import write_atomically
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.sources.page_notebook import LinePositions
from d2lbuild.rendering.sphinx_warnings import PlacedWarning

__all__ = ["FileFacts", "PageStore", "ReadPage", "SourcePage", "WrittenPage", "facts_of"]

T = TypeVar("T")
FileFacts = tuple[int, int, int]


def facts_of(path: Path) -> FileFacts | None:
    """Return what tells that a file is as it was left; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


@dataclass(frozen=True)
class SourcePage:
    """What making the notebook of one page gave, beside its file."""

    key: str
    notebook: str
    """A digest of the file."""
    files: tuple[str, ...]
    """What the page shows or links, below the book's folder."""
    positions: LinePositions
    notebooks: Mapping[str, FileFacts | None]
    """What readers can download, below the site."""
    figures: tuple[str, ...]
    """What these show, below the book's folder."""


@dataclass(frozen=True)
class ReadPage:
    """What reading one page gave."""

    key: str
    dependencies: Mapping[str, str]
    """Files that it took in, with digests of their contents."""
    known: bytes
    """What it adds to Sphinx's environment, pickled."""
    pages: str
    """A digest of all pages' names, if it has a table of contents: that leaves out pages that are not there."""
    facts: str
    """A digest of that part of it which other pages may show."""
    cited: tuple[str, ...]
    """The keys of the works that it cites, in order."""
    lists_works: bool
    """Whether it holds a bibliography."""
    images: tuple[str, ...]
    skeleton: bytes
    """Its sections, numbered things and tables of contents, pickled: all that numbers depend on."""
    numbered: str
    """A digest of that, without where its lines are."""
    warnings: tuple[PlacedWarning, ...]

    def current(self, key: str, pages: str) -> bool:
        """Whether reading it again would give the same."""
        if self.key != key or self.pages not in {"", pages}:
            return False
        return all(digest_of_file(Path(path)) == one for path, one in self.dependencies.items())


@dataclass(frozen=True)
class WrittenPage:
    """What writing one page gave, beside its file."""

    key: str
    file: FileFacts | None
    images: Mapping[str, str]
    """The images that it shows, with their names in the site."""
    search: Any
    """What the search index says of it."""
    warnings: tuple[PlacedWarning, ...]


class PageStore:
    """A folder with three files a page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def source(self, page: str) -> SourcePage | None:
        """Return what making a page's notebook gave the last time."""
        return _first(self._file(page, "source"), SourcePage)

    def keep_source(self, page: str, found: SourcePage) -> None:
        """Remember what making a page's notebook gave."""
        write_atomically(self._file(page, "source"), pickle.dumps(found))

    def read(self, page: str) -> ReadPage | None:
        """Return what reading a page gave the last time."""
        return _first(self._file(page, "read"), ReadPage)

    def doctree(self, page: str) -> bytes:
        """Return the page's document, pickled."""
        with self._file(page, "read").open("rb") as file:
            pickle.load(file)  # noqa: S301 - our own file
            return file.read()

    def keep_read(self, page: str, found: ReadPage, doctree: bytes) -> None:
        """Remember what reading a page gave, together with its document."""
        write_atomically(self._file(page, "read"), pickle.dumps(found) + doctree)

    def written(self, page: str) -> WrittenPage | None:
        """Return what writing a page gave the last time."""
        return _first(self._file(page, "written"), WrittenPage)

    def keep_written(self, page: str, found: WrittenPage) -> None:
        """Remember what writing a page gave."""
        write_atomically(self._file(page, "written"), pickle.dumps(found))

    def remove_others(self, pages: frozenset[str]) -> None:
        """Forget pages that are gone."""
        wanted = {self._file(page, kind) for page in pages for kind in ("source", "read", "written")}
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()

    def _file(self, page: str, kind: str) -> Path:
        return self.folder / f"{page}.{kind}"


def _first(path: Path, kind: type[T]) -> T | None:
    """Return what a file begins with; None if it is not there, or of another version of this program."""
    try:
        with path.open("rb") as file:
            found = pickle.load(file)  # noqa: S301 - our own file
    except Exception:
        return None
    return found if isinstance(found, kind) else None
