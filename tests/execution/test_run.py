"""Real kernels of the interpreter that runs the tests."""

import hashlib
import pickle
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import CancelledRun, run_notebook
from d2lbuild.model import ExecutionResult, Needs, Status

MakeRequest = Callable[..., ExecutionRequest]

pytestmark = pytest.mark.integration


def texts(result: ExecutionResult, cell: int) -> list[str]:
    return [output.get("text") or output["data"]["text/plain"] for output in result.outputs[cell]]


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_outputs_versions_and_surroundings(make_request: MakeRequest, tmp_path: Path) -> None:
    package = tmp_path / "library" / "d2l"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "torch.py").write_text("name = 'generated'\n")
    # A stray package of the same name in the working folder does not hide the generated one.
    stray = tmp_path / "stray.py"
    stray.write_text("raise ImportError('stray')\n")
    request = make_request(
        "from d2l import torch as d2l\nd2l.name",
        "import os, sys, warnings\nprint('one'); print('two')\nprint('err', file=sys.stderr)",
        "import pathlib\nprint(pathlib.Path.cwd().name, os.environ['ANSWER'], sys.flags.no_user_site)",
        "for i in range(3): print(f'\\r{i}/3', end='')",
        "warnings.warn('careful')",
        "from IPython.display import display\nhandle = display('first', display_id=True)\nhandle.update('last')",
        variables={"ANSWER": "42"},
        versions={"python": "3.11.7"},
        files={"chapter/d2l/__init__.py": stray},
    )
    result = run_notebook(pickle.loads(pickle.dumps(request)))
    assert result.failure is None
    assert result.status is Status.DONE
    assert texts(result, 0) == ["'generated'"]
    assert sorted(texts(result, 1)) == ["err\n", "one\ntwo\n"]
    assert texts(result, 2) == ["chapter 42 1\n"]
    assert texts(result, 3) == ["2/3"]
    assert texts(result, 4) == ["<cell>:1: UserWarning: careful\n  warnings.warn('careful')\n"]
    assert texts(result, 5) == ["'last'"]
    assert result.versions == {"python": "3.11.7"}
    assert 0 < result.seconds < 30
    assert result.finished.endswith("+00:00")
    assert pickle.loads(pickle.dumps(result)) == result


def test_a_cell_that_raises_ends_the_run(make_request: MakeRequest) -> None:
    result = run_notebook(make_request("def f(x):\n    return 1 / x", "a = 0\n\nf(a)\n", "print('never')"))
    assert result.status is Status.FAILED
    assert result.failure is not None
    failure = result.failure
    assert (failure.cell, failure.name, failure.message, failure.line) == (
        1,
        "ZeroDivisionError",
        "division by zero",
        3,
    )
    assert "return 1 / x" in failure.traceback
    assert "\x1b" not in failure.traceback
    assert result.outputs[1][0]["output_type"] == "error"
    assert result.outputs[2] == ()


def test_tags(make_request: MakeRequest) -> None:
    request = make_request(("1 / 0", "raises-exception"), ("no such thing", "skip-execution"), "print('after')")
    result = run_notebook(request)
    assert result.status is Status.DONE
    assert result.outputs[0][0]["ename"] == "ZeroDivisionError"
    assert result.outputs[1] == ()
    assert texts(result, 2) == ["after\n"]


def test_a_syntax_error_has_its_line(make_request: MakeRequest) -> None:
    result = run_notebook(make_request("x = 1\ny = = 2"))
    assert result.failure is not None
    assert (result.failure.name, result.failure.line) == ("SyntaxError", 2)


def test_a_hanging_cell_is_ended_with_its_processes(make_request: MakeRequest) -> None:
    code = "import subprocess, time\np = subprocess.Popen(['sleep', '600'])\nprint(p.pid, flush=True)\ntime.sleep(600)"
    result = run_notebook(make_request("1", code, timeout=2.0))
    assert result.status is Status.TIMEOUT
    assert result.failure is not None
    assert result.failure.cell == 1
    assert result.failure.message == (
        "the notebook took longer than 2 s; code cell 2 of 2 was running: import subprocess, time"
    )
    (pid,) = texts(result, 1)
    assert not alive(int(pid))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(3)", "ended with exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9 (SIGKILL)"),
    ],
)
def test_a_dead_kernel_is_told_from_a_failure(make_request: MakeRequest, code: str, words: str) -> None:
    result = run_notebook(make_request("1", code))
    assert result.status is Status.DIED
    assert result.failure is not None
    assert result.failure.cell == 1
    assert words in result.failure.message
    assert texts(result, 0) == ["1"]


def test_a_flood_of_text_is_cut_and_not_kept(make_request: MakeRequest) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = run_notebook(make_request("for _ in range(1000): print('x' * 100_000)", "print('next')", max_output=5000))
    assert result.status is Status.DONE
    kept, notice = texts(result, 0)
    assert {output["name"] for output in result.outputs[0]} == {"stdout"}, "pages show no other stream"
    assert kept == "x" * 5000
    assert "cut here" in notice
    assert "5,000" in notice
    assert texts(result, 1) == ["next\n"]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 700_000, f"{grown} KiB for a cell that printed 100 MB"


def test_output_that_just_fits_is_not_cut(make_request: MakeRequest) -> None:
    result = run_notebook(make_request("print('x' * 99)", "'y' * 200", max_output=100))
    assert texts(result, 0) == ["x" * 99 + "\n"]
    assert texts(result, 1)[0] == "'" + "y" * 99


@pytest.mark.parametrize("python", ["/bin/false", "/nonexistent/python"])
def test_an_interpreter_that_does_not_start(make_request: MakeRequest, python: str) -> None:
    result = run_notebook(make_request("1", python=Path(python)))
    assert result.status is Status.NOT_STARTED
    assert result.failure is not None
    assert result.failure.cell is None


def test_a_kernel_that_never_answers(make_request: MakeRequest, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho loading >&2\nexec sleep 600\n")
    script.chmod(0o755)
    result = run_notebook(make_request("1", python=script, startup_timeout=0.5))
    assert result.status is Status.NOT_STARTED
    assert result.failure is not None
    assert result.failure.message == "it did not answer within 0.5 s"
    assert result.failure.traceback == "loading"


def test_what_is_told_beside_outputs(make_request: MakeRequest, tmp_path: Path) -> None:
    image, other = tmp_path / "a.png", tmp_path / "b.png"
    image.write_text("image")
    other.write_text("other")
    cells: list[int] = []
    request = make_request(
        "x = b'x' * (200 << 20)",
        "open('../img/a.png').read()",
        "open('made.txt', 'w').write('made')\nopen('made.txt').read()",
        f"print(open({str(tmp_path / 'out.txt')!r}, 'w').write('1'))",
        "import subprocess\nprint(subprocess.Popen(['sleep', '598']).pid)",
        files={"img/a.png": image, "img/b.png": other},
        device="a GPU",
        needs=Needs(memory=8 << 30),
    )
    result = run_notebook(request, on_cell=cells.append)
    assert result.failure is None
    assert cells == [0, 1, 2, 3, 4]
    assert result.device == "a GPU"
    assert result.attempts == 1
    assert dict(result.inputs) == {"img/a.png": hashlib.sha256(b"image").hexdigest()}
    if sys.platform == "linux":
        assert result.memory is not None
        assert 200 << 20 < result.memory < 2 << 30
        assert result.warnings == (
            "it left processes behind, which were ended: sleep 598",
            f"it wrote outside of its folder: {tmp_path / 'out.txt'}",
        )
        assert not alive(int(texts(result, 4)[0]))


def test_a_book_file_that_cannot_be_copied(make_request: MakeRequest, tmp_path: Path) -> None:
    result = run_notebook(make_request("1", files={"img/a.png": tmp_path / "gone.png"}))
    assert result.status is Status.NOT_STARTED
    assert result.failure is not None
    assert result.failure.message == (
        f"the files for it cannot be copied: {tmp_path / 'gone.png'}: No such file or directory"
    )


def test_cancelling_leaves_no_process(make_request: MakeRequest, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    code = f"""
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
open({str(file) + ".new"!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename({str(file) + ".new"!r}, {str(file)!r})
time.sleep(600)
"""
    cancelled = threading.Event()

    def cancel_when_running() -> None:
        while not file.exists():
            time.sleep(0.02)
        cancelled.set()

    watcher = threading.Thread(target=cancel_when_running)
    watcher.start()
    with pytest.raises(CancelledRun):
        run_notebook(make_request(code), cancelled=cancelled)
    watcher.join()
    assert [pid for pid in file.read_text().split() if alive(int(pid))] == []
