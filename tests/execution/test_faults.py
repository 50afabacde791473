"""Everything that a notebook can do to the process that runs it, in fresh and in forked kernels.

Whatever it is, the result says so and names the cell, no process is left, and the next notebook runs.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from d2lbuild.execution.kernels.warm import WarmKernels
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import run_notebook
from d2lbuild.model import ExecutionResult, Needs, Status

MakeRequest = Callable[..., ExecutionRequest]
Run = Callable[..., ExecutionResult]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc"),
]

DYING = {
    "SIGKILL": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9 (SIGKILL)"),
    "SIGTERM": ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "was killed by signal 15 (SIGTERM)"),
    "SIGABRT": ("import os\nos.abort()", "was killed by signal 6 (SIGABRT)"),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", "was killed by signal 11 (SIGSEGV)"),
    "_exit": ("import os\nos._exit(3)", "ended with exit status 3"),
    "_exit without an error": ("import os\nos._exit(0)", "ended with exit status 0"),
    "_exit in a thread": (
        "import os, threading\nthreading.Thread(target=os._exit, args=(4,)).start()\nthreading.Event().wait()",
        "ended with exit status 4",
    ),
    "stack overflow": (
        """import sys
sys.setrecursionlimit(10**9)
class A:
    def __repr__(self): return repr(self)
repr(A())""",
        "was killed by signal 11 (SIGSEGV)",
    ),
}

RAISING = {
    "sys.exit": ("import sys\nsys.exit(5)", "SystemExit", "5"),
    "input": ("input('name? ')", "StdinNotImplementedError", "raw_input was called"),
    "getpass": ("import getpass\ngetpass.getpass()", "StdinNotImplementedError", "getpass was called"),
    "recursion": ("def f(): f()\nf()", "RecursionError", "maximum recursion depth exceeded"),
    "full disk": ("with open('/dev/full', 'w') as file: file.write('x')", "OSError", "No space left on device"),
    "largest file": (
        """import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
with open('x', 'wb') as file: file.write(bytes(5000))""",
        "OSError",
        "File too large",
    ),
    "no memory": (
        """import resource
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
resource.setrlimit(resource.RLIMIT_AS, (1 << 33, hard))
x = bytes(1 << 40)""",
        "MemoryError",
        "",
    ),
    "an error that is no Exception": ("class E(BaseException): pass\nraise E('x')", "E", "x"),
    "an error that cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise ValueError('no words')\nraise E",
        "ValueError",
        "no words",
    ),
    "a huge error": ("raise ValueError('x' * 5_000_000)", "ValueError", "xxx"),
}

# Each leaves processes behind, and prints their numbers.
LEAVING = {
    "in the same group": "import subprocess\nprint(subprocess.Popen(['sleep', '597']).pid)",
    "in a session of its own": (
        "import subprocess\nprint(subprocess.Popen(['sleep', '597'], start_new_session=True).pid)"
    ),
    "by forking twice": """
import os, time
read, write = os.pipe()
if not (child := os.fork()):
    os.setsid()
    if not os.fork():
        os.write(write, str(os.getpid()).encode())
        os.closerange(0, 100)
        time.sleep(597)
    os._exit(0)
os.waitpid(child, 0)
print(os.read(read, 100).decode())
""",
    "that ignores signals": """
import subprocess, sys
code = "import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; print(flush=True); signal.pause()"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid)
""",
    "without variables": (
        "import subprocess\nprint(subprocess.Popen(['sleep', '597'], env={}, cwd='/', start_new_session=True).pid)"
    ),
}

HARMLESS = {
    "invalid text": ("import os, sys\nos.write(1, b'\\xff\\xfe text\\n'); sys.stdout.flush()\nprint('\\udcff')", None),
    "ignored signals": (
        "import signal\nfor number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)",
        "",
    ),
    "endless threads": (
        "import threading\nthread = threading.Thread(target=threading.Event().wait)\nthread.start()\nprint('on')",
        "on\n",
    ),
    "the working folder is gone": ("import os, shutil\nshutil.rmtree(os.getcwd())\nprint('gone')", "gone\n"),
    "all of its folders are gone": (
        "import os, shutil\nshutil.rmtree(os.path.dirname(os.environ['HOME']), ignore_errors=True)\nprint('gone')",
        "gone\n",
    ),
    "standard output is closed": ("import os\nos.close(1); os.close(2)\nprint('still there')", "still there\n"),
    "exit": ("exit()", ""),
    "a thread that raises": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start(); t.join()\nprint('on')",
        None,
    ),
}


@pytest.fixture(scope="module")
def warm_kernels() -> Iterator[WarmKernels]:
    with WarmKernels() as warm:
        yield warm
        assert warm.fallbacks == []


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files, by which processes are known. Its path is short, as those of sockets must be."""
    with tempfile.TemporaryDirectory(prefix="faults") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture(params=["fresh", "forked"])
def run(request: pytest.FixtureRequest, make_request: MakeRequest) -> Run:
    """Run cells, then see that nothing is left, and that the next notebook is none the worse for it."""
    warm = None
    if request.param == "forked":
        warm = request.getfixturevalue("warm_kernels")
        # The process that kernels are forked from does not live in the folder of a test.
        assert run_notebook(make_request("1"), warm=warm).failure is None
    folder = request.getfixturevalue("folder")

    def run_and_check(*cells: str, **settings: object) -> ExecutionResult:
        result = run_notebook(make_request(*cells, **settings), warm=warm)
        wait_until_gone(folder)
        assert list(folder.iterdir()) == []
        following = run_notebook(make_request("print('well')"), warm=warm)
        assert following.failure is None
        assert text(following, 0) == "well\n"
        return result

    return run_and_check


def wait_until_gone(folder: Path) -> None:
    """Return when no process has to do with a folder. Those that were killed may take a moment to go."""
    deadline = time.monotonic() + 60
    while found := living_in(folder):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def living_in(folder: Path) -> list[str]:
    """Return the commands of processes that have a folder among their variables, or work in it."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and (
                str(process.joinpath("cwd").readlink()).startswith(str(folder))
                or os.fsencode(folder) in (process / "environ").read_bytes()
            ):
                found.append((process / "cmdline").read_text())
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_dead(pid: int) -> None:
    deadline = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < deadline, pid
        time.sleep(0.02)


def text(result: ExecutionResult, cell: int) -> str:
    return "".join(output.get("text", "") for output in result.outputs[cell])


@pytest.mark.parametrize("name", DYING)
def test_a_kernel_that_dies(run: Run, name: str) -> None:
    code, words = DYING[name]
    result = run("print('first')", f"print('before', flush=True)\n{code}", "print('never')")
    assert result.status is Status.DIED
    assert result.failure is not None
    assert result.failure.cell == 1
    assert f"the kernel {words}; code cell 2 of 3 was running: print('before', flush=True)" in result.failure.message
    assert [text(result, cell) for cell in (0, 2)] == ["first\n", ""]
    # A process that is killed may not have sent it yet.
    assert text(result, 1) in ("before\n", "")


@pytest.mark.parametrize("name", RAISING)
def test_an_error_of_the_notebook(run: Run, name: str) -> None:
    code, error, words = RAISING[name]
    result = run("print('first')", code, "print('never')")
    assert result.status is Status.FAILED
    assert result.failure is not None
    assert (result.failure.cell, result.failure.name) == (1, error)
    assert words in result.failure.message
    assert len(result.failure.message) < 10_000
    assert [text(result, cell) for cell in (0, 2)] == ["first\n", ""]


@pytest.mark.parametrize(
    ("end", "status"), [("", Status.DONE), ("import os; os._exit(1)", Status.DIED), ("1 / 0", Status.FAILED)]
)
@pytest.mark.parametrize("name", LEAVING)
def test_children_that_stay(run: Run, name: str, end: str, status: Status) -> None:
    result = run(LEAVING[name], end)
    assert result.status is status
    wait_until_dead(int(text(result, 0)))
    assert bool(result.warnings) is (status is not Status.DIED)


def test_children_of_a_cell_that_takes_too_long(run: Run) -> None:
    code = "import sys, time; sys.stdout.flush(); time.sleep(600)"
    result = run("\n".join([*LEAVING.values(), code]), timeout=10.0)
    assert result.status is Status.TIMEOUT
    assert result.failure is not None
    assert result.failure.message.startswith("the notebook took longer than 10 s; code cell 1 of 1 was running: import")
    pids = [int(line) for line in text(result, 0).split()]
    assert len(pids) == len(LEAVING)
    for pid in pids:
        wait_until_dead(pid)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm(run: Run, name: str) -> None:
    code, printed = HARMLESS[name]
    result = run(code, "print('after')")
    assert result.failure is None
    assert result.status is Status.DONE
    assert text(result, 1) == "after\n"
    assert printed is None or text(result, 0) == printed


def test_an_endless_cell_that_ignores_interrupts(run: Run) -> None:
    code = """
import signal
for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)
print("on", flush=True)
while True:
    try:
        while True: pass
    except BaseException:
        pass
"""
    result = run("# what follows\n\nx = 1", code, timeout=8.0)
    assert result.status is Status.TIMEOUT
    assert result.failure is not None
    assert result.failure.cell == 1
    assert result.failure.message == ("the notebook took longer than 8 s; code cell 2 of 2 was running: import signal")
    assert text(result, 1) == "on\n"


def test_too_much_memory(run: Run) -> None:
    code = "print('on', flush=True)\nx = []\nwhile True: x.append(b'x' * (1 << 22))"
    result = run("1", code, needs=Needs(memory=1 << 29))
    assert result.status is Status.DIED
    assert result.failure is not None
    assert result.failure.message == (
        "it took more than its 0.5 GiB of memory; code cell 2 of 2 was running: print('on', flush=True)"
    )
    assert result.memory is not None
    assert result.memory > 1 << 29
    assert text(result, 1) == "on\n"


def test_too_much_memory_in_children(run: Run) -> None:
    child = "x = []\nwhile True: x.append(b'x' * (1 << 22))"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    result = run(code, needs=Needs(memory=1 << 29))
    assert result.status is Status.DIED
    assert result.failure is not None
    assert "it took more than its 0.5 GiB of memory" in result.failure.message


@pytest.mark.parametrize(
    ("code", "notice"),
    [
        ("for number in range(50_000): print(number)", "may print 10,000 characters"),
        ("for number in range(3_000): print(number, flush=True)", "may print 10,000 characters"),
        ("print('x' * 50_000_000)", "may print 10,000 characters"),
        ("for number in range(1_500): display(number)", "may show 1,000 outputs"),
        ("display({'application/json': ['x' * 5_000_000]}, raw=True)", "may print 10,000 characters"),
        ("display({'text/html': 'x' * 5_000_000}, raw=True)", "may print 10,000 characters"),
        ("import os\nfor _ in range(500): os.write(1, b'y' * 10_000)", "may print 10,000 characters"),
    ],
)
def test_floods(run: Run, code: str, notice: str) -> None:
    result = run(code, "print('after')", max_output=10_000, timeout=250.0)
    assert result.failure is None
    assert notice in text(result, 0)
    assert len(str(result.outputs[0])) < 200_000
    assert text(result, 1) == "after\n"


def test_an_output_that_is_changed_to_a_huge_one(run: Run) -> None:
    code = "shown = display('small', display_id=True)\nshown.update({'text/html': 'x' * 5_000_000}, raw=True)"
    result = run(code, max_output=10_000)
    assert result.failure is None
    assert len(str(result.outputs[0])) < 20_000


def test_a_flood_that_never_ends(run: Run) -> None:
    result = run("while True: print('x' * 1000, flush=True)", max_output=10_000, timeout=8.0)
    assert result.status is Status.TIMEOUT
    assert "may print 10,000 characters" in text(result, 0)


def test_writing_elsewhere(run: Run, tmp_path: Path) -> None:
    result = run(f"open({str(tmp_path / 'x')!r}, 'w').close()")
    assert result.status is Status.DONE
    assert result.warnings == (f"it wrote outside of its folder: {tmp_path / 'x'}",)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 7", "it ended with exit status 7 before it answered"),
        ("kill -9 $$", "it was killed by signal 9 (SIGKILL) before it answered"),
        ("sleep 600", "it did not answer within 1 s"),
        ("sleep 600 & sleep 600", "it did not answer within 1 s"),
        ("trap '' INT TERM HUP; while :; do sleep 1; done", "it did not answer within 1 s"),
    ],
)
def test_a_kernel_that_never_starts(
    make_request: MakeRequest, tmp_path: Path, folder: Path, script: str, words: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho loading >&2\n{script}\n")
    python.chmod(0o755)
    limit = 1.0 if "not answer" in words else 60.0
    request = make_request("1", python=python, startup_timeout=limit)
    result = run_notebook(request)
    assert result.status is Status.NOT_STARTED
    assert result.failure is not None
    assert (result.failure.cell, result.failure.message) == (None, words)
    assert result.failure.traceback == "loading"
    wait_until_gone(folder)


def test_a_disk_without_room_for_the_copy(
    make_request: MakeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    image.write_bytes(bytes(3_000_000))
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system does not let us mount a small disk")
    try:
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        result = run_notebook(make_request("1", files={"img/a.png": image}))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert result.status is Status.NOT_STARTED
    assert result.failure is not None
    assert result.failure.message.startswith("the files for it cannot be copied: ")
    assert result.failure.message.endswith("img/a.png: No space left on device")
