"""What running notebooks needs of this machine: environments, their Pythons and kernels, namespaces, GPUs."""

import contextlib
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from d2lbuild.config.types import Execution, Framework
from d2lbuild.equipment import Item, State
from d2lbuild.errors import SetupError
from d2lbuild.execution.devices import Machine
from d2lbuild.execution.environments import locks
from d2lbuild.execution.environments.environments import find
from d2lbuild.execution.environments.uv import has_python
from d2lbuild.execution.kernels import kernel_process
from d2lbuild.execution.needs import whole_needs
from d2lbuild.execution.scheduler import refusal
from d2lbuild.model import Notebook
from d2lbuild.notation import show_size

__all__ = [
    "disk_equipment",
    "environment_equipment",
    "gpu_equipment",
    "lock_equipment",
    "sandbox_equipment",
    "skipped_equipment",
]

_NAMED = 6
"""So many sections are named; of more there is only the number."""
_ALLOW = "sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
"""Lets users have namespaces of their own; which of the two a system knows depends on where its kernel is from."""
_TRY = "import sys; sys.path.insert(0, sys.argv[1]); import kernel_process; print(kernel_process.leave_network() or '')"


_LITTLE = 2 * 1024**3
"""Bytes that are little: about what the environment of one framework takes while it is made."""


def disk_equipment(home: Path, output: Path | None) -> Iterator[Item]:
    """Yield how much can still be written, where environments and results go, and where a book is built."""
    places = {"disk for the cache": (home, "d2lbuild cache gc --older-than 30d --environments")}
    if output is not None:
        places["disk for output"] = (output, "choose another folder with --output, or free some space")
    for name, (folder, mend) in places.items():
        there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
        try:
            free = shutil.disk_usage(there).free
        except OSError as error:
            yield Item(name, State.NOTE, f"not known: {error.strerror or error}")
            continue
        little = free < _LITTLE
        detail = f"{show_size(free)} free in {folder}{': that is little' if little else ''}"
        yield Item(name, State.NOTE if little else State.THERE, detail, mend=mend if little else "")


def lock_equipment(framework: Framework) -> Iterator[Item]:
    """Yield which locks of a framework are older than its requirements."""
    if framework.interpreter is not None:
        return
    for device in ("cpu", "gpu"):
        with contextlib.suppress(SetupError):  # without a lock it is the environment that is missing
            if lines := locks.outdated(framework, device) if locks.own_device(framework, device) == device else []:
                name = f"{framework.name} lock" if device == "cpu" else f"{framework.name} lock for GPUs"
                option = "" if device == "cpu" else "--gpu "
                detail = f"older than its requirements: it has no {', '.join(lines)}"
                yield Item(name, State.NOTE, detail, tuple(lines), f"d2lbuild env lock {option}{framework.name}")


def environment_equipment(framework: Framework, home: Path, machine: Machine) -> Iterator[Item]:
    """Yield what the notebooks of a framework run in."""
    yield _environment(framework, home)
    program = framework.kernel[0] if framework.kernel else "{environment}"
    if "{" not in program and shutil.which(program) is None:
        mend = f"install {program}, or correct `command` in its framework.toml"
        yield Item(f"{framework.name} kernel", State.MISSING, lacks=(program,), mend=mend)
    if machine.gpus and locks.own_device(framework, "gpu") == "gpu" and framework.interpreter is None:
        yield _environment(framework, home, "gpu")


def _environment(framework: Framework, home: Path, device: str = "cpu") -> Item:
    name = framework.name if device == "cpu" else f"{framework.name} on GPUs"
    try:
        found = find(framework, home, device)
    except SetupError as error:
        return Item(name, State.MISSING, error.message, ("environment",), error.hint)
    if found is not None:
        versions = found.versions(framework.packages)
        told = [f"{package} {version}" for package, version in versions.items() if package != "python"]
        return Item(name, State.THERE, ", ".join([f"Python {found.python_version}", *told]))
    python = locks.python_minor(framework)
    if not has_python(python):
        mend = f"install Python {python}, or set `python` or `interpreter` in its framework.toml"
        detail = f"its environment is not there, and cannot be made without Python {python}"
        return Item(name, State.MISSING, detail, ("environment", f"Python {python}"), mend)
    command = "d2lbuild env sync --gpu" if device == "gpu" else "d2lbuild env sync"
    detail = "its environment is not there: a build makes it first"
    return Item(name, State.MISSING, detail, ("environment",), f"{command} {framework.name}")


def sandbox_equipment(execution: Execution) -> Iterator[Item]:
    """Yield whether kernels can do without a network, if that is configured."""
    if not execution.sandbox:
        return
    folder = str(Path(kernel_process.__file__).parent)
    done = subprocess.run([sys.executable, "-I", "-c", _TRY, folder], capture_output=True, text=True, check=False)
    problem = done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]
    if not problem:
        yield Item("sandbox", State.THERE, "notebooks can run without a network")
        return
    mend = _ALLOW if sys.platform == "linux" else "set `sandbox = false` in [execution]"
    yield Item("sandbox", State.MISSING, f"notebooks would have a network: {problem}", ("sandbox",), mend)


def gpu_equipment(machine: Machine) -> Item:
    """Return which GPUs there are."""
    if machine.gpus:
        return Item("GPU", State.THERE, ", ".join(gpu.name for gpu in machine.gpus))
    reason = "nvidia-smi tells of none" if shutil.which("nvidia-smi") else "there is no nvidia-smi"
    return Item("GPU", State.NOTE, f"none: {reason}")


def skipped_equipment(notebooks: Iterable[Notebook], execution: Execution, machine: Machine) -> Iterator[Item]:
    """Yield which notebooks this machine cannot run, by what they lack."""
    for reason, sections in _refused(notebooks, execution, machine).items():
        names = list(sections)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield Item("skipped", State.NOTE, f"{', '.join(names[:_NAMED])}{more}: {reason}", tuple(names))


def _refused(notebooks: Iterable[Notebook], execution: Execution, machine: Machine) -> Mapping[str, dict[str, None]]:
    """Return the sections that are not run by why, each once: most need the same in all frameworks."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for notebook in notebooks:
        if notebook.code and (reason := refusal(whole_needs(notebook, execution), machine)):
            found[reason][notebook.section.id] = None
    return found
