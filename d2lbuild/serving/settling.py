"""What follows a quick change, done in a forked process: the next change need not wait for it, but ends it.

A build may be ended at any moment; see `tests/integration/test_killed_builds.py`.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

__all__ = ["Aside", "can_fork"]

T = TypeVar("T")


def can_fork() -> bool:
    """Whether this system can do something aside."""
    return "fork" in multiprocessing.get_all_start_methods()


class Aside(Generic[T]):
    """Does some work in a copy of this process; its result must be picklable."""

    def __init__(self, work: Callable[[], T]) -> None:
        context = multiprocessing.get_context("fork")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_do, args=(work, sender))
        self._process.start()
        sender.close()

    def result(self) -> T | None:
        """Return the result; None if the process has ended without one. Ask only when `is_done`."""
        try:
            found: T = self._receiver.recv()
        except EOFError:
            return None
        finally:
            self._process.join()
            self._receiver.close()
        return found

    def is_done(self) -> bool:
        """Whether the work has ended, one way or another."""
        return self._receiver.poll()

    def end(self) -> None:
        """Kill the process, and those that it has forked."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.ident or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._receiver.close()


def _do(work: Callable[[], object], sender: Connection) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sender.send(work())
    sender.close()
