"""What a run's processes hold of memory, and which of them stay behind.

Only Linux says enough about processes, in /proc; elsewhere nothing is known.
"""

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "ProcessTree"]

_PROC = "/proc"
_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
_GLANCES = 50
_GLANCE = 0.01
_WORKERS = ("multiprocessing", "loky")
"""In the commands of processes that end with the one that uses them."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs."""

    pid: int
    started: str
    """In ticks since the system's start: a later process may have the same number."""
    session: int
    command: str
    """What it was started as, shortened."""

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the process of this number; None if there is none, or if it has ended and only its parent lags."""
        fields = _read(pid, "stat").decode("utf-8", "replace").rpartition(")")[2].split()
        if not fields or fields[0] in "ZXx":
            return None
        words = [word.decode("utf-8", "replace") for word in _read(pid, "cmdline").split(b"\0") if word]
        return cls(pid, fields[19], int(fields[3]), " ".join(words)[:80])


class ProcessTree:
    """A kernel's process and those that it starts, looked at from time to time."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak: int | None = None
        """The most bytes that all held at once; None while that is unknown."""
        self._known: dict[int, Process] = {}

    def look(self) -> None:
        """See what all hold now. What they share counts once."""
        own, most = _resident(self.pid)
        if own is None or most is None:
            return
        others = _descendants(self.pid)
        for pid in others:
            if pid not in self._known and (process := Process.of(pid)) is not None:
                self._known[pid] = process
        held = own + sum(_resident(pid)[0] or 0 for pid in others)
        if others and held > (self.peak or 0):
            # Children share most of it with the process that they were forked from. Telling that apart takes longer.
            held = own + sum(_private(pid) for pid in others)
        self.peak = max(held, most, self.peak or 0)

    def left(self) -> list[Process]:
        """Return the processes that will not end with the kernel by themselves: no workers of its own."""
        kernel = Process.of(self.pid)
        if kernel is None:
            return []
        found = [process for pid in _descendants(self.pid) if (process := _started(pid)) is not None]
        return [
            process
            for process in found
            if (process.command != kernel.command or process.session != kernel.session)
            and not any(word in process.command for word in _WORKERS)
        ]

    def end(self) -> None:
        """Kill the descendants that have been seen and have outlived the kernel, wherever they have gone to."""
        for pid, process in self._known.items():
            now = Process.of(pid)
            if now is not None and now.started == process.started:
                with contextlib.suppress(OSError):
                    os.kill(pid, _KILL)


def _started(pid: int) -> Process | None:
    """Return a process when it is known what it runs: between its fork and its program that is nothing."""
    for _ in range(_GLANCES):
        process = Process.of(pid)
        if process is None or process.command:
            return process
        time.sleep(_GLANCE)
    return None


def _descendants(pid: int) -> list[int]:
    """Return the processes that one has started, directly or not: as a subreaper it keeps those of its children."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"{_PROC}/{pid}/task"):  # noqa: PTH208  much faster, and called often
            found += map(int, _read(pid, f"task/{thread}/children").split())
    return found


def _resident(pid: int) -> tuple[int | None, int | None]:
    """Return the bytes of memory that a process has now, and the most that it has had."""
    values = _sizes(_read(pid, "status"))
    return values.get(b"VmRSS"), values.get(b"VmHWM")


def _private(pid: int) -> int:
    """Return the bytes that a process shares with no other; all of it where the system does not tell."""
    values = _sizes(_read(pid, "smaps_rollup"))
    if not values:
        return _resident(pid)[0] or 0
    return sum(values.get(name, 0) for name in (b"Private_Clean", b"Private_Dirty", b"Private_Hugetlb"))


def _sizes(text: bytes) -> dict[bytes, int]:
    lines = (line.partition(b":") for line in text.splitlines())
    return {name: int(value.split()[0]) * 1024 for name, _, value in lines if value.endswith(b" kB")}


def _read(pid: int, name: str) -> bytes:
    """Return what the system says; nothing if the process has gone meanwhile, or is another user's."""
    with contextlib.suppress(OSError):
        return Path(f"{_PROC}/{pid}/{name}").read_bytes()
    return b""
