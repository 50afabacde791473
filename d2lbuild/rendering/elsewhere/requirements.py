"""What a notebook that is opened elsewhere has to install: the direct requirements of its framework, as locked."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from d2lbuild.config.types import Framework

__all__ = ["direct_requirements", "locked_lines"]

_OF_JUPYTER = frozenset({"ipykernel", "matplotlib-inline", "jupyterlab", "notebook"})
"""Each service has its own, and runs the notebook in it."""
_PLATFORM = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
}
"""What such services run on."""


def direct_requirements(framework: Framework, *, gpu: bool = False, there: frozenset[str] = frozenset()) -> list[str]:
    """Return the direct requirements of a framework, at their locked versions.

    Those that a service has already, `there`, are left out, unless the book itself asks for one exact version.
    """
    found = []
    lock = {canonicalize_name(one.name): one for one in _requirements(locked_lines(framework, gpu=gpu), framework)}
    asked = framework.gpu_requirements if gpu and framework.gpu_requirements else framework.requirements
    for one in _requirements(_lines(asked), framework):
        name = canonicalize_name(one.name)
        pinned = any(part.operator == "==" for part in one.specifier)
        if name not in _OF_JUPYTER and (pinned or name not in there):
            extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
            found.append(f"{one.name}{extras}{lock.get(name, one).specifier}")
    return sorted(found, key=str.lower)


def locked_lines(framework: Framework, *, gpu: bool = False) -> list[str]:
    """Return the lines of a framework's lock, without comments; none if it has no lock."""
    return _lines(framework.gpu_lock if gpu and framework.gpu_lock else framework.lock)


def _lines(file: Path | None) -> list[str]:
    if file is None or not file.is_file():
        return []
    lines = (line.partition(" #")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _requirements(lines: Sequence[str], framework: Framework) -> Iterator[Requirement]:
    """Yield the requirements that hold on the machines of a service."""
    for line in lines:
        try:
            one = Requirement(line)
        except InvalidRequirement:
            continue  # an option of pip
        python = {"python_version": framework.python, "python_full_version": f"{framework.python}.0"}
        environment = {**_PLATFORM, **(python if framework.python.count(".") == 1 else {})}
        if one.marker is None or one.marker.evaluate(environment):
            yield one
