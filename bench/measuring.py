"""What all works share: the rows that they return, runs of programs with their time and memory, what the machine is."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from d2lbuild.config import load_config

OURS = "d2lbuild"
# All programs as users have them: with their modules compiled, even where this one runs from its sources.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
MEGABYTE = 1_000_000
_GLANCE = 0.5
"""Seconds between two looks at the memory of a program."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one program took for one task."""

    task: str
    who: str
    values: tuple[float, ...]
    """One a round; none if it cannot do that, and then the note says why."""
    unit: str = "s"
    note: str = ""

    @property
    def value(self) -> float | None:
        """The median."""
        return statistics.median(self.values) if self.values else None


class Rows:
    """Rows while they are measured, in the order in which their tasks came up."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Row] = {}

    def note(self, task: str, who: str, value: float, unit: str = "s") -> None:
        """Add what was measured in one round."""
        before = self._found.get((task, who), Row(task, who, (), unit))
        self._found[task, who] = Row(task, who, (*before.values, round(value, 5)), unit, before.note)

    def cannot(self, task: str, who: str, why: str) -> None:
        """Say that somebody cannot do something."""
        self._found.setdefault((task, who), Row(task, who, (), note=why))

    def all(self) -> list[Row]:
        """Return the rows, those of a task together."""
        tasks = list(dict.fromkeys(task for task, _ in self._found))
        return sorted(self._found.values(), key=lambda row: tasks.index(row.task))


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how a work is measured."""

    book: Path
    """A real book, which stays as it is."""
    folder: Path
    """An empty one, for the work alone."""
    rounds: int
    peers: bool = True
    """Whether the others are measured, too."""

    def copy(self, name: str, *, without: Sequence[str] = ()) -> Path:
        """Return a copy of the book."""
        target = self.folder / name / "book"
        shutil.copytree(self.book, target, ignore=shutil.ignore_patterns(".*", "_build", *without))
        return target

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables for d2lbuild with a cache of its own."""
        return {**ENVIRONMENT, "D2LBUILD_CACHE": str(self.folder / name / "cache")}


class Work(Protocol):
    """A module that measures."""

    TITLE: str
    ABOUT: str

    def measure(self, setting: Setting) -> Rows:
        """Do the work, ours and theirs in turns."""


def ours(*arguments: object) -> list[str]:
    """Return a command line of d2lbuild."""
    return [str(Path(sys.executable).with_name("d2lbuild")), *map(str, arguments)]


def first_framework(book: Path) -> str:
    """Return the framework that a book shows first."""
    return load_config(book).default_framework


def chapters_of(book: Path) -> Path:
    """Return the folder of a book's sections."""
    return book / load_config(book).chapters


def edited_section(book: Path) -> Path:
    """Return the section that edits are made in, by its path below the book."""
    usual = Path("chapter_linear-regression/linear-regression.md")
    if (book / usual).is_file():
        return usual
    return max(chapters_of(book).rglob("*.md"), key=lambda path: path.stat().st_size).relative_to(book)


# --- running --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ran."""

    seconds: float
    memory: int
    """Bytes that its processes had at most together, shared ones counted once; 0 if nobody looked, or too late."""
    output: str


@dataclass(slots=True)
class _Watch:
    """Looks at the memory of a process and of all that it has started."""

    root: int
    most: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.ended.wait(_GLANCE):
            self.most = max(self.most, sum(_memory_of(process) for process in _tree(self.root)))


def run(
    command: Sequence[str],
    *,
    where: Path | None = None,
    environment: Mapping[str, str] = ENVIRONMENT,
    allowed: Sequence[int] = (0,),
    watched: bool = False,
) -> Run:
    """Run a program to its end. Raises SystemExit if it ends in a way that is not allowed.

    Only of one that is `watched` the memory is known: looking takes a hundredth of a processor.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        begun = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=where,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        ) as process:
            watch = _Watch(process.pid)
            thread = threading.Thread(target=watch.watch, daemon=True)
            if watched:
                thread.start()
            process.wait()
        seconds = time.perf_counter() - begun
        watch.ended.set()
        if watched:
            thread.join()
        said.seek(0)
        output = said.read()
    if process.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}:\n{output[-3000:]}")
    return Run(seconds, watch.most, output)


def _tree(root: int) -> list[int]:
    """Return a process and its descendants, on Linux; elsewhere nothing is known of memory."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name before the parenthesis may hold anything.
            parent = int(path.read_text("utf-8", errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def _memory_of(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text("utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def size_of(*folders: Path) -> int:
    """Return the bytes that files take; one that has several names counts once."""
    files = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                state = path.stat()
                files[state.st_dev, state.st_ino] = state.st_size
    return sum(files.values())


# --- the machine ----------------------------------------------------------------------------------------------------


def machine() -> dict[str, str | int]:
    """Return what figures depend on, beside the programs."""
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text("utf-8").splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.platform(terse=True)
    return {
        "system": system,
        "processor": names[0] if names else platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9),
    }
