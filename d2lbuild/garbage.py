"""The garbage collector, kept out of the way of work that makes many objects and drops few."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["leave_at_exit", "without_collections"]


@contextmanager
def without_collections(*, freeze: bool = False) -> Iterator[None]:
    """Keep the collector from looking through all trees again and again: a quarter of the time of parsing them.

    With `freeze` it never looks at what is there in the end, not even when Python exits, which takes a second for the
    trees of a book: such objects go with the last reference to them, and cycles of them stay.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if freeze:
            gc.freeze()
        if enabled:
            gc.enable()


def leave_at_exit() -> None:
    """Let Python end without looking for garbage once more, which takes a second after a book was built."""
    atexit.register(gc.freeze)
