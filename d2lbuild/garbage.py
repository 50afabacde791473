"""The garbage collector, kept out of the way of work that makes many objects and drops few."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collections"]


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
