"""The environments that notebooks run in: one for each framework, made by uv from the framework's lock.

An environment is named by a digest that is known before it exists (from the lock's text, the Python version and the
platform), so that a build can be planned on a machine that has none. d2lbuild itself is never installed into one.
"""

import contextlib
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.uv import run_uv
from d2lbuild.files import write_atomically

__all__ = [
    "Environment",
    "environment_digest",
    "find",
    "list_environments",
    "lock",
    "lock_text",
    "remove",
    "sync",
]

MARKER = "d2lbuild-environment.json"
"""Written last: an environment without it is half made."""

ACCELERATOR_PACKAGES = ("cuda-", "nvidia-", "triton")
"""Left out of locks: whether PyTorch needs them depends on which of its builds the machine's index offers.

They are installed all the same where it does, since it asks for exact versions of them.
"""

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

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """Return the versions of Python and of those `packages` that are installed."""
        found = {name: self.packages[name.lower()] for name in packages if name.lower() in self.packages}
        return {"python": self.python_version, **found}


# --- digests --------------------------------------------------------------------------------------------------------


def environment_digest(framework: Framework) -> str:
    """Return the digest of a framework's environment, which need not exist yet; SetupError without a lock."""
    if framework.interpreter is not None:
        return _interpreter(framework).digest
    return _digest(_lock_lines(framework), _python_minor(framework))


def _digest(versions: Iterable[str], python: str) -> str:
    lines = [f"python {python}", f"platform {sys.platform} {platform.machine()}", *sorted(versions)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _lock_lines(framework: Framework) -> list[str]:
    """Return the requirements of the lock, each in one spelling, without comments."""
    lines = (" ".join(line.partition("#")[0].split()) for line in _lock_file(framework).read_text("utf-8").splitlines())
    return [line for line in lines if line]


def _lock_file(framework: Framework) -> Path:
    if framework.lock is None or not framework.lock.is_file():
        place = framework.lock or Path("frameworks") / framework.name / "requirements.txt"
        raise SetupError(
            f"the framework {framework.name} has no lock, so its environment cannot be made: {place} does not exist",
            hint=f"write what it needs into {place.with_name('requirements.in')} and run `d2lbuild env lock "
            f"{framework.name}`, or set `interpreter` in its framework.toml to a Python that has it",
        )
    return framework.lock


def _python_minor(framework: Framework) -> str:
    return framework.python or f"{sys.version_info.major}.{sys.version_info.minor}"


# --- looking --------------------------------------------------------------------------------------------------------


def find(framework: Framework, home: Path) -> Environment | None:
    """Return a framework's environment if it is complete, otherwise None."""
    if framework.interpreter is not None:
        return _interpreter(framework)
    return _read(_folder(framework, home))


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


def _folder(framework: Framework, home: Path) -> Path:
    return home / "environments" / f"{framework.name}-{environment_digest(framework)[:12]}"


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
        )
    except (OSError, ValueError, KeyError):
        return None
    # The interpreter that it was made from may be gone: then the link dangles.
    return environment if environment.python.exists() else None


def _interpreter(framework: Framework) -> Environment:
    """Return the environment of a framework that names an existing interpreter."""
    assert framework.interpreter is not None
    version, packages = _describe(framework, framework.interpreter)
    if "ipykernel" not in packages:
        raise SetupError(
            f"the interpreter of the framework {framework.name}, {framework.interpreter}, has no ipykernel",
            hint=f"run `{framework.interpreter} -m pip install ipykernel`",
        )
    versions = (f"{name}=={packages[name]}" for name in packages)
    return Environment(framework.name, framework.interpreter, _digest(versions, version), packages, version)


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


def sync(framework: Framework, home: Path, on_line: OnLine = lambda _: None) -> Environment:
    """Make a framework's environment unless it is complete, and return it.

    `on_line` receives what uv says. SetupError if a Python, the network or a package is missing.
    """
    found = find(framework, home)
    if found is not None:
        return found
    folder = _folder(framework, home)
    with _writing(folder), _exclusive(folder, on_line):
        return _read(folder) or _make(framework, folder, on_line)


def _make(framework: Framework, folder: Path, on_line: OnLine) -> Environment:
    # Virtual environments cannot be moved, so one is made in place and marked when it is done.
    if folder.exists():
        shutil.rmtree(folder)
    lock_file = _lock_file(framework)
    python = _python_of(folder)
    run_uv(
        ["venv", "--no-project", "--python", _python_minor(framework), "--no-python-downloads", str(folder)],
        framework=framework.name,
        cwd=folder.parent,
        on_line=on_line,
    )
    run_uv(
        ["pip", "install", "--python", str(python), "-r", str(lock_file)],
        framework=framework.name,
        cwd=folder.parent,
        on_line=on_line,
    )
    version, packages = _describe(framework, python)
    marker = {
        "framework": framework.name,
        "digest": environment_digest(framework),
        "python": version,
        "packages": dict(sorted(packages.items())),
    }
    write_atomically(folder / MARKER, json.dumps(marker, indent=1) + "\n")
    environment = _read(folder)
    assert environment is not None
    return environment


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


# --- locking --------------------------------------------------------------------------------------------------------


def lock(framework: Framework, on_line: OnLine = lambda _: None) -> Path:
    """Resolve ``requirements.in`` afresh, write the lock beside it, and return the lock's path."""
    source = framework.requirements
    if source is None or not source.is_file():
        place = source or Path("frameworks") / framework.name / "requirements.in"
        raise SetupError(
            f"the framework {framework.name} has no requirements: {place} does not exist",
            hint="write one requirement a line into it: the framework, ipykernel, matplotlib, …",
        )
    target = framework.lock or source.with_name("requirements.txt")
    with tempfile.TemporaryDirectory(prefix="d2lbuild-") as folder:
        resolved = Path(folder) / "requirements.txt"
        arguments = ["pip", "compile", "--quiet", "--universal", "--fork-strategy", "fewest", "--no-header"]
        arguments += ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-python-downloads"]
        arguments += ["--python-version", _python_minor(framework), "--output-file", str(resolved), str(source)]
        run_uv(arguments, framework=framework.name, cwd=Path(folder), on_line=on_line)
        text = lock_text(framework.name, resolved.read_text("utf-8"))
    with _writing(target):
        write_atomically(target, text)
    return target


def lock_text(name: str, resolved: str) -> str:
    """Return the text of a lock, given what uv resolved: no local builds (``+cpu``), no packages for GPUs."""
    header = [
        f"# Made from requirements.in by `d2lbuild env lock {name}`: change that file, not this one.",
        "# What only GPU builds need (cuda-*, nvidia-*, triton) is left out; they ask for it themselves.",
    ]
    body = []
    for line in resolved.splitlines():
        requirement, separator, marker = line.partition(" ;")
        if requirement and not requirement.startswith((*ACCELERATOR_PACKAGES, "#", "-")):
            body.append(requirement.partition("+")[0].strip() + separator + marker)
    return "\n".join([*header, *body]) + "\n"
