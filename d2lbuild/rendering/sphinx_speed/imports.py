"""MyST-NB imports what runs notebooks, down to a database; it takes most of a second, and it runs none of ours."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from d2lbuild.rendering.sphinx_speed.override import fits

__all__ = ["without_runners"]

_PACKAGE = "myst_nb.core.execute"
_RUNNERS = {"cache": "NotebookClientCache", "direct": "NotebookClientDirect", "inline": "NotebookClientInline"}


@contextmanager
def without_runners() -> Iterator[None]:
    """Let MyST-NB, if it is imported here for the first time, find empty classes in their place."""
    if _PACKAGE in sys.modules or not fits("myst-nb", "1.4"):
        yield
        return
    for module, runner in _RUNNERS.items():
        name = f"{_PACKAGE}.{module}"
        stand_in = ModuleType(name)
        setattr(stand_in, runner, type(runner, (), {}))
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for module in _RUNNERS:
            sys.modules.pop(f"{_PACKAGE}.{module}", None)
