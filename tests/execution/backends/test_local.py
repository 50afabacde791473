import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.execution.backends import local
from d2lbuild.execution.backends.local import run_all, with_threads
from d2lbuild.execution.devices import Gpu, Machine
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.run import CancelledRun
from d2lbuild.execution.running import BackendOptions, RunObserver
from d2lbuild.model import ExecutionResult, Failure, Needs, Status
from tests.execution.conftest import MakeRequest

RESULT = ExecutionResult(Status.DONE, (), 0.0, "")
KILLED = ExecutionResult(Status.DIED, (), 0.0, "", failure=Failure(0, "", "the kernel was killed by signal 9"))
MACHINE = Machine(8, 8 * 1024**3)


class FakeRunner:
    """Stands for `run_notebook`: notes who runs, and ends a run when the test says so or when it is cancelled."""

    def __init__(self) -> None:
        self.may_end = threading.Semaphore(0)
        self.seen: list[ExecutionRequest] = []
        self.warm: list[object] = []
        self.running = 0
        self.most = 0
        self.guard = threading.Lock()
        self.outcomes: dict[str, list[ExecutionResult | Exception]] = {}
        """What the runs of a section end with, one after the other, where that is not `RESULT`."""

    def __call__(
        self, request: ExecutionRequest, *, cancelled: threading.Event, warm: object, on_cell: Callable[[int], None]
    ) -> ExecutionResult:
        with self.guard:
            self.seen.append(request)
            self.warm.append(warm)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            for index in range(len(request.cells)):
                on_cell(index)
            while not self.may_end.acquire(timeout=0.01):
                if cancelled.is_set():
                    raise CancelledRun
        finally:
            with self.guard:
                self.running -= 1
        outcomes = self.outcomes.get(request.section)
        outcome = outcomes.pop(0) if outcomes else RESULT
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Listener(RunObserver):
    """Notes what it hears, and in which thread."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.threads: set[threading.Thread] = set()

    def _note(self, *words: Any) -> None:
        self.heard.append(words)
        self.threads.add(threading.current_thread())

    def started(self, request: ExecutionRequest) -> None:
        self._note("started", request.section)

    def cell(self, request: ExecutionRequest, index: int) -> None:
        self._note("cell", request.section, index)

    def retried(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        self._note("retried", request.section, result.status)

    def note(self, message: str) -> None:
        self._note("note", message)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRunner]:
    fake = FakeRunner()
    monkeypatch.setattr(local, "run_notebook", fake)
    yield fake
    assert fake.running == 0


def options(jobs: int | None = 2, machine: Machine | None = MACHINE, *, fork: bool = False) -> BackendOptions:
    return BackendOptions(jobs, fork, machine=machine)


def test_runs_start_the_longest_first_and_no_more_than_jobs_at_once(
    runner: FakeRunner, make_request: MakeRequest
) -> None:
    requests = [make_request("1", section=f"s{number}", expected=float(number)) for number in range(5)]
    listener = Listener()
    runner.may_end.release(5)
    ended = list(run_all(requests, options(), listener))
    started = [words[1] for words in listener.heard if words[0] == "started"]
    assert started == ["s4", "s3", "s2", "s1", "s0"]
    assert sorted(request.section for request, _ in ended) == sorted(started)
    assert runner.most <= 2


def test_the_observer_hears_everything_in_the_thread_that_iterates(
    runner: FakeRunner, make_request: MakeRequest
) -> None:
    listener = Listener()
    runner.may_end.release(1)
    list(run_all([make_request("1", "2", section="a")], options(), listener))
    assert listener.heard == [("started", "a"), ("cell", "a", 0), ("cell", "a", 1)]
    assert listener.threads == {threading.current_thread()}


def test_closing_the_iterator_ends_what_runs(runner: FakeRunner, make_request: MakeRequest) -> None:
    with closing(run_all([make_request("1") for _ in range(4)], options(), RunObserver())) as results:
        runner.may_end.release()
        next(results)
    assert runner.running == 0
    assert len(runner.seen) <= 3


def test_the_book_may_say_how_many_threads(make_request: MakeRequest) -> None:
    assert with_threads(replace(make_request(), threads=1), 4).variables["OMP_NUM_THREADS"] == "1"
    assert with_threads(replace(make_request(), threads=1), 4).threads == 1


def test_nothing_to_run_gives_nothing() -> None:
    assert list(run_all([], options(), RunObserver())) == []


# --- what a run is given ---


def test_threads_are_shared_among_the_kernels(runner: FakeRunner, make_request: MakeRequest) -> None:
    runner.may_end.release(3)
    list(run_all([make_request("1") for _ in range(3)], options(2), RunObserver()))
    assert [request.threads for request in runner.seen] == [4, 4, 4]
    assert {request.variables["OMP_NUM_THREADS"] for request in runner.seen} == {"4"}


@pytest.mark.parametrize(("jobs", "count", "threads"), [(1, 4, 8), (None, 20, 1), (16, 20, 1), (8, 2, 4)])
def test_no_thread_idles_and_each_kernel_has_one(
    runner: FakeRunner, make_request: MakeRequest, jobs: int | None, count: int, threads: int
) -> None:
    runner.may_end.release(count)
    list(run_all([make_request("1") for _ in range(count)], options(jobs), RunObserver()))
    assert {request.threads for request in runner.seen} == {threads}


def test_variables_of_the_request_and_those_that_the_user_passes_on_win(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    request = make_request("1", variables={"OPENBLAS_NUM_THREADS": "3"}, passed=("OMP_NUM_THREADS",))
    assert with_threads(request, 2).variables == {"OPENBLAS_NUM_THREADS": "3", "MKL_NUM_THREADS": "2"}


def test_gpus_are_given_out(runner: FakeRunner, make_request: MakeRequest) -> None:
    machine = replace(MACHINE, gpus=(Gpu(0, "GPU-1", "NVIDIA T4", 16 * 1024**3),))
    runner.may_end.release(2)
    requests = [make_request("1", needs=Needs(gpus=1)), make_request("1", needs=Needs(gpus=1))]
    ended = list(run_all(requests, options(2, machine), RunObserver()))
    assert runner.most == 1
    assert [(request.gpus, request.device) for request, _ in ended] == [(("GPU-1",), "NVIDIA T4")] * 2


def test_what_this_machine_cannot_run_is_skipped_at_once(runner: FakeRunner, make_request: MakeRequest) -> None:
    listener = Listener()
    requests = [make_request("1", section="a"), make_request("1", section="b", needs=Needs(gpus=1))]
    with closing(run_all(requests, options(), listener)) as results:
        request, result = next(results)
        assert (request.section, result.status, listener.heard) == ("b", Status.SKIPPED, [])
        runner.may_end.release()
        assert next(results)[1].status is Status.DONE


def test_nothing_but_skipped_ones_starts_nothing(make_request: MakeRequest) -> None:
    request = make_request("1", needs=Needs(gpus=1))
    (ended,) = run_all([request], options(fork=True), RunObserver())
    assert ended[1].status is Status.SKIPPED


# --- faults ---


@pytest.mark.parametrize("fault", [KILLED, replace(KILLED, status=Status.NOT_STARTED), OSError(errno.ENOSPC, "full")])
def test_what_was_lost_is_run_once_more(
    runner: FakeRunner, make_request: MakeRequest, fault: ExecutionResult | Exception
) -> None:
    listener = Listener()
    runner.outcomes["a"] = [fault]
    runner.may_end.release(2)
    ((_, result),) = run_all([make_request("1", section="a")], options(), listener)
    assert (result.status, result.attempts, len(runner.seen)) == (Status.DONE, 2, 2)
    assert [words[0] for words in listener.heard] == ["started", "cell", "retried", "cell"]


def test_what_is_lost_twice_is_a_result(runner: FakeRunner, make_request: MakeRequest) -> None:
    runner.outcomes["a"] = [KILLED, OSError(errno.ENOSPC, "No space left on device", "/tmp/d2l")]
    runner.may_end.release(2)
    ((_, result),) = run_all([make_request("1", section="a")], options(), RunObserver())
    assert (result.status, result.attempts) == (Status.NOT_STARTED, 2)
    assert result.failure is not None
    assert "No space left on device" in result.failure.message


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMEOUT, Status.DONE])
def test_what_the_book_does_is_never_run_twice(runner: FakeRunner, make_request: MakeRequest, status: Status) -> None:
    runner.outcomes["a"] = [replace(RESULT, status=status)]
    runner.may_end.release(1)
    ((_, result),) = run_all([make_request("1", section="a")], options(), RunObserver())
    assert (result.status, result.attempts) == (status, 1)


def test_a_defect_loses_no_results(runner: FakeRunner, make_request: MakeRequest) -> None:
    runner.outcomes["s0"] = [ZeroDivisionError("a defect")]
    runner.may_end.release(5)
    ended: list[str] = []

    def collect() -> None:
        for request, _ in run_all([make_request("1", section=f"s{n}") for n in range(5)], options(), RunObserver()):
            ended.append(request.section)

    with pytest.raises(ZeroDivisionError, match="a defect"):
        collect()
    assert sorted(ended) == ["s1", "s2", "s3", "s4"]


# --- warm kernels ---


class FakeWarmKernels:
    """Stands for `WarmKernels`."""

    def __init__(self) -> None:
        self.fallbacks = ["the first", "the second"]
        self.open = False

    def __enter__(self) -> "FakeWarmKernels":
        self.open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False


def test_kernels_are_forked_and_the_user_hears_once_why_not(
    runner: FakeRunner, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm, listener = FakeWarmKernels(), Listener()
    monkeypatch.setattr("d2lbuild.execution.kernels.warm.WarmKernels", lambda: warm)
    runner.may_end.release(3)
    for _ in run_all([make_request("1") for _ in range(3)], options(fork=True), listener):
        assert warm.open
    assert runner.warm == [warm] * 3
    assert not warm.open
    assert [words[1] for words in listener.heard if words[0] == "note"] == ["the first", "the second"]


def test_without_forks_there_are_no_warm_kernels(runner: FakeRunner, make_request: MakeRequest) -> None:
    runner.may_end.release(1)
    list(run_all([make_request("1")], options(), RunObserver()))
    assert runner.warm == [None]


# --- real kernels ---


@pytest.mark.integration
@pytest.mark.parametrize("fork", [False, True])
def test_two_real_kernels(make_request: MakeRequest, fork: bool) -> None:
    requests = [make_request("1", section="a"), make_request("1 / 0", section="b")]
    ended = run_all(requests, BackendOptions(2, fork), RunObserver())
    statuses = {request.section: result.status for request, result in ended}
    assert statuses == {"a": Status.DONE, "b": Status.FAILED}


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_kernel_that_somebody_kills_is_run_again(make_request: MakeRequest, tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom pathlib import Path\nmark = Path('kept/mark')\n"
        "if not mark.exists():\n    mark.touch()\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    request = make_request(code, section="page", kept={"kept": tmp_path / "kept"})
    ((_, result),) = run_all([request], BackendOptions(1, fork=False), RunObserver())
    assert (result.status, result.attempts) == (Status.DONE, 2)


PROGRAM = """
import sys
from pathlib import Path, PurePosixPath
from d2lbuild.execution.backends.local import run_all
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.running import BackendOptions, RunObserver
notes, fork = Path(sys.argv[1]), sys.argv[2] == "fork"
code = f"import os, time; open({str(notes)!r} + '/' + str(os.getpid()), 'w').close(); time.sleep(600)"
request = ExecutionRequest("a", "none", (CodeCell(code),), KernelCommand(Path(sys.executable)), notes, PurePosixPath())
try:
    list(run_all([request, request], BackendOptions(2, fork), RunObserver()))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("fork", ["fork", "fresh"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_kernel_outlives_the_build(tmp_path: Path, how: signal.Signals, fork: str) -> None:
    notes, scratch = tmp_path / "notes", tmp_path / "scratch"
    notes.mkdir()
    scratch.mkdir()
    environ = {**os.environ, "PYTHONPATH": str(Path(local.__file__).parents[3]), "TMPDIR": str(scratch)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(notes), fork], env=environ) as program:
        until(lambda: len(list(notes.iterdir())) == 2)
        program.send_signal(how)
        assert program.wait(60) == (130 if how is signal.SIGINT else -how)
    pids = [int(path.name) for path in notes.iterdir()]
    # Kernels notice within a second that the build was killed; after an interrupt they are gone already.
    if how is signal.SIGKILL:
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
