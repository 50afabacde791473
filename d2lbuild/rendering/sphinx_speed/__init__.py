"""What makes Sphinx faster without changing a byte of what it writes; undone when it has run.

Each override names the function it stands for and the versions it was written for. Where a version is another one, or
the function is not there, Sphinx does as it always does. `D2LBUILD_STOCK_SPHINX=1` turns all of it off.
"""

import logging
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from d2lbuild.equipment import Item, State, installed_version
from d2lbuild.garbage import without_collections
from d2lbuild.rendering.references.works_ahead import Works, no_works
from d2lbuild.rendering.sphinx_speed import bibliographies, code, documents, imports, lexers, pages, quotes, searches
from d2lbuild.rendering.sphinx_speed.imports import import_lightly, without_runners
from d2lbuild.rendering.sphinx_speed.override import Override, fits, put_in_place

__all__ = ["PAGE_BUILDER", "SWITCH", "fast_sphinx", "is_fast", "light_imports", "overrides", "speed_equipment"]

SWITCH = "D2LBUILD_STOCK_SPHINX"
"""The environment variable that turns everything off."""
PAGE_BUILDER = ("Sphinx", "9.0")
"""What `page_builder`, with `environment_parts` and `search_parts`, was written for."""


def is_fast() -> bool:
    """Whether pages are read and written by the builder of ours."""
    return not os.environ.get(SWITCH) and fits(*PAGE_BUILDER)


def overrides(memory: Path, works: Works = no_works) -> list[Override]:
    """Return all that is put in place of what the packages bring."""
    found = [one for part in (imports, searches, documents, quotes, code, lexers) for one in part.overrides()]
    return [*found, *pages.overrides(memory), *bibliographies.overrides(memory, works)]


@contextmanager
def light_imports(*, fast: bool) -> Iterator[None]:
    """Import what Sphinx loads inside of this; it comes without what no build of ours uses."""
    if not fast:
        yield
        return
    with without_runners():
        import_lightly()
        yield


@contextmanager
def fast_sphinx(memory: Path, *, fast: bool, works: Works = no_works) -> Iterator[None]:
    """Run Sphinx inside of this; what is worth remembering from build to build lies in the folder `memory`."""
    if not fast:
        yield
        return
    with ExitStack() as stack:
        stack.enter_context(without_collections())
        stack.enter_context(_without_debugging())
        stack.enter_context(light_imports(fast=True))
        for override in overrides(memory, works):
            stack.enter_context(put_in_place(override))
        yield


@contextmanager
def _without_debugging() -> Iterator[None]:
    """Let nobody make records for debugging, which Sphinx asks for by the thousand and drops."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.DEBUG))
    try:
        yield
    finally:
        logging.disable(before)


def speed_equipment() -> Item:
    """Return whether pages are made the fast way here, and which packages have other versions than are known."""
    if os.environ.get(SWITCH):
        return Item("speed", State.NOTE, f"pages are made the slow way: {SWITCH} is set", mend=f"unset {SWITCH}")
    tried = {PAGE_BUILDER, *((one.distribution, one.versions) for one in overrides(Path()))}
    others = [(name, versions) for name, versions in sorted(tried) if not fits(name, versions)]
    if not others:
        return Item("speed", State.THERE, "pages are made the fast way")
    how = "all of it" if PAGE_BUILDER in others else "some of it"
    told = [f"{name} {installed_version(name) or 'is missing'}, known is {versions}" for name, versions in others]
    command = [sys.executable, "-m", "pip", "install", *(f"{name}=={versions}.*" for name, versions in others)]
    detail = f"pages are made the slow way, {how}: {'; '.join(told)}"
    return Item("speed", State.NOTE, detail, tuple(name for name, _ in others), shlex.join(command))
