"""Pure functions at the same time: each in a forked process, which has all values at hand and sends back its result."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["at_once"]

T = TypeVar("T")


def at_once(tasks: Sequence[Callable[[], T]], *, beside_threads: bool = False) -> list[T]:
    """Return the results of `tasks`, in order; what a task raises is raised. The first task runs here.

    Results must be picklable. Where processes cannot be forked safely (not on this system, or other threads are
    running), or there is one processor or one task, all tasks run here, one after the other. With `beside_threads`
    other threads do not matter: the tasks use nothing that those may have locked.
    """
    if len(tasks) < 2 or (os.cpu_count() or 1) < 2 or (threading.active_count() > 1 and not beside_threads):
        return [task() for task in tasks]
    import multiprocessing  # noqa: PLC0415 - slow to import

    if "fork" not in multiprocessing.get_all_start_methods():
        return [task() for task in tasks]
    context = multiprocessing.get_context("fork")
    children = []
    for task in tasks[1:]:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_send, args=(sender, task))
        child.start()
        sender.close()
        children.append((task, child, receiver))
    try:
        results = [tasks[0]()]
        for task, child, receiver in children:
            try:
                result, error = receiver.recv()
            except EOFError:  # the child was killed; this process can do its work
                result, error = task(), None
            child.join()
            if error is not None:
                raise error
            results.append(result)
    except BaseException:
        # Nobody reads what the others would send, so they would wait for ever, and Python for them when it ends.
        for _, child, _ in children:
            child.kill()
        raise
    return results


def _send(sender: "Connection", task: Callable[[], T]) -> None:
    try:
        sender.send((task(), None))
    except Exception as error:
        sender.send((None, error))
    sender.close()
