"""What checks have found before: in one file for each book, and in memory for programs that check again and again.

Everything is kept under a digest of all that it depends on, so a check with it and one without it find the same.
"""

import contextlib
import hashlib
import pickle
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from d2lbuild.checking.library import CheckedLibrary
from d2lbuild.checking.section import CheckedSection, check_section
from d2lbuild.config import Config, default_frameworks
from d2lbuild.execution.home import book_folder, cache_home
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding, Section
from d2lbuild.source.kept import digest_of_program

__all__ = ["KeptFindings", "kept_findings"]

_PACKAGES = ("markdown-it-py", "mdit-py-plugins", "nbformat", "jupytext", "pyflakes")
_PARTS = ("source", "edition", "config", "checking", "model.py", "notation.py", "execution/needs.py")
"""The modules, and folders of modules, that find anything."""


@dataclass
class _Memory:
    sections: dict[str, CheckedSection] = field(default_factory=dict)
    libraries: dict[str, CheckedLibrary] = field(default_factory=dict)
    """By framework."""
    notebooks: dict[tuple[str, str], tuple[str, tuple[Finding, ...]]] = field(default_factory=dict)
    """By section and framework: what it depends on, and uses of names that the library lacks."""

    @property
    def keys(self) -> tuple[object, ...]:
        """What tells it from another."""
        notebooks = {place: key for place, (key, _) in self.notebooks.items()}
        return _keys(self.sections), _keys(self.libraries), notebooks


@dataclass
class _Stored:
    """What a file holds: each section is pickled by itself, so that those which have not changed need not be again."""

    sections: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Its key, and what was found."""
    libraries: dict[str, CheckedLibrary] = field(default_factory=dict)
    notebooks: dict[tuple[str, str], tuple[str, tuple[Finding, ...]]] = field(default_factory=dict)


def _keys(checked: Mapping[str, CheckedSection] | Mapping[str, CheckedLibrary]) -> dict[str, str]:
    return {name: one.key for name, one in checked.items()}


class KeptFindings:
    """What earlier checks of a book have found. Without a file nothing outlives the process.

    It serves one check at a time.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._memory: _Memory | None = None
        self._used = _Memory()
        self._config: Config | None = None
        self._maker = b""
        self._stored = _Stored()
        self._stored_keys: tuple[object, ...] = ()
        self.data: dict[PurePosixPath, bytes] = {}
        """The files of the sections of this check."""

    def begin(self, config: Config) -> None:
        """Make ready for a check of the book."""
        if config != self._config or not self._maker:
            self._config, self._maker = config, _maker(config)
        self._memory = self._load() if self._memory is None else self._used
        self._used = _Memory()
        self.data = {}

    def section(self, name: str, path: PurePosixPath, data: bytes, read: Callable[[], Section]) -> Section:
        """Return the section, without its blocks, that was read from these bytes before, or what `read` gives."""
        assert self._config
        key = self.key(name, path, data)
        checked = self.before.sections.get(name)
        if checked is None or checked.key != key:
            checked = check_section(self._config, key, read(), data)
        self.data[path] = data
        self._used.sections[name] = checked
        return checked.section

    def key(self, name: str, path: PurePosixPath, data: bytes) -> str:
        """Return what tells a section, and all that its findings depend on, from all others."""
        whole = b"\0".join(
            [self._maker, name.encode(errors="surrogateescape"), str(path).encode(errors="replace"), data]
        )
        return hashlib.sha256(whole).hexdigest()

    @property
    def before(self) -> _Memory:
        """What the check before this one has found."""
        assert self._memory is not None
        return self._memory

    @property
    def now(self) -> _Memory:
        """What this check has found."""
        return self._used

    def carry_over(self, frameworks: Collection[str]) -> None:
        """Go on knowing what is known of the code of frameworks that this check has not looked at."""
        libraries, notebooks = self.before.libraries, self.before.notebooks
        self.now.libraries.update({name: one for name, one in libraries.items() if name in frameworks})
        self.now.notebooks.update({place: one for place, one in notebooks.items() if place[1] in frameworks})

    def save(self) -> None:
        """Keep what the last check has used, and nothing else, if that differs from what there was."""
        if self._file is None or self._used.keys == self._stored_keys:
            return
        known = self._stored.sections
        sections = {name: _pickled(one, known.get(name)) for name, one in self._used.sections.items()}
        stored = _Stored(sections, self._used.libraries, self._used.notebooks)
        with contextlib.suppress(OSError):  # a folder that cannot be written costs time, nothing else
            write_atomically(self._file, pickle.dumps(stored, pickle.HIGHEST_PROTOCOL))
            self._stored, self._stored_keys = stored, self._used.keys

    def _load(self) -> _Memory:
        if self._file is None:
            return _Memory()
        try:
            stored: _Stored = pickle.loads(self._file.read_bytes())  # noqa: S301 - our own file
            sections = {name: pickle.loads(data) for name, (_, data) in stored.sections.items()}  # noqa: S301
            found = _Memory(sections, stored.libraries, stored.notebooks)
            self._stored, self._stored_keys = stored, found.keys
        except Exception:  # not there, damaged, or of another version of this program
            return _Memory()
        return found


def _pickled(one: CheckedSection, known: tuple[str, bytes] | None) -> tuple[str, bytes]:
    if known is not None and known[0] == one.key:
        return known
    return one.key, pickle.dumps(one, pickle.HIGHEST_PROTOCOL)


def kept_findings(config: Config) -> KeptFindings:
    """Return what commands have found in the book before."""
    return KeptFindings(cache_home() / "checks" / f"{book_folder(config.name)}.pickle")


def _maker(config: Config) -> bytes:
    """Return a digest of everything but its file that the findings of a section depend on."""
    frameworks = [(one.name, one.language, one.comment, one.module) for one in config.frameworks]
    others = sorted(folder.name for folder in default_frameworks().iterdir())
    check, rules = config.check, config.check.rules
    # Other rules are found whatever the book says of them, and left out at the end.
    style = (check.line_length, check.words, rules.get("nonbreaking-space", "off") != "off", "repeated-word" in rules)
    settings = (frameworks, others, style, config.execution, config.library.package, config.language)
    return hashlib.sha256(repr(settings).encode(errors="replace") + digest_of_program(_PACKAGES, _PARTS)).digest()
