"""What a run read and wrote: from the log of its kernel's opens, and from the times of access of its copy of the book.

The log knows what Python opens, in the kernel and in processes forked from it, also where nothing was found. The times
know everybody who reads a file of the copy, such as an image library in C++; some file systems do not keep them.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.results.keys import FileDigests
from d2lbuild.execution.scratch import CopiedFile, Place

__all__ = ["Accesses", "accesses", "prepare"]

_CHANGING = "changed while it was read"
"""The digest of a file that was not the same all the time: no file has it, so such a run is never taken for another."""

_SYSTEM: Mapping[str, tuple[str, ...]] = {
    "darwin": (
        *("/Applications", "/Library", "/System", "/bin", "/dev", "/etc", "/nix/store", "/opt", "/private", "/sbin"),
        *("/tmp", "/usr", "/var"),  # noqa: S108
    ),
    "linux": (
        *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/nix/store", "/opt", "/proc", "/run", "/sbin"),
        *("/snap", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108
    ),
    "win32": tuple(os.environ[name] for name in ("ProgramData", "ProgramFiles", "SystemRoot") if name in os.environ),
}
"""What comes with the system, or is nobody's for long: no notebook's data."""

_DEVICES = ("/dev", "/proc", "/sys")
_CACHE = f"{os.sep}__pycache__{os.sep}"
_MAX_NAMED = 3
_CLOCK = 1_000_000_000
"""Nanoseconds by which the clock of a file system may be behind."""


@dataclass(frozen=True, slots=True)
class Accesses:
    """What a run has read, and what it should not have done."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    """As in `ExecutionResult`."""
    warnings: tuple[str, ...] = ()


def prepare(request: ExecutionRequest, place: Place) -> None:
    """Begin the log of accesses with what its writer has to know. Raises OSError."""
    first = {
        "book": _spellings(place.book),
        "skipped": [*_SYSTEM.get(sys.platform, ()), *_uninteresting(request, place)],
        "started": time.time_ns(),
    }
    place.access_log.write_text(json.dumps(first) + "\n", "ascii")


def accesses(request: ExecutionRequest, place: Place) -> Accesses:
    """Return what a run has read and written: after its end, before its folders go."""
    started, lines = _log(place.access_log)
    # First the times: reading changes them.
    read = dict.fromkeys(str(place.book / name) for name in _read_by_anybody(place))
    written: dict[str, str] = {}
    warnings: list[str] = []
    for kind, path in lines:
        if kind == "full":
            warnings.append("it opened so many files that not all were noted; declare those that it depends on as data")
        elif kind in ("write", "delete"):
            written.setdefault(path, kind)
        elif path not in written and not any(str(folder) in written for folder in Path(path).parents):
            # What it made itself is no input.
            read[f"{path}{os.sep}" if kind == "list" else path] = None
    naming = _Naming(request, place)
    digest_of = _digests(request, place)
    inputs = {name: digest_of(name) for name in sorted({*map(naming.name, read)} - {""})}
    outside = [path for path, kind in written.items() if naming.outside(path) and _changed(path, kind, started)]
    if outside:
        more = f" and {len(outside) - _MAX_NAMED} more" if len(outside) > _MAX_NAMED else ""
        warnings.append(f"it wrote outside of its folder: {', '.join(outside[:_MAX_NAMED])}{more}")
    return Accesses(inputs, tuple(warnings))


def _log(log: Path) -> tuple[int, list[tuple[str, str]]]:
    """Return when a run began, in nanoseconds, and the accesses in their order; none if the log has been removed."""
    try:
        first, *lines = log.read_text("ascii").splitlines()
        # Of a killed kernel, the last line may be a part of one.
        return json.loads(first)["started"], [(kind, path) for line in lines for kind, path in [_line(line)] if kind]
    except (OSError, ValueError, KeyError):
        return 0, []


def _line(line: str) -> tuple[str, str]:
    try:
        kind, path = json.loads(line)
    except ValueError:
        return "", ""
    return kind, path


def _read_by_anybody(place: Place) -> list[str]:
    """Return the copied files whose time of access has moved."""
    found = []
    for name in place.files:
        with contextlib.suppress(OSError):
            if os.stat(place.book / name).st_atime_ns != 0:  # noqa: PTH116  300 files a run
                found.append(name)
    return found


def _digests(request: ExecutionRequest, place: Place) -> Callable[[str], str]:
    """Return what gives the digest of a file as the run found it."""
    digest_of = FileDigests(place.book, request.files, request.kept)
    copies = FileDigests(place.book)

    def digest(name: str) -> str:
        copied = place.files.get(name)
        if copied is None or _same(copied.source, copied):
            return digest_of(name)
        # The author has changed it since. The copy is what the run saw, unless the run has changed that.
        return copies(name) if _same(place.book / name, copied) else _CHANGING

    return digest


def _same(path: Path, copied: CopiedFile) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (copied.size, copied.modified)


def _changed(path: str, kind: str, started: int) -> bool:
    """Whether a run did change what it tried to: an attempt may have failed."""
    try:
        changed = os.lstat(path).st_ctime_ns
    except OSError:
        return kind == "delete"
    return kind == "write" and changed >= started - _CLOCK


class _Naming:
    """Tells the book's files from others by their paths."""

    def __init__(self, request: ExecutionRequest, place: Place) -> None:
        self._book = _beginnings([place.book])
        self._kept = frozenset(request.kept)
        self._own = _beginnings([place.private.parent, *request.kept.values(), *_folders(request.downloads)])
        self._devices = _beginnings(Path(device) for device in _DEVICES)
        self._uninteresting = _beginnings(Path(folder) for folder in _uninteresting(request, place))

    def name(self, path: str) -> str:
        """Return what a file or a folder is called among inputs; nothing if it is none."""
        path = _source_of(path)
        for book in self._book:
            if path.startswith(book):
                return self._name_below(path.removeprefix(book))
        if path.startswith((*self._uninteresting, *self._devices)) or (path[-1] != os.sep and Path(path).is_dir()):
            return ""
        return path.replace(os.sep, "/")

    def _name_below(self, path: str) -> str:
        name = PurePosixPath(Path(path).as_posix())
        if {name.as_posix(), *(folder.as_posix() for folder in name.parents)} & self._kept:
            return ""
        return f"{name}/" if not path or path[-1] == os.sep else str(name)

    def outside(self, path: str) -> bool:
        """Whether a run must not write to a path."""
        return not path.startswith((*self._own, *self._devices)) and _CACHE not in f"{path}{os.sep}"


def _source_of(path: str) -> str:
    """Return the module that a compiled one was made from: Python reads the latter alone while the times agree."""
    folder, cache, name = path.rpartition(_CACHE)
    return os.path.join(folder, f"{name.partition('.')[0]}.py") if cache else path  # noqa: PTH118


def _uninteresting(request: ExecutionRequest, place: Place) -> list[str]:
    """Return the folders whose files are no inputs, except for the book's copy."""
    folders = [place.private.parent, request.library, request.kernel.python.parent.parent, *request.kept.values()]
    # Python reads the kernel's own code where it shows a line of it, such as in a warning.
    folders += [*_folders(request.downloads), Path(tempfile.gettempdir()), Path(__file__).parents[1]]
    return [spelling for folder in folders for spelling in _spellings(folder)]


def _folders(folder: Path | None) -> list[Path]:
    return [] if folder is None else [folder]


def _spellings(folder: Path) -> list[str]:
    """Return a folder as it is called, and as the system calls it."""
    return list(dict.fromkeys([str(folder.absolute()), str(folder.resolve())]))


def _beginnings(folders: Iterable[Path]) -> tuple[str, ...]:
    return tuple(os.path.join(spelling, "") for folder in folders for spelling in _spellings(folder))  # noqa: PTH118
