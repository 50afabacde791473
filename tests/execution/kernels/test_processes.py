"""Memory and remains of real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from d2lbuild.execution.kernels.processes import Process, ProcessTree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

MIB = 1 << 20


@contextmanager
def process(code: str) -> Iterator[int]:
    """A process in a session of its own, once it has printed a line."""
    command = [sys.executable, "-c", f"{code}\nprint(flush=True)\nimport time; time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            yield running.pid
        finally:
            for one in ProcessTree(running.pid).left():
                os.kill(one.pid, 9)
            os.killpg(running.pid, 9)


def peak(pid: int) -> int:
    tree = ProcessTree(pid)
    tree.look()
    assert tree.peak is not None
    return tree.peak


def test_memory_of_a_process_that_has_shrunk() -> None:
    with process("") as small, process("x = b'x' * (200 << 20); del x") as shrunk:
        assert peak(shrunk) - peak(small) > 150 * MIB


FORKS = """
import os, time
x = b"x" * (100 << 20)
ready, write = os.pipe()
for _ in range(4):
    if not os.fork():
        {}
        os.write(write, b".")
        time.sleep(600)
for _ in range(4):
    os.read(ready, 1)
"""


def test_what_children_share_counts_once() -> None:
    with process(FORKS.format("pass")) as pid:
        assert 100 * MIB < peak(pid) < 300 * MIB


def test_what_children_hold_themselves_counts() -> None:
    with process(FORKS.format("y = b'y' * (100 << 20)")) as pid:
        assert 500 * MIB < peak(pid) < 700 * MIB


@pytest.mark.parametrize(
    ("code", "commands"),
    [
        ("", []),
        ("subprocess.Popen(['sleep', '599'])", ["sleep 599"]),
        ("subprocess.Popen(['sleep', '599'], start_new_session=True)", ["sleep 599"]),
        ("subprocess.run(['true'])", []),
        ("os.fork() or time.sleep(600)", []),
        ("multiprocessing.get_context('spawn').Process(target=time.sleep, args=(600,), daemon=True).start()", []),
    ],
)
def test_programs_stay_and_workers_go(code: str, commands: list[str]) -> None:
    with process(f"import multiprocessing, os, subprocess, time\n{code}") as pid:
        tree = ProcessTree(pid)
        # A program that is just being started has no command yet.
        deadline = time.monotonic() + 60
        while [one.command for one in tree.left()] != commands:
            assert time.monotonic() < deadline, tree.left()
            time.sleep(0.01)


def test_a_fork_in_a_session_of_its_own_stays() -> None:
    code = """
import os, time
ready, write = os.pipe()
if not os.fork():
    os.setsid()
    os.write(write, b".")
    time.sleep(600)
os.read(ready, 1)
"""
    with process(code) as pid:
        tree = ProcessTree(pid)
        (left,) = tree.left()
        assert left.session == left.pid


def test_the_peak_stays() -> None:
    with process("x = b'x' * (100 << 20)") as pid:
        tree = ProcessTree(pid)
        tree.look()
        before = tree.peak
    tree.look()
    assert tree.peak == before


def test_what_has_been_seen_is_ended_when_its_parent_is_gone() -> None:
    start = "child = subprocess.Popen(['sleep', '596'], start_new_session=True, env={}, cwd='/')"
    with subprocess.Popen(
        [sys.executable, "-c", f"import subprocess\n{start}\nprint(child.pid, flush=True)\ninput()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        tree = ProcessTree(parent.pid)
        tree.look()
        assert parent.stdin is not None
        parent.stdin.write(b"\n")
        parent.stdin.close()
        parent.wait()
    assert Process.of(pid) is not None
    tree.end()
    deadline = time.monotonic() + 60
    while Process.of(pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_later_process_of_the_same_number_is_left_alone() -> None:
    with process("import subprocess; subprocess.Popen(['sleep', '595'])") as pid:
        tree = ProcessTree(pid)
        tree.look()
        (child,) = tree._known.values()
        tree._known[child.pid] = replace(child, started="0")
        tree.end()
        now = Process.of(child.pid)
        assert now is not None
        assert now.started == child.started


def test_a_process_that_is_gone() -> None:
    with process("") as pid:
        pass
    tree = ProcessTree(pid)
    tree.look()
    assert tree.peak is None
    assert tree.left() == []
