import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from d2lbuild.execution import devices
from d2lbuild.execution.devices import Gpu, find_gpus, memory_size, processors, this_machine

MIB = 2**20
TABLE = """0, GPU-aaaa-1111, NVIDIA H200, 143771
1, GPU-aabb-2222, NVIDIA A100, 40GB, 40960
2, GPU-cccc-3333, NVIDIA T4, [N/A]
Unable to determine the device handle for GPU 0000:03:00.0: Unknown Error
"""
H200, A100, T4 = GPUS = (
    Gpu(0, "GPU-aaaa-1111", "NVIDIA H200", 143771 * MIB),
    Gpu(1, "GPU-aabb-2222", "NVIDIA A100, 40GB", 40960 * MIB),
    Gpu(2, "GPU-cccc-3333", "NVIDIA T4", 0),
)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables with a PATH on which a program says what nvidia-smi says."""
    monkeypatch.setattr(devices, "_from_library", lambda: None)
    return fake_program(tmp_path / "bin", f"cat <<'END'\n{TABLE}END")


def fake_program(folder: Path, script: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"}


needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="the program is a script of the shell")


@needs_shell
def test_the_program_says_which_gpus_there_are(environ: dict[str, str]) -> None:
    assert find_gpus(environ) == GPUS


@needs_shell
@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("", ()),
        (" ", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("1", (A100,)),
        ("2, 0", (T4, H200)),
        ("1,7,0", (A100,)),
        ("GPU-cc", (T4,)),
        ("GPU-aabb-2222,0,0", (A100, H200)),
        ("MIG-dddd", (Gpu(0, "MIG-dddd", "a part of a GPU", 0),)),
    ],
)
def test_the_users_choice_counts(environ: dict[str, str], visible: str, expected: tuple[Gpu, ...]) -> None:
    assert find_gpus({**environ, "CUDA_VISIBLE_DEVICES": visible}) == expected


@needs_shell
@pytest.mark.parametrize("script", ["exit 9", "echo 'NVIDIA-SMI has failed'", "echo ''"])
def test_a_driver_that_does_not_answer_has_no_gpus(tmp_path: Path, environ: dict[str, str], script: str) -> None:
    assert find_gpus(fake_program(tmp_path / "bin", script)) == ()


@needs_shell
def test_a_program_that_hangs_is_given_up(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_PATIENCE", 0.1)
    assert find_gpus(fake_program(tmp_path / "bin", "exec sleep 600")) == ()


def test_no_driver_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_from_library", lambda: None)
    assert find_gpus({"PATH": str(tmp_path)}) == ()


class FakeLibrary(SimpleNamespace):
    """Stands for the package `pynvml`."""

    NVMLError = OSError

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.fails = fails
        self.closed = 0
        self.nvmlDeviceGetCount = lambda: 2
        self.nvmlDeviceGetUUID = lambda index: GPUS[index].uuid.encode()
        self.nvmlDeviceGetName = lambda index: GPUS[index].name
        self.nvmlDeviceGetMemoryInfo = lambda index: SimpleNamespace(total=GPUS[index].memory)

    def nvmlInit(self) -> None:  # noqa: N802
        if self.fails == "init":
            raise OSError("no driver")

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.closed += 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if self.fails == "handle":
            raise OSError("lost")
        return index


@pytest.mark.parametrize(("fails", "expected", "closed"), [("", GPUS[:2], 1), ("init", (), 0), ("handle", (), 1)])
def test_the_library_is_asked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, expected: tuple[Gpu, ...], closed: int
) -> None:
    library = FakeLibrary(fails)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert find_gpus({"PATH": str(tmp_path)}) == expected
    assert library.closed == closed


# --- processors and memory ---

linux = pytest.mark.skipif(sys.platform != "linux", reason="control groups")


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@linux
@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "50000 100000\n"}, 1),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/x\n3:memory:/y\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_a_container_limits_the_processors(tmp_path: Path, files: dict[str, str], count: int | None) -> None:
    assert processors(system(tmp_path, files)) == (count or len(os.sched_getaffinity(0)))


@linux
@pytest.mark.parametrize(
    ("files", "size"),
    [
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "1000000\n"}, 1000000),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, None),
        ({"proc/self/cgroup": "3:memory:/y\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000"}, 2000000),
        ({}, None),
    ],
)
def test_a_container_limits_the_memory(tmp_path: Path, files: dict[str, str], size: int | None) -> None:
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert memory_size(system(tmp_path, files)) == (size or whole)


def test_this_machine(tmp_path: Path) -> None:
    machine = this_machine({"PATH": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""})
    assert machine.cpus == processors()
    assert machine.memory == memory_size()
    assert machine.gpus == ()
