"""Locks: the full list of what a framework's environment consists of, one for CPUs and perhaps a second one for GPUs.

`environment_text` says in lines of text what decides an environment; its digest names the environment.
"""

import platform
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments.uv import run_uv
from d2lbuild.files import write_atomically

__all__ = [
    "ACCELERATOR_PACKAGES",
    "additional",
    "kernel_lines",
    "lock",
    "lock_file",
    "lock_names",
    "lock_text",
    "locked_text",
    "outdated",
    "own_device",
    "python_minor",
    "text_of",
]

ACCELERATOR_PACKAGES = ("cuda-", "nvidia-", "triton")
"""Left out of locks for CPUs: whether PyTorch needs them depends on which of its builds the machine's index offers.

They are installed all the same where it does, since it asks for exact versions of them.
"""

OnLine = Callable[[str], None]


# --- reading --------------------------------------------------------------------------------------------------------


def own_device(framework: Framework, device: str) -> str:
    """Return ``gpu`` if the framework has a lock of its own for such a `device`, otherwise ``cpu``."""
    return "gpu" if device != "cpu" and framework.gpu_lock is not None and framework.gpu_lock.is_file() else "cpu"


def lock_file(framework: Framework, device: str = "cpu") -> Path:
    """Return the lock that a device asks for; SetupError if there is none."""
    lock = framework.gpu_lock if own_device(framework, device) == "gpu" else framework.lock
    if lock is None or not lock.is_file():
        place = lock or Path("frameworks") / framework.name / "requirements.txt"
        raise SetupError(
            f"the framework {framework.name} has no lock, so its environment cannot be made: {place} does not exist",
            hint=f"write what it needs into {place.with_name('requirements.in')} and run `d2lbuild env lock "
            f"{framework.name}`, or set `interpreter` in its framework.toml to a Python that has it",
        )
    return lock


def locked_text(framework: Framework, device: str = "cpu", packages: Sequence[str] = ()) -> str:
    """Return what decides an environment that is made from a lock."""
    lines = [*_lines(lock_file(framework, device)), *additional(framework, device, packages), *kernel_lines(framework)]
    return text_of(lines, python_minor(framework))


def text_of(lines: Iterable[str], python: str) -> str:
    """Return the text whose digest names an environment: Python, the platform, and the `lines` in order."""
    return "\n".join([f"python {python}", f"platform {sys.platform} {platform.machine()}", *sorted(lines)])


def kernel_lines(framework: Framework) -> list[str]:
    """Return the line that says with which command the kernel starts, if it is not IPython's."""
    return [f"kernel {shlex.join(framework.kernel)}"] if framework.kernel else []


def additional(framework: Framework, device: str, packages: Sequence[str]) -> list[str]:
    """Return those exact requirements that the lock does not make superfluous, each in one spelling and once."""
    locked = {_exact(line.partition(";")[0]) for line in _lines(lock_file(framework, device))} if packages else set()
    return sorted({_exact(package) for package in packages} - locked)


def lock_names(framework: Framework, device: str) -> set[str]:
    """Return the normalised names of the packages in a lock."""
    return {canonicalize_name(line.partition("==")[0].strip()) for line in _lines(lock_file(framework, device))}


def outdated(framework: Framework, device: str = "cpu") -> list[str]:
    """Return the requirements that a lock does not fulfil, as they are written: it was made before they were."""
    source = framework.requirements if device == "cpu" else framework.gpu_requirements
    if source is None or not source.is_file():
        return []
    exact = (line.partition(";")[0].partition("==") for line in _lines(lock_file(framework, device)))
    locked: dict[str, list[str]] = {}
    for name, _, version in exact:
        locked.setdefault(canonicalize_name(name.strip().partition("[")[0]), []).append(version.strip())
    return [line for line in _lines(source) if not line.startswith("-") and not _is_met(line, locked)]


def _is_met(line: str, locked: Mapping[str, Sequence[str]]) -> bool:
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        return True  # uv may know what it means
    if wanted.url or (wanted.marker is not None and not wanted.marker.evaluate()):
        return True
    versions = locked.get(canonicalize_name(wanted.name), [])
    return any(wanted.specifier.contains(version, prereleases=True) for version in versions)


def python_minor(framework: Framework) -> str:
    """Return the version of Python that a framework's environment has."""
    return framework.python or f"{sys.version_info.major}.{sys.version_info.minor}"


def _lines(path: Path) -> list[str]:
    """Return the requirements of a lock, each in one spelling, without comments."""
    lines = (" ".join(line.partition("#")[0].split()) for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def _exact(requirement: str) -> str:
    name, separator, version = requirement.partition("==")
    return f"{canonicalize_name(name.strip())}{separator}{version.strip()}"


# --- making ---------------------------------------------------------------------------------------------------------


def lock(framework: Framework, on_line: OnLine = lambda _: None, *, device: str = "cpu") -> Path:
    """Resolve the requirements for a device afresh, write the lock beside them, and return the lock's path."""
    source = framework.requirements if device == "cpu" else framework.gpu_requirements
    name = "requirements.in" if device == "cpu" else "requirements-gpu.in"
    if source is None or not source.is_file():
        place = source or Path("frameworks") / framework.name / name
        what = "requirements" if device == "cpu" else "requirements for GPUs"
        raise SetupError(
            f"the framework {framework.name} has no {what}: {place} does not exist",
            hint="write one requirement a line into it: the framework, ipykernel, matplotlib, …",
        )
    target = (framework.lock if device == "cpu" else framework.gpu_lock) or source.with_suffix(".txt")
    with tempfile.TemporaryDirectory(prefix="d2lbuild-") as folder:
        resolved = Path(folder) / target.name
        arguments = ["pip", "compile", "--quiet", "--universal", "--fork-strategy", "fewest", "--no-header"]
        arguments += ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-python-downloads"]
        arguments += ["--python-version", python_minor(framework), "--output-file", str(resolved), str(source)]
        run_uv(arguments, framework=framework.name, cwd=Path(folder), on_line=on_line)
        text = lock_text(framework.name, resolved.read_text("utf-8"), device)
    try:
        write_atomically(target, text)
    except OSError as error:
        raise SetupError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def lock_text(name: str, resolved: str, device: str = "cpu") -> str:
    """Return the text of a lock, given what uv resolved.

    Locks for CPUs name no local builds (``+cpu``), and nothing that only GPUs need.
    """
    if device == "cpu":
        header = [
            f"# Made from requirements.in by `d2lbuild env lock {name}`: change that file, not this one.",
            "# What only GPU builds need (cuda-*, nvidia-*, triton) is left out; they ask for it themselves.",
        ]
        dropped: tuple[str, ...] = (*ACCELERATOR_PACKAGES, "#", "-")
    else:
        header = [
            f"# Made from requirements-gpu.in by `d2lbuild env lock --gpu {name}`: change that file, not this one."
        ]
        dropped = ("#", "-")
    body = []
    for line in resolved.splitlines():
        requirement, separator, marker = line.partition(" ;")
        if requirement and not requirement.startswith(dropped):
            exact = requirement.partition("+")[0] if device == "cpu" else requirement
            body.append(exact.strip() + separator + marker)
    return "\n".join([*header, *body]) + "\n"
