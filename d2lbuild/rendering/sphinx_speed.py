"""What makes Sphinx faster without changing a byte of what it writes; undone when it has run."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from pybtex import plugin

from d2lbuild.garbage import without_collections

__all__ = ["fast_sphinx"]


@contextmanager
def fast_sphinx() -> Iterator[None]:
    """Run Sphinx inside of this."""
    with without_collections(), _remembered_plugins():
        yield


@contextmanager
def _remembered_plugins() -> Iterator[None]:
    """Let pybtex look for a plugin once, not through all installed packages for each citation."""
    original = getattr(plugin, "_load_entry_point", None)
    if original is None:  # another version of pybtex, which may be slow in another way
        yield
        return
    plugin._load_entry_point = functools.cache(original)
    try:
        yield
    finally:
        plugin._load_entry_point = original
