"""Work on many pages in forked processes, which have all of this process's values at hand; the largest pages first."""

import gc
import multiprocessing
import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from d2lbuild.errors import D2lbuildError

__all__ = ["on_pages"]

T = TypeVar("T")

_FEW = 4
"""So many pages are not worth a process."""
_PAGES_BETWEEN_COLLECTIONS = 10
_ENOUGH_MEMORY = 300 * 2**20
"""Documents are full of cycles, and looking for them takes a tenth of the time: not before a process is so large."""


def on_pages(work: Callable[[str], T], sizes: Mapping[str, int], jobs: int) -> Iterator[tuple[str, T]]:
    """Yield each page's name and what `work` gives for it, as they come; what it raises is raised here.

    Results must be picklable, and must not depend on which pages a process has worked on before.
    """
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    gc.freeze()
    try:
        if min(jobs, len(names)) < 2 or len(names) < _FEW or "fork" not in multiprocessing.get_all_start_methods():
            yield from _here(work, names)
        else:
            yield from _forked(work, names, min(jobs, len(names)))
    finally:
        gc.unfreeze()


def _here(work: Callable[[str], T], names: Sequence[str]) -> Iterator[tuple[str, T]]:
    for count, name in enumerate(names, start=1):
        yield name, work(name)
        _tidy_up(count)


def _forked(work: Callable[[str], T], names: Sequence[str], jobs: int) -> Iterator[tuple[str, T]]:
    context = multiprocessing.get_context("fork")
    turn = context.Value("i", 0)
    children = {}
    try:
        for _ in range(jobs):
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(target=_work, args=(work, names, turn, sender), daemon=True)
            child.start()
            sender.close()
            children[receiver] = child
        yield from _results(children, len(names))
    finally:
        for receiver, child in children.items():
            receiver.close()
            if child.is_alive():
                child.terminate()
            child.join()


def _tidy_up(count: int) -> None:
    if count % _PAGES_BETWEEN_COLLECTIONS:
        return
    try:
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):  # another system
        resident = _ENOUGH_MEMORY
    if resident >= _ENOUGH_MEMORY:
        gc.collect()


def _results(children: Mapping[Connection, Any], expected: int) -> Iterator[tuple[str, Any]]:
    open_ends = dict(children)
    done = 0
    while open_ends:
        for receiver in wait(list(open_ends)):
            assert isinstance(receiver, Connection)
            try:
                name, result, error = pickle.loads(receiver.recv_bytes())  # noqa: S301 - from our own child
            except EOFError:
                del open_ends[receiver]
                continue
            if error is not None:
                raise error
            done += 1
            yield name, result
    if done != expected:
        raise D2lbuildError(
            "a process that made pages was ended from outside",
            hint="the machine may be short of memory; --jobs 1 needs the least",
        )


def _work(work: Callable[[str], Any], names: Sequence[str], turn: Any, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this process
    gc.disable()
    count = 0
    while True:
        with turn.get_lock():
            index = turn.value
            turn.value += 1
        if index >= len(names):
            break
        try:
            message = pickle.dumps((names[index], work(names[index]), None))
        except Exception as error:
            message = _failure(names[index], error)
        sender.send_bytes(message)
        count += 1
        _tidy_up(count)
    sender.close()


def _failure(name: str, error: Exception) -> bytes:
    """Return a message with the error, where possible as it is; where it came from is a note on it."""
    error.add_note(f"on page {name}, in another process:\n{''.join(traceback.format_exception(error))}")
    try:
        message = pickle.dumps((name, None, error))
        pickle.loads(message)  # noqa: S301 - some errors can be written, but not read
    except Exception:
        return pickle.dumps((name, None, RuntimeError("\n".join([str(error), *error.__notes__]))))
    return message
