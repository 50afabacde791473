"""Cells whose aliases were expanded by an earlier command: kept, since expanding a whole book takes seconds."""

import contextlib
import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from d2lbuild.config import Config, Framework
from d2lbuild.edition import edition as stage
from d2lbuild.edition.edition import Edition
from d2lbuild.execution.home import book_folder, cache_home
from d2lbuild.files import write_atomically

__all__ = ["known_expansions", "remember_expansions"]

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
