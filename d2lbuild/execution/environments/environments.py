"""The environments that notebooks run in: made by uv from a framework's lock, one for each device and set of packages.

An environment is named by a digest that is known before it exists (from the lock's text, the Python version and the
platform), so that a build can be planned on a machine that has none. d2lbuild itself is never installed into one.
"""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments import locks
from d2lbuild.execution.environments.uv import run_uv
from d2lbuild.files import write_atomically

__all__ = [
    "Environment",
    "environment_digest",
    "environment_folder",
    "environment_text",
    "find",
    "list_environments",
    "remove",
    "sync",
]

MARKER = "d2lbuild-environment.json"
"""Written last: an environment without it is half made."""

_DESCRIBE = """
import importlib.metadata, json, platform, re
packages = {}
for distribution in importlib.metadata.distributions():
    name = distribution.metadata["Name"]
    if name:
        packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
print(json.dumps({"python": platform.python_version(), "packages": packages}))
"""

OnLine = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter with everything that one framework's notebooks need."""

    framework: str
    python: Path
    digest: str
    """SHA-256 of the resolved versions, the Python version and the platform: a part of every cache key."""
    packages: Mapping[str, str]
    """Versions of the installed distributions by normalised name."""
    python_version: str
    """In full: ``3.11.7``."""
    device: str = "cpu"
    """``gpu`` if it was made from the framework's lock for GPUs."""
    additional: tuple[str, ...] = ()
    """The exact requirements of a section that it has beside those of the lock."""

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """Return the versions of Python and of those `packages` that are installed."""
        found = {name: self.packages[name.lower()] for name in packages if name.lower() in self.packages}
        return {"python": self.python_version, **found}


# --- digests --------------------------------------------------------------------------------------------------------


def environment_digest(framework: Framework, device: str = "cpu", packages: Sequence[str] = ()) -> str:
    """Return the digest of an environment, which need not exist yet.

    `device` is ``cpu`` or ``gpu``, and `packages` are exact requirements beside the lock: ``networkx==3.3``. SetupError
    without a lock.
    """
    return _digest(environment_text(framework, device, packages))


def environment_text(framework: Framework, device: str = "cpu", packages: Sequence[str] = ()) -> str:
    """Return what decides an environment, a line each: Python, the platform, and every package with its version."""
    _check_kernel(framework)
    if framework.interpreter is not None:
        return _interpreter_text(framework, _interpreter(framework, packages))
    return locks.locked_text(framework, device, packages)


def _check_kernel(framework: Framework) -> None:
    if not framework.is_python and not framework.kernel:
        raise SetupError(
            f"nothing says which kernel runs the notebooks of {framework.title}, which are in {framework.language}",
            hint=f"write `[kernel]` and its `command` into frameworks/{framework.name}/framework.toml, or build with "
            "--no-execute",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _interpreter_text(framework: Framework, environment: Environment) -> str:
    versions = [f"{name}=={version}" for name, version in environment.packages.items()]
    return locks.text_of([*versions, *locks.kernel_lines(framework)], environment.python_version)


# --- looking --------------------------------------------------------------------------------------------------------


def find(framework: Framework, home: Path, device: str = "cpu", packages: Sequence[str] = ()) -> Environment | None:
    """Return the environment for a device, with a section's own `packages`, if it is complete; otherwise None."""
    if framework.interpreter is not None:
        _check_kernel(framework)
        return _interpreter(framework, packages)
    return _read(environment_folder(framework, home, device, packages))


def list_environments(home: Path) -> list[Environment]:
    """Return all complete environments below `home`, by folder name."""
    folders = sorted(path for path in (home / "environments").glob("*") if path.is_dir())
    return [environment for folder in folders if (environment := _read(folder))]


def remove(name: str, home: Path) -> list[Path]:
    """Remove the environments of a framework, or the one in the folder `name`; return what was removed."""
    folders = [
        path
        for path in sorted((home / "environments").glob("*"))
        if path.is_dir() and name in (path.name, path.name.rpartition("-")[0])
    ]
    for folder in folders:
        with _writing(folder), _exclusive(folder, lambda _: None):
            (folder / MARKER).unlink(missing_ok=True)
            shutil.rmtree(folder)
    return folders


def environment_folder(framework: Framework, home: Path, device: str = "cpu", packages: Sequence[str] = ()) -> Path:
    """Return the folder that holds, or will hold, an environment."""
    return home / "environments" / f"{framework.name}-{environment_digest(framework, device, packages)[:12]}"


def _python_of(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def _read(folder: Path) -> Environment | None:
    try:
        data = json.loads((folder / MARKER).read_text("utf-8"))
        environment = Environment(
            framework=data["framework"],
            python=_python_of(folder),
            digest=data["digest"],
            packages=data["packages"],
            python_version=data["python"],
            device=data.get("device", "cpu"),
            additional=tuple(data.get("additional", ())),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The interpreter that it was made from may be gone: then the link dangles.
    return environment if environment.python.exists() else None


def _interpreter(framework: Framework, packages: Sequence[str] = ()) -> Environment:
    """Return the environment of a framework that names an existing interpreter."""
    assert framework.interpreter is not None
    version, installed = _describe(framework, framework.interpreter)
    if "ipykernel" not in installed and not framework.kernel:
        raise SetupError(
            f"the interpreter of the framework {framework.name}, {framework.interpreter}, has no ipykernel",
            hint=f"run `{framework.interpreter} -m pip install ipykernel`",
        )
    for package in packages:
        name, _, wanted = (part.strip() for part in package.partition("=="))
        if installed.get(canonicalize_name(name)) != wanted:
            raise SetupError(
                f"the interpreter of the framework {framework.name}, {framework.interpreter}, has no {name} {wanted}",
                hint=f"run `{framework.interpreter} -m pip install {package}`, or use a locked environment: one with "
                "a section's own packages is made by itself",
            )
    environment = Environment(framework.name, framework.interpreter, "", installed, version)
    return replace(environment, digest=_digest(_interpreter_text(framework, environment)))


def _describe(framework: Framework, python: Path) -> tuple[str, dict[str, str]]:
    """Ask an interpreter for its version and its packages."""
    try:
        command = [str(python), "-I", "-c", _DESCRIBE]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=120
        )
        data = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SetupError(
            f"the interpreter of the framework {framework.name} does not run: {python}: {error}",
            hint="correct `interpreter` in its framework.toml, or remove it for an environment of its own",
        ) from error
    return data["python"], data["packages"]


# --- making ---------------------------------------------------------------------------------------------------------


def sync(
    framework: Framework,
    home: Path,
    on_line: OnLine = lambda _: None,
    *,
    device: str = "cpu",
    packages: Sequence[str] = (),
) -> Environment:
    """Make an environment unless it is complete, and return it.

    `on_line` receives what uv says. SetupError if a Python, the network or a package is missing.
    """
    found = find(framework, home, device, packages)
    if found is not None:
        return found
    folder = environment_folder(framework, home, device, packages)
    with _writing(folder), _exclusive(folder, on_line):
        return _read(folder) or _make(framework, folder, device, packages, on_line=on_line)


def _make(framework: Framework, folder: Path, device: str, packages: Sequence[str], *, on_line: OnLine) -> Environment:
    # Virtual environments cannot be moved, so one is made in place and marked when it is done.
    if folder.exists():
        shutil.rmtree(folder)
    python = _python_of(folder)
    additional = locks.additional(framework, device, packages)
    run_uv(
        ["venv", "--no-project", "--python", locks.python_minor(framework), "--no-python-downloads", str(folder)],
        framework=framework.name,
        cwd=folder.parent,
        on_line=on_line,
    )
    run_uv(
        ["pip", "install", "--python", str(python), "-r", str(locks.lock_file(framework, device)), *additional],
        framework=framework.name,
        cwd=folder.parent,
        on_line=on_line,
    )
    version, installed = _describe(framework, python)
    if additional:
        _check_all_are_exact(framework, device, additional, installed)
    marker = {
        "framework": framework.name,
        "digest": environment_digest(framework, device, packages),
        "python": version,
        "packages": dict(sorted(installed.items())),
        "device": locks.own_device(framework, device),
        "additional": additional,
    }
    write_atomically(folder / MARKER, json.dumps(marker, indent=1) + "\n")
    environment = _read(folder)
    assert environment is not None
    return environment


def _check_all_are_exact(
    framework: Framework, device: str, additional: Sequence[str], installed: Mapping[str, str]
) -> None:
    """Let nothing be installed whose version neither the lock nor a section names: it would not be in the digest."""
    named = locks.lock_names(framework, device) | {one.partition("==")[0] for one in additional}
    unnamed = [
        f"{name}=={version}"
        for name, version in sorted(installed.items())
        if name not in named and not name.startswith(locks.ACCELERATOR_PACKAGES)
    ]
    if unnamed:
        raise SetupError(
            f"the packages {', '.join(additional)} that a section needs beside the framework {framework.name} bring "
            f"others that nobody names: {', '.join(unnamed)}",
            hint="name them too, so that every build has the same ones",
        )


@contextlib.contextmanager
def _exclusive(folder: Path, on_line: OnLine) -> Iterator[None]:
    """Keep other builds away from an environment's folder."""
    guard = FileLock(folder.parent / f"{folder.name}.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        on_line(f"waiting for another build that is making {folder.name}")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say what to do if the cache cannot be written."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise SetupError(
            f"cannot write {error.filename or folder.parent}: {error.strerror or error}",
            hint="set D2LBUILD_CACHE to a folder that can be written",
        ) from error
