"""What a machine has and lacks for a piece of work: a value for each thing, made by the module that knows about it."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec

from d2lbuild.errors import SetupError

__all__ = ["Item", "State", "digested_versions", "installed_version", "missing_modules", "require"]

_MODULES = {
    "html": ("sphinx", "myst_nb", "sphinxcontrib.bibtex", "sphinx_copybutton", "furo", "segno", "math_core", "Stemmer"),
    "lsp": ("pygls",),
    "ray": ("ray",),
    "serve": ("starlette", "uvicorn", "watchfiles"),
}
"""What the extras of d2lbuild bring, as far as it is imported without asking whether it is there."""


class State(Enum):
    """Whether something is there."""

    THERE = "ok"
    MISSING = "missing"
    NOTE = "note"
    """Not there or not as it could be, but the work can be done."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing, or several of one kind that a single command brings."""

    name: str
    state: State
    detail: str = ""
    """Of what is there: versions, names. Of the rest: what is wrong."""
    lacks: tuple[str, ...] = ()
    """What is missing, by name."""
    mend: str = ""
    """The command that mends it, or in words what does."""


def require(extra: str, who: str) -> None:
    """Raise SetupError, in words that say `who` needs what, unless the packages of an extra are installed."""
    if missing := missing_modules(extra):
        raise SetupError(f"{who} needs {', '.join(missing)}", hint=f'pip install "d2lbuild[{extra}]"')


def missing_modules(extra: str) -> list[str]:
    """Return what is imported of an extra and cannot be."""
    return [name for name in _MODULES[extra] if not _is_there(name)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # the package that it would be in is missing
        return False


def installed_version(distribution: str) -> str:
    """Return the version of a package; empty if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow to import

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def digested_versions(distributions: Sequence[str]) -> tuple[str, ...]:
    """Return what tells the installed versions of packages from others, in a tenth of the time that asking takes.

    It is the names of the folders that describe them (PEP 376); versions, of packages that have none.
    """
    names = {one.lower().replace("-", "_"): one for one in distributions}
    found: dict[str, str] = {}
    for folder in _described():
        name = folder.partition("-")[0].lower()
        if name in names:
            found.setdefault(name, folder)
    return tuple(found.get(name) or installed_version(one) for name, one in names.items())


def _described() -> Iterator[str]:
    for place in sys.path:
        try:
            names = os.listdir(place or os.curdir)  # noqa: PTH208 - names are enough
        except OSError:
            continue
        yield from (name for name in sorted(names) if name.endswith(".dist-info"))
