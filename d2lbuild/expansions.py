"""Cells with their aliases expanded: kept between commands, and made in several processes, as it takes seconds."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar, cast

from d2lbuild.config import Config, Framework
from d2lbuild.edition import edition as stage
from d2lbuild.edition.edition import Edition
from d2lbuild.edition.expansion import expand_cells, unexpanded
from d2lbuild.execution.home import book_folder, cache_home
from d2lbuild.files import write_atomically
from d2lbuild.parallel import at_once

__all__ = ["expand_beside", "known_expansions", "remember_expansions"]

T = TypeVar("T")

_MANY = 50
"""Fewer cells are not worth a process."""
_MODULES = ("aliases.py", "code.py", "concrete.py")
"""Those that expand: they are read, not imported, since LibCST takes long."""


def known_expansions(config: Config, framework: Framework) -> dict[str, str]:
    """Return expanded cells by their neutral source; none if they were made with other aliases or another program."""
    try:
        data = json.loads(_file(config, framework).read_text(encoding="utf-8"))
        if data["made by"] != _maker(config, framework):
            return {}
        return {str(neutral): str(expanded) for neutral, expanded in data["cells"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def expand_beside(editions: Iterable[Edition], work: Sequence[Callable[[], T]]) -> list[T]:
    """Return what `work` gives, and meanwhile expand the cells of editions that are not known, if there are many.

    The first piece of work is done in this process, the others may not be.
    """
    unknown = [
        (edition, source)
        for edition in editions
        if edition.framework.is_python
        for source in unexpanded(edition.neutral, edition.library.package, edition.expanded)
    ]
    if len(unknown) < _MANY:
        return at_once(work, beside_threads=True)
    count = max(1, os.cpu_count() or 1)
    parts = [unknown[n::count] for n in range(count)]
    tasks: list[Callable[[], object]] = [*work, *(partial(_expanded, part) for part in parts)]
    found = at_once(tasks, beside_threads=True)
    for part, sources in zip(parts, found[len(work) :], strict=True):
        for (edition, source), expanded in zip(part, cast("list[str]", sources), strict=True):
            edition.expanded[source] = expanded
    return cast("list[T]", found[: len(work)])


def _expanded(part: Sequence[tuple[Edition, str]]) -> list[str]:
    return [
        expand_cells([source], edition.framework.aliases, edition.library.package)[source] for edition, source in part
    ]


def remember_expansions(config: Config, edition: Edition, before: int) -> None:
    """Keep an edition's expanded cells, if there are more than the `before` that were known; others are forgotten."""
    if len(edition.expanded) == before:
        return
    sources = {cell.source for notebook in edition.neutral for cell in notebook.code}
    cells = {neutral: expanded for neutral, expanded in edition.expanded.items() if neutral in sources}
    data = {"made by": _maker(config, edition.framework), "cells": cells}
    # A folder that cannot be written costs time, nothing else.
    with contextlib.suppress(OSError):
        write_atomically(_file(config, edition.framework), json.dumps(data))


def _file(config: Config, framework: Framework) -> Path:
    # Two books of one name take turns.
    return cache_home() / "expanded" / book_folder(config.name) / f"{framework.name}.json"


def _maker(config: Config, framework: Framework) -> str:
    """Return a digest of everything but the cell that its expansion depends on."""
    digest = hashlib.sha256()
    digest.update(repr((asdict(framework.aliases), config.library.package, version("libcst"))).encode())
    for name in _MODULES:
        digest.update(Path(stage.__file__).with_name(name).read_bytes())
    return digest.hexdigest()
