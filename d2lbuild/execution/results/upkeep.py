"""Looking after a cache: what it holds, what is damaged, and what nobody needs any more.

Builds may go on meanwhile: nothing that was written in the last hour is removed, and what is removed too early is only
made again.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from d2lbuild.execution.results.cache import discard, encode_inputs, read_inputs
from d2lbuild.execution.results.entries import DamagedEntry, Entry, OldEntry, decode, open_entry
from d2lbuild.execution.results.history import History, HistoryRecord, read_record, read_text
from d2lbuild.files import write_atomically

__all__ = [
    "KINDS",
    "Damage",
    "Garbage",
    "Kind",
    "OnStep",
    "Usage",
    "check_file",
    "collect_garbage",
    "kinds",
    "silent",
    "unused_environments",
    "usage",
    "verify",
]

KINDS = ("results", "failures", "inputs", "history", "texts")
"""The folders of a cache that this module and the cache itself fill."""

_SHORT_CUTS = ("checks", "configurations", "expanded", "sections", "unchanged")
"""Folders of what only saves time; for how long nobody wrote it tells that its book, or its command, is gone."""
_SHORT_CUTS_LAST = 30 * 24 * 3600.0

OnStep = Callable[[int, int], None]
"""Is told how many of how many files are done."""

_HOUR = 3600.0


def silent(done: int, total: int) -> None:
    """Tell nobody."""


# --- what there is ---


@dataclass(frozen=True, slots=True)
class Kind:
    """The files of one folder of a cache."""

    name: str
    count: int
    size: int
    oldest: float | None
    """When the oldest was written, in seconds since 1970; None without files."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The notebooks of one book and framework that a cache knows."""

    book: str
    framework: str
    notebooks: int
    results: int
    """Of how many the last run's result, or failure, is there."""
    size: int
    seconds: float
    """How long the last runs took together."""


def kinds(home: Path) -> list[Kind]:
    """Return how much there is of everything below the cache's folder."""
    found = []
    for folder in sorted(path for path in home.glob("*") if path.is_dir()):
        files = list(_states(folder))
        oldest = min((state.st_mtime for state in files), default=None)
        found.append(Kind(folder.name, len(files), sum(state.st_size for state in files), oldest))
    return sorted(found, key=lambda kind: (KINDS.index(kind.name) if kind.name in KINDS else len(KINDS), kind.name))


def _states(folder: Path) -> Iterator[os.stat_result]:
    """Yield the states of all files below a folder: environments have a hundred thousand."""
    waiting = [str(folder)]
    while waiting:
        # What a build removes meanwhile is passed over.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        yield entry.stat(follow_symlinks=False)


def usage(home: Path) -> list[Usage]:
    """Return what the cache knows of each book and framework."""
    groups: dict[tuple[str, str], list[HistoryRecord]] = {}
    for book in History.books(home):
        for _, framework, record in History(home, book).records():
            groups.setdefault((book, framework), []).append(record)
    return [_usage(home, *names, records) for names, records in sorted(groups.items())]


def _usage(home: Path, book: str, framework: str, records: Sequence[HistoryRecord]) -> Usage:
    sizes = []
    for key in {record.key for record in records}:
        paths = (home / kind / key[:2] / f"{key}.json" for kind in KINDS[:2])
        sizes += [path.stat().st_size for path in paths if path.is_file()][:1]
    return Usage(book, framework, len(records), len(sizes), sum(sizes), sum(record.seconds for record in records))


# --- what is damaged ---


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what it should be."""

    path: Path
    why: str


def verify(home: Path, *, remove: bool = False, on_step: OnStep = silent) -> Iterator[Damage]:
    """Read all files whole, and yield those that are damaged; `remove` removes them."""
    paths = [path for kind in KINDS for path in _files(home / kind)]
    for done, path in enumerate(paths, 1):
        try:
            check_file(path.relative_to(home).as_posix(), path.read_bytes())
        except OldEntry:
            pass
        except FileNotFoundError:
            pass  # a build or `gc` was quicker
        except (ValueError, OSError) as error:
            yield Damage(path, str(error))
            if remove:
                _remove_damaged(path)
        on_step(done, len(paths))


def check_file(name: str, content: bytes) -> None:
    """Check what a file of a cache holds against its name, relative to the cache. Raises ValueError."""
    path = Path(name)
    kind = path.parts[0]
    if kind in ("results", "failures"):
        decode(path, content)
    elif kind == "inputs":
        if read_inputs(content, path.parent.name) is None:
            raise ValueError("it is no list of files, or one of another base")
    elif kind == "texts":
        read_text(content)
    else:
        read_record(content)


def _remove_damaged(path: Path) -> None:
    if path.parts[-4] == "inputs":
        # Numbers without a gap: a list of no files stands for it.
        write_atomically(path, encode_inputs(path.parent.name, []))
    else:
        discard(path)


# --- what nobody needs ---


@dataclass(slots=True)
class Garbage:
    """What was removed, or would be."""

    removed: list[Path] = field(default_factory=list)
    size: int = 0
    kept: int = 0
    """Bytes of results and failures that stay."""
    current: int = 0
    """How many of those that stay belong to the last run of a notebook, and so are never removed."""

    def _take(self, path: Path, dry_run: bool) -> None:
        try:
            size = path.lstat().st_size
        except OSError:
            return
        self.removed.append(path)
        self.size += size
        if not dry_run:
            discard(path)


def collect_garbage(
    home: Path,
    *,
    older_than: float | None = None,
    max_size: int | None = None,
    dry_run: bool = False,
    on_step: OnStep = silent,
) -> Garbage:
    """Remove results and failures that are `older_than` so many seconds, and the oldest above `max_size` bytes.

    What belongs to the last run of any book's notebook stays. Entries of other versions go, as do lists of files and
    texts that no entry refers to, what only saves time and was not written for a month, and what killed builds left
    behind.
    """
    found = Garbage()
    now = time.time()
    records = [record for book in History.books(home) for _, _, record in History(home, book).records()]
    current = {record.key for record in records}
    stay: list[tuple[float, int, Entry]] = []
    paths = [path for kind in KINDS[:2] for path in _files(home / kind)]
    for done, path in enumerate(paths, 1):
        try:
            state = path.stat()
            stay.append((state.st_mtime, state.st_size, open_entry(path)))
        except DamagedEntry:
            found._take(path, dry_run)
        except OSError:
            continue
        on_step(done, len(paths))
    found.kept = sum(size for _, size, _ in stay)
    left: list[Entry] = []
    for written, size, entry in sorted(stay, key=lambda one: one[0]):
        too_old = older_than is not None and written < now - older_than
        too_much = max_size is not None and found.kept > max_size
        if entry.path.stem not in current and written < now - _HOUR and (too_old or too_much):
            found._take(entry.path, dry_run)
            found.kept -= size
        else:
            left.append(entry)
            found.current += entry.path.stem in current
    for path in _unreferenced(home, left, records, now - _HOUR):
        found._take(path, dry_run)
    if not dry_run:
        _remove_empty_folders(home)
    return found


def _unreferenced(
    home: Path, entries: Iterable[Entry], records: Sequence[HistoryRecord], before: float
) -> Iterator[Path]:
    digests: set[str] = set()
    for record in records:
        digests.update(record.parts.values())
    bases = {entry.parts.base.key for entry in entries}
    # Of several lists the last goes first, so that there is never a gap.
    for path in sorted(_files(home / "inputs"), reverse=True):
        if path.parent.name not in bases and _older(path.parent, before):
            yield path
    for path in _files(home / "texts"):
        if path.name not in digests and _older(path, before):
            yield path
    for kind in _SHORT_CUTS:
        yield from (path for path in _files(home / kind) if _older(path, before - _SHORT_CUTS_LAST))
    for kind in (*KINDS, *_SHORT_CUTS):
        for path in (home / kind).rglob(".*"):
            if path.is_file() and _older(path, before - 24 * _HOUR):
                yield path


def _older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except OSError:
        return False


def _remove_empty_folders(home: Path) -> None:
    for kind in (*KINDS, *_SHORT_CUTS):
        for folder in sorted((path for path in (home / kind).rglob("*") if path.is_dir()), reverse=True):
            try:
                folder.rmdir()
            except OSError:
                continue


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def unused_environments(home: Path) -> list[Path]:
    """Return the environments that the last run of no notebook had."""
    used = {
        record.parts.get("environment", "")[:12]
        for book in History.books(home)
        for _, _, record in History(home, book).records()
    }
    folders = sorted(path for path in (home / "environments").glob("*-*") if path.is_dir())
    return [path for path in folders if path.name.rpartition("-")[2] not in used]
