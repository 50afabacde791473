"""What this machine lacks for each output, and what mends it. The facts are told by the modules that know them."""

import platform
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

from d2lbuild import __version__
from d2lbuild.config import Config
from d2lbuild.config.types import Pdf
from d2lbuild.edition.edition import make_edition
from d2lbuild.equipment import Item, State, installed_version
from d2lbuild.errors import D2lbuildError
from d2lbuild.execution.devices import this_machine
from d2lbuild.execution.environments.environments import list_environments
from d2lbuild.execution.equipment import (
    disk_equipment,
    environment_equipment,
    gpu_equipment,
    lock_equipment,
    sandbox_equipment,
    skipped_equipment,
)
from d2lbuild.execution.home import cache_home
from d2lbuild.garbage import without_collections
from d2lbuild.model import Notebook
from d2lbuild.source.book import load_sections

__all__ = ["OUTPUTS", "Section", "examine"]

_DEVELOPMENT = {"chromium": "chromium", "pdftotext": "poppler-utils", "epubcheck": "epubcheck"}
"""Programs that only tests use, and the Debian packages that have them."""


@dataclass(frozen=True, slots=True)
class Section:
    """What one output, or one kind of work, needs."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Patient:
    """What is looked at: perhaps no book, and of a book these frameworks."""

    config: Config | None
    frameworks: Sequence[str]


def examine(
    config: Config | None, frameworks: Sequence[str], outputs: Sequence[str], *, development: bool = False
) -> list[Section]:
    """Return what is there and what is not for some outputs of a book; without a book, for any book's."""
    patient = _Patient(config, frameworks)
    chosen: dict[str, Callable[[_Patient], Iterator[Item]]] = {"d2lbuild": _program}
    chosen |= {name: _SECTIONS[name] for name in outputs}
    if development:
        chosen["development"] = lambda _: map(_optional, _DEVELOPMENT)
    return [Section(name, tuple(_looked_at(items, patient))) for name, items in chosen.items()]


def _looked_at(items: Callable[[_Patient], Iterator[Item]], patient: _Patient) -> Iterator[Item]:
    """Yield what is there; a package that is missing must not keep the rest from being told."""
    try:
        yield from items(patient)
    except ImportError as error:
        yield Item("Python packages", State.MISSING, f"not complete: {error}", (error.name or "",))


def _program(patient: _Patient) -> Iterator[Item]:
    yield Item("d2lbuild", State.THERE, __version__)
    yield Item("Python", State.THERE, f"{platform.python_version()}, {sys.executable}")
    yield _packages()
    if patient.config is None:
        yield Item("book", State.NOTE, "none here: --book names one")
    else:
        names = ", ".join(framework.name for framework in patient.config.frameworks)
        yield Item("book", State.THERE, f"{patient.config.title}, {patient.config.source}, in {names}")
    yield from disk_equipment(cache_home(), patient.config.output if patient.config else None)


def _packages(extra: str = "") -> Item:
    """Return whether the Python packages are there that d2lbuild, or one of its extras, asks for."""
    name = "Python packages"
    try:
        required = [Requirement(line) for line in metadata.requires("d2lbuild") or ()]
    except metadata.PackageNotFoundError:
        return Item(name, State.NOTE, "not known, since d2lbuild is not installed as a package")
    needed = [one for one in required if _is_for(one, extra) and not (extra and _is_for(one, ""))]
    absent = tuple(f"{one.name}{one.specifier}" for one in needed if not _is_installed(one))
    if absent:
        mend = shlex.join([sys.executable, "-m", "pip", "install", *absent])
        return Item(name, State.MISSING, lacks=absent, mend=mend)
    return Item(name, State.THERE, f"all {len(needed)} that are needed")


def _is_for(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _is_installed(requirement: Requirement) -> bool:
    version = installed_version(requirement.name)
    return bool(version) and requirement.specifier.contains(version, prereleases=True)


def _optional(program: str) -> Item:
    """Return whether a program is there that no build uses."""
    place = shutil.which(program)
    if place:
        return Item(program, State.THERE, place)
    mend = f"sudo apt-get install {_DEVELOPMENT[program]}"
    return Item(program, State.NOTE, "not there: only tests use it", (program,), mend)


# --- outputs ----------------------------------------------------------------------------------------------------------


def _notebooks(patient: _Patient) -> Iterator[Item]:
    home, machine, config = cache_home(), this_machine(), patient.config
    if config is None:
        names = sorted({environment.framework for environment in list_environments(home)})
        yield Item("environments", State.THERE if names else State.NOTE, ", ".join(names) or "none yet")
        yield gpu_equipment(machine)
        return
    for name in patient.frameworks:
        yield from environment_equipment(config.framework(name), home, machine)
        yield from lock_equipment(config.framework(name))
    yield from sandbox_equipment(config.execution)
    yield gpu_equipment(machine)
    try:
        yield from skipped_equipment(_written(config, patient.frameworks), config.execution, machine)
    except D2lbuildError as error:
        yield Item("skipped", State.NOTE, f"not known: {error.message}", mend="d2lbuild check")


def _written(config: Config, frameworks: Sequence[str]) -> list[Notebook]:
    """Return the notebooks as they are written."""
    with without_collections():
        sections = tuple(load_sections(config).values())
        return [one for name in frameworks for one in make_edition(config, sections, name).neutral]


def _html(_: _Patient) -> Iterator[Item]:
    yield _nothing()
    yield from _extra("html")
    from d2lbuild.rendering.sphinx_speed import speed_equipment  # noqa: PLC0415 - slow to import, or not there

    yield speed_equipment()


def _pdf(patient: _Patient) -> Iterator[Item]:
    from d2lbuild.rendering.pdf.system import pdf_equipment  # noqa: PLC0415 - other outputs need not wait for it

    if patient.config is None:
        yield from pdf_equipment(Pdf(), "en")
    else:
        yield from pdf_equipment(patient.config.pdf, patient.config.language)
    yield from _extra("html")


def _epub(_: _Patient) -> Iterator[Item]:
    yield _nothing()
    yield from _extra("html")


def _extra(extra: str) -> Iterator[Item]:
    """Yield what an output lacks of the packages that an extra brings; nothing if they are there."""
    packages = _packages(extra)
    if packages.state is State.MISSING:
        yield packages


def _nothing() -> Item:
    return Item("system", State.THERE, "needs nothing beyond the Python packages")


_SECTIONS: Mapping[str, Callable[[_Patient], Iterator[Item]]] = {
    "notebooks": _notebooks,
    "html": _html,
    "pdf": _pdf,
    "epub": _epub,
}
OUTPUTS = tuple(_SECTIONS)
"""What can be asked for. Notebooks are run for all of them."""
