"""What a machine has for running notebooks: processors, memory and NVIDIA's GPUs, as far as this process may use them.

GPUs are named by their UUIDs: numbers mean different things to CUDA and to the driver.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import ModuleType

__all__ = ["Gpu", "Machine", "find_gpus", "memory_size", "processors", "this_machine"]

_QUERY = ("--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits")
_PATIENCE = 30.0
"""Seconds for nvidia-smi: where the driver is not kept loaded, the first call takes several."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that notebooks may use."""

    index: int
    """As the driver counts."""
    uuid: str
    """What CUDA_VISIBLE_DEVICES calls it."""
    name: str
    """``NVIDIA H100 80GB HBM3``."""
    memory: int
    """Bytes; 0 where that is unknown."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is for notebooks to share."""

    cpus: int
    memory: int | None = None
    """Bytes; None where that is unknown, and then nobody counts them."""
    gpus: tuple[Gpu, ...] = ()


def this_machine(environ: Mapping[str, str] = os.environ) -> Machine:
    """Return what this machine has; asking the driver for its GPUs takes a moment."""
    return Machine(processors(), memory_size(), find_gpus(environ))


# --- GPUs -----------------------------------------------------------------------------------------------------------


def find_gpus(environ: Mapping[str, str] = os.environ) -> tuple[Gpu, ...]:
    """Return the GPUs that the user's CUDA_VISIBLE_DEVICES leaves, all of them without it; none is no error."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and not visible.strip():
        return ()
    found = _from_library()
    if found is None:
        found = _from_program(environ)
    return found if visible is None else _visible(found, visible.split(","))


def _from_library() -> tuple[Gpu, ...] | None:
    """Ask NVIDIA's library, if its Python package is there and a driver answers; otherwise return None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one of two packages of this name says on import that it is outdated
            import pynvml  # noqa: PLC0415
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        return tuple(_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _gpu(pynvml: ModuleType, index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
    return Gpu(index, _text(pynvml.nvmlDeviceGetUUID(handle)), _text(pynvml.nvmlDeviceGetName(handle)), int(memory))


def _text(value: str | bytes) -> str:
    """Return what older versions of the package give as bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _from_program(environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi", path=environ.get("PATH", os.defpath))
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, *_QUERY],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            env=dict(environ),
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(_parsed(done.stdout))


def _parsed(table: str) -> Iterator[Gpu]:
    for line in table.splitlines():
        fields = [field.strip() for field in line.split(",")]
        # A GPU that has fallen off its bus has a line of words about that.
        if len(fields) >= 4 and fields[0].isdigit():
            memory = int(fields[-1]) * 2**20 if fields[-1].isdigit() else 0
            yield Gpu(int(fields[0]), fields[1], ", ".join(fields[2:-1]), memory)


def _visible(found: Sequence[Gpu], names: Sequence[str]) -> tuple[Gpu, ...]:
    """Choose as CUDA does: by number or by the beginning of a UUID, up to the first name that means nothing."""
    chosen: list[Gpu] = []
    for name in map(str.strip, names):
        if name.startswith("MIG-"):
            gpu: Gpu | None = Gpu(len(chosen), name, "a part of a GPU", 0)
        elif name.isdigit():
            gpu = next((one for one in found if one.index == int(name)), None)
        else:
            gpu = next((one for one in found if name and one.uuid.startswith(name)), None)
        if gpu is None:
            break
        chosen.append(gpu)
    return tuple(dict.fromkeys(chosen))


# --- processors and memory ------------------------------------------------------------------------------------------


def processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use: those it is bound to, or fewer if a container limits it."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        count = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quotas = [count, *_quotas(root)]
    return max(1, min(quotas))


def memory_size(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that this process may use, or None if the system does not say."""
    sizes: list[int] = []
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for folder in _groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            if text.isdigit():
                sizes.append(int(text))
    return min(sizes, default=None)


def _quotas(root: Path) -> Iterator[int]:
    """Yield the limits of processor time, in processors, rounded up."""
    for folder in _groups(root, "cpu"):
        quota, _, period = (_read(folder / "cpu.max") or _quota_of_version_1(folder)).partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            yield -(-int(quota) // int(period))


def _quota_of_version_1(folder: Path) -> str:
    return f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of Linux's control groups that limit this process, its own and those around it."""
    if sys.platform != "linux":
        return
    mounted = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        top = mounted / controller if controllers else mounted
        own = PurePosixPath(path.lstrip("/"))
        # In a container, the path may be that of the machine around it, and only its end be visible.
        yield from (top / folder for folder in (own, *own.parents))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
