"""The parts of a kernel's process that can be tried without a kernel."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from d2lbuild.execution.kernels import kernel_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

FAMILY = """
import os, sys, time
import importlib.util
spec = importlib.util.spec_from_file_location("process", sys.argv[1])
process = importlib.util.module_from_spec(spec)
spec.loader.exec_module(process)
process.keep_orphans()
if os.fork() == 0:
    # A daemon: in a session of its own, its parent gone.
    os.setsid()
    if os.fork():
        os._exit(0)
    time.sleep(600)
if os.fork() == 0:
    time.sleep(600)
os.wait()
print("ready", flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    """Return a process with a child and with a daemon that it has taken over."""
    command = [sys.executable, "-c", FAMILY, kernel_process.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_daemons_are_descendants_too(family: subprocess.Popen[str]) -> None:
    first, second = kernel_process.descendants(family.pid)
    assert alive(first)
    assert alive(second)
    assert os.getsid(family.pid) in {os.getsid(first), os.getsid(second)}
    assert os.getsid(first) != os.getsid(second)


def test_those_that_are_spared_are_not_named(family: subprocess.Popen[str]) -> None:
    first, second = kernel_process.descendants(family.pid)
    assert kernel_process.descendants(family.pid, {first}) == [second]
    assert not {first, second} & set(kernel_process.descendants(os.getpid(), {family.pid}))


def test_a_tree_ends_as_a_whole(family: subprocess.Popen[str]) -> None:
    below = kernel_process.descendants(family.pid)
    kernel_process.end_tree(family.pid)
    assert family.wait(timeout=60) == -9
    deadline = time.monotonic() + 60
    while any(map(alive, below)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, below))


def test_ending_what_is_gone_does_nothing() -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    process.wait()
    kernel_process.end_tree(process.pid)


def test_a_system_that_keeps_the_network_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        def __init__(self, name: None, use_errno: bool) -> None:
            pass

        def unshare(self, kinds: int) -> int:
            ctypes.set_errno(1)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", Libc)
    assert kernel_process.leave_network() == "this system does not allow it (Operation not permitted)"
