"""One function of a package in place of another, as long as it is needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from d2lbuild.equipment import installed_version

__all__ = ["Override", "fits", "put_in_place"]


@dataclass(frozen=True, slots=True)
class Override:
    """Says what stands for what."""

    distribution: str
    versions: str
    """The beginning of the versions that it was written for: ``0.22``."""
    module: str
    name: str
    """In the module; with a dot, of a class."""
    make: Callable[[Any], Any]
    """Is given the original and returns what takes its place."""


@cache
def fits(distribution: str, versions: str) -> bool:
    """Whether an installed package is of these versions."""
    found = installed_version(distribution)
    return found == versions or found.startswith(f"{versions}.")


@contextmanager
def put_in_place(override: Override) -> Iterator[bool]:
    """Replace a function, unless it is not the one that the override was written for; afterwards put it back."""
    owner: Any = import_module(override.module) if fits(override.distribution, override.versions) else None
    *path, name = override.name.split(".")
    for part in path:
        owner = getattr(owner, part, None)
    original = vars(owner).get(name) if owner is not None else None
    if original is None:
        yield False
        return
    setattr(owner, name, override.make(original))
    try:
        yield True
    finally:
        setattr(owner, name, original)
