"""Sections as they were read before: a file for each, which serves as long as all that it was made from is the same.

A section's cells for each framework are kept beside it. Neither depends on any other section.
"""

import contextlib
import hashlib
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath

from d2lbuild.config import Config, default_frameworks
from d2lbuild.equipment import digested_versions
from d2lbuild.files import write_atomically
from d2lbuild.model import Cell, Finding, Section

__all__ = ["Cut", "KeptSections", "digest_of_program"]

_PACKAGES = ("markdown-it-py", "mdit-py-plugins", "nbformat", "jupytext")

Cut = tuple[tuple[Cell, ...], tuple[Finding, ...]]
"""The cells that one framework sees of a section, and what is wrong with them."""


@dataclass(slots=True)
class _Entry:
    key: str
    section: Section
    """Without what its table of contents leads to."""
    cells: dict[str, Cut] = field(default_factory=dict)
    """By framework."""


class KeptSections:
    """The sections of a book, in a folder; without one nothing outlives the process."""

    def __init__(self, config: Config, folder: Path | None = None) -> None:
        self._folder = folder
        self._maker = _maker(config) if folder else b""
        self._entries: dict[str, _Entry] = {}
        self._new: set[str] = set()

    def section(self, name: str, path: PurePosixPath, data: bytes, read: Callable[[], Section]) -> Section:
        """Return the section that was read from these bytes before, or what `read` gives."""
        key = self._key(name, path, data)
        found = self._entries.get(name) or self._load(name)
        if found is None or found.key != key:
            found = _Entry(key, replace(read(), digest=key))
            self._new.add(name)
        self._entries[name] = found
        return found.section

    def cells(self, section: Section, framework: str, select: Callable[[], Cut]) -> Cut:
        """Return the cells that were cut out of a section before, or what `select` gives."""
        entry = self._entries.get(section.id)
        if entry is None:
            return select()
        if framework not in entry.cells:
            entry.cells[framework] = select()
            self._new.add(section.id)
        return entry.cells[framework]

    @property
    def changed(self) -> bool:
        """Whether there is something new to keep."""
        return bool(self._new)

    def save(self) -> None:
        """Keep what is new, and forget sections that the book no longer has."""
        if self._folder is None:
            return
        # A folder that cannot be written costs time, nothing else.
        with contextlib.suppress(OSError):
            for name in sorted(self._new):
                entry = self._entries[name]
                write_atomically(self._file(self._folder, name), pickle.dumps(entry, pickle.HIGHEST_PROTOCOL))
            self._new.clear()
            wanted = {self._file(self._folder, name) for name in self._entries}
            for path in self._folder.rglob("*"):
                if path not in wanted and path.is_file():
                    path.unlink()

    def _key(self, name: str, path: PurePosixPath, data: bytes) -> str:
        return hashlib.sha256(b"\0".join([self._maker, name.encode(), str(path).encode(), data])).hexdigest()

    def _load(self, name: str) -> _Entry | None:
        if self._folder is None:
            return None
        try:
            found = pickle.loads(self._file(self._folder, name).read_bytes())  # noqa: S301 - our own file
        except Exception:  # not there, damaged, or of another version of this program
            return None
        return found if isinstance(found, _Entry) else None

    @staticmethod
    def _file(folder: Path, name: str) -> Path:
        return folder / f"{name}.pickle"


def _maker(config: Config) -> bytes:
    """Return a digest of everything but the files that sections depend on."""
    frameworks = [(one.name, one.language, one.comment) for one in config.frameworks]
    others = sorted(folder.name for folder in default_frameworks().iterdir())
    program = digest_of_program(_PACKAGES, ("model.py", "source", "edition", "config"))
    return hashlib.sha256(repr((frameworks, others)).encode() + program).digest()


@cache
def digest_of_program(packages: tuple[str, ...], parts: tuple[str, ...]) -> bytes:
    """Return a digest of modules of d2lbuild and folders of them, of the packages that they use, and of Python."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256(repr((sys.version_info[:3], digested_versions(packages))).encode())
    for part in parts:
        for file in sorted((folder / part).rglob("*.py")) or [folder / part]:
            digest.update(file.read_bytes())
    return digest.digest()
