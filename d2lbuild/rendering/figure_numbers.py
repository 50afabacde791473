"""The numbers of figures, tables and equations, kept from build to build.

Sphinx goes through all documents to give them; what decides about them changes with few edits.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from d2lbuild.files import write_atomically
from d2lbuild.rendering.sphinx_speed.override import Override

__all__ = ["kept_numbers"]


def kept_numbers(file: Path, key: Callable[[], str]) -> Override:
    """Let Sphinx give the numbers in `file`, if they were given under this key: a digest of all they depend on."""

    def make(original: Any) -> Any:
        def assign_figure_numbers(self: Any, env: Any) -> list[str]:
            wanted = key()
            known = _load(file)
            if known is not None and known[0] == wanted:
                env.toc_fignumbers = known[1]
                return []
            found: list[str] = original(self, env)
            write_atomically(file, pickle.dumps((wanted, env.toc_fignumbers)))
            return found

        return assign_figure_numbers

    return Override(
        "Sphinx", "9.0", "sphinx.environment.collectors.toctree", "TocTreeCollector.assign_figure_numbers", make
    )


def _load(file: Path) -> tuple[str, Any] | None:
    try:
        key, numbers = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    except Exception:  # not there, or of another version of this program
        return None
    return key, numbers
