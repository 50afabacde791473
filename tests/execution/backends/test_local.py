import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from d2lbuild.execution.backends import local
from d2lbuild.execution.backends.local import default_variables, run_all
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import CancelledRun
from d2lbuild.model import ExecutionResult, Status

MakeRequest = Callable[..., ExecutionRequest]
RESULT = ExecutionResult(Status.DONE, (), 0.0, "")


class FakeRunner:
    """Stands for `run_notebook`: notes who runs, and ends a run when the test says so or when it is cancelled."""

    def __init__(self) -> None:
        self.may_end = threading.Semaphore(0)
        self.seen: list[ExecutionRequest] = []
        self.running = 0
        self.most = 0
        self.guard = threading.Lock()

    def __call__(self, request: ExecutionRequest, *, cancelled: threading.Event) -> ExecutionResult:
        with self.guard:
            self.seen.append(request)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            while not self.may_end.acquire(timeout=0.01):
                if cancelled.is_set():
                    raise CancelledRun
        finally:
            with self.guard:
                self.running -= 1
        return RESULT


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRunner]:
    fake = FakeRunner()
    monkeypatch.setattr(local, "run_notebook", fake)
    yield fake
    assert fake.running == 0


def test_runs_start_in_order_and_no_more_than_jobs_at_once(runner: FakeRunner, make_request: MakeRequest) -> None:
    requests = [make_request("1", section=f"s{number}") for number in range(5)]
    started: list[str] = []
    runner.may_end.release(5)
    ended = list(run_all(requests, 2, lambda request: started.append(request.section)))
    assert started == ["s0", "s1", "s2", "s3", "s4"]
    assert sorted(request.section for request, _ in ended) == started
    assert all(request in requests for request, _ in ended)
    assert runner.most <= 2


def test_closing_the_iterator_ends_what_runs(runner: FakeRunner, make_request: MakeRequest) -> None:
    with closing(run_all([make_request("1") for _ in range(4)], 2)) as results:
        runner.may_end.release()
        next(results)
    assert runner.running == 0
    assert len(runner.seen) <= 3


def test_nothing_to_run_gives_nothing() -> None:
    assert list(run_all([])) == []


def test_variables_of_the_request_win_over_the_users_and_those_over_ours(
    runner: FakeRunner, make_request: MakeRequest
) -> None:
    runner.may_end.release()
    request = make_request("1", variables={"TF_CPP_MIN_LOG_LEVEL": "2"})
    list(run_all([request], 1, environ={"OMP_NUM_THREADS": "7"}))
    (told,) = runner.seen
    assert told.variables["TF_CPP_MIN_LOG_LEVEL"] == "2"
    assert "OMP_NUM_THREADS" not in told.variables
    assert told.variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


@pytest.mark.parametrize(("jobs", "cpus", "threads"), [(1, 8, "8"), (4, 8, "2"), (16, 8, "1")])
def test_kernels_share_the_processors(jobs: int, cpus: int, threads: str) -> None:
    assert default_variables(jobs, cpus)["OMP_NUM_THREADS"] == threads


@pytest.mark.integration
def test_two_real_kernels(make_request: MakeRequest) -> None:
    ended = run_all([make_request("1", section="a"), make_request("1 / 0", section="b")], 2)
    statuses = {request.section: result.status for request, result in ended}
    assert statuses == {"a": Status.DONE, "b": Status.FAILED}


PROGRAM = """
import sys
from pathlib import Path
from d2lbuild.execution.backends.local import run_all
from d2lbuild.execution.request import CodeCell, ExecutionRequest
folder = Path(sys.argv[1])
code = "import os, time; open(str(os.getpid()), 'w').close(); time.sleep(600)"
request = ExecutionRequest("a", "none", (CodeCell(code),), KernelCommand(Path(sys.executable)), folder, PurePosixPath())
try:
    list(run_all([request, request], 2))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_kernel_outlives_the_build(tmp_path: Path, how: signal.Signals) -> None:
    notes, scratch = tmp_path / "notes", tmp_path / "scratch"
    notes.mkdir()
    scratch.mkdir()
    environ = {**os.environ, "PYTHONPATH": str(Path(local.__file__).parents[3]), "TMPDIR": str(scratch)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(notes)], env=environ) as program:
        until(lambda: len(list(notes.iterdir())) == 2)
        program.send_signal(how)
        assert program.wait(30) == (130 if how is signal.SIGINT else -how)
    pids = [int(path.name) for path in notes.iterdir()]
    # Kernels notice within a second that the build was killed; after an interrupt they are gone already.
    if how is signal.SIGKILL:
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
