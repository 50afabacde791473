"""What the driver decides, with something in the place of Ray that does what a test says."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from d2lbuild.errors import SetupError, UsageError
from d2lbuild.execution.backends import ray as backend
from d2lbuild.execution.backends.ray import run_all
from d2lbuild.execution.backends.ray_task import AtCell, Note, Started, gpu_memory
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.running import BackendOptions, RunObserver
from d2lbuild.model import ExecutionResult, Failure, Needs, Status
from tests.execution.conftest import MakeRequest

GIB = 1024**3
RESULT = ExecutionResult(Status.DONE, (), 0.0, "")
KILLED = replace(RESULT, status=Status.DIED, failure=Failure(0, "", "the kernel was killed by signal 9"))
GOOD = (Started("cpu"), AtCell(0), RESULT)


class RayError(Exception):
    """Something was lost."""


class RayTaskError(RayError):
    """A task raised something."""


class FakeRay:
    """A cluster whose tasks do at once what the test says."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, *machines: dict[str, float]) -> None:
        self.machines = list(machines or [{"CPU": 4.0, "memory": 8.0 * GIB}])
        self.scripts: dict[str, list[Sequence[Any]]] = {}
        """What the tasks of a section do, one after the other, where that is not `GOOD`; None: nothing."""
        self.given: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.cancelled = 0
        self.store: list[Any] = []
        self.gpu_memory = 0

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "NodeID": f"{n + 1:056x}", "Resources": one} for n, one in enumerate(self.machines)]

    def put(self, value: Any) -> int:
        self.store.append(value)
        return len(self.store) - 1

    def remote(self, function: Callable[..., Any]) -> Any:
        return SimpleNamespace(options=lambda **options: SimpleNamespace(remote=self._task(function, options)))

    def _task(self, function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
        def begin(delivery: Any = None, *_: Any) -> Any:
            if function is gpu_memory:
                return self.gpu_memory
            section = delivery.request.section
            self.given.append(section)
            self.asked.append(options)
            script = self.scripts.get(section)
            return Stream(script.pop(0) if script else GOOD)

        return begin

    def get(self, value: Any, timeout: float = 0.0) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    def wait(self, streams: list["Stream"], num_returns: int, **_: Any) -> tuple[list["Stream"], list["Stream"]]:
        ready = [one for one in streams if one.left][:num_returns]
        return ready, [one for one in streams if one not in ready]

    def cancel(self, stream: "Stream") -> None:
        self.cancelled += 1
        stream.left = [RayError("cancelled")]


class Stream:
    """Ray's generator of references to events."""

    def __init__(self, events: Sequence[Any]) -> None:
        self.left = list(events)

    def completed(self) -> "Stream":
        return self

    def __next__(self) -> Any:
        if not self.left:
            raise StopIteration
        return self.left.pop(0)


class Listener(RunObserver):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def started(self, request: ExecutionRequest) -> None:
        self.heard.append(("started", request.section, request.device))

    def cell(self, request: ExecutionRequest, index: int) -> None:
        self.heard.append(("cell", request.section, index))

    def retried(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        self.heard.append(("retried", request.section))

    def note(self, message: str) -> None:
        self.heard.append(("note", message))


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeRay]:
    """Return a function that makes the cluster that `run_all` will find."""

    def make(*machines: dict[str, float]) -> FakeRay:
        fake = FakeRay(*machines)

        @contextmanager
        def connected(address: str) -> Iterator[FakeRay]:
            yield fake

        monkeypatch.setattr(backend, "_connected", connected)
        return fake

    return make


Connect = Callable[..., FakeRay]


def run(requests: list[ExecutionRequest], observer: RunObserver | None = None) -> dict[str, ExecutionResult]:
    ended = run_all(requests, BackendOptions(), observer or RunObserver())
    return {request.section: result for request, result in ended}


def test_the_longest_is_given_first(connect: Connect, make_request: MakeRequest) -> None:
    ray = connect()
    requests = [make_request("1", section=f"s{n}", expected=float(n)) for n in range(3)]
    run([*requests, make_request("1", section="new")])
    assert ray.given == ["new", "s2", "s1", "s0"]


def test_no_more_than_jobs_are_given(connect: Connect, make_request: MakeRequest) -> None:
    ray = connect()
    requests = [make_request("1", section=f"s{n}") for n in range(5)]
    with closing(run_all(requests, BackendOptions(jobs=2), RunObserver())) as results:
        next(results)
        assert len(ray.given) == 2


def test_a_few_of_each_kind_wait_in_the_cluster(connect: Connect, make_request: MakeRequest) -> None:
    ray = connect({"CPU": 8.0}, {"CPU": 8.0, "GPU": 1.0})
    requests = [make_request("1", section=f"s{n}", expected=9.0) for n in range(50)]
    requests += [make_request("1", section=f"g{n}", expected=1.0, needs=Needs(gpus=1)) for n in range(50)]
    ray.scripts = {request.section: [()] for request in requests[1:]}
    with closing(run_all(requests, BackendOptions(), RunObserver())) as results:
        next(results)
        assert [sum(name.startswith(kind) for name in ray.given) for kind in "sg"] == [17, 16]


def test_files_are_put_into_the_store_once(connect: Connect, make_request: MakeRequest, tmp_path: Any) -> None:
    ray = connect()
    (tmp_path / "a").write_text("x", "utf-8")
    files = {"a": tmp_path / "a"}
    run([make_request("1", section=f"s{n}", files=files) for n in range(9)])
    assert len(ray.store) == 2  # the files and the library


# --- what Ray is asked for ---


def test_few_notebooks_have_several_processors_but_no_more_than_a_machine(
    connect: Connect, make_request: MakeRequest
) -> None:
    ray = connect({"CPU": 8.0}, {"CPU": 3.0})
    run([make_request("1", section="a"), make_request("1", section="b")])
    assert [options["num_cpus"] for options in ray.asked] == [3, 3]


def test_needs_become_demands(connect: Connect, make_request: MakeRequest) -> None:
    pytest.importorskip("ray")
    ray = connect({"CPU": 1.0, "memory": 8.0 * GIB, "GPU": 2.0})
    ray.gpu_memory = 80 * GIB
    needs = [Needs(gpus=2), Needs(memory=GIB), Needs(gpus=1, gpu_memory=10 * GIB), Needs(uses_gpu=True), Needs()]
    run([make_request("1", section=str(n), expected=9.0 - n, needs=one) for n, one in enumerate(needs)])
    assert [options["num_gpus"] for options in ray.asked] == [2, 0, 0.125, 1, 0]
    assert [options["memory"] for options in ray.asked] == [None, GIB, None, None, None]
    assert {options["max_retries"] for options in ray.asked} == {0}


def test_a_share_of_gpus_of_unknown_size_is_a_whole_one(connect: Connect, make_request: MakeRequest) -> None:
    pytest.importorskip("ray")
    ray = connect({"CPU": 1.0, "GPU": 2.0})
    run([make_request("1", needs=Needs(gpus=1, gpu_memory=10 * GIB))])
    assert ray.asked[0]["num_gpus"] == 1.0


def test_what_no_machine_can_run_is_skipped(connect: Connect, make_request: MakeRequest) -> None:
    ray = connect({"CPU": 2.0, "GPU": 1.0, "memory": 2.0 * GIB}, {"CPU": 2.0, "memory": 8.0 * GIB})
    results = run([make_request("1", section="a", needs=Needs(gpus=1, memory=4 * GIB)), make_request("1", section="b")])
    assert results["a"].status is Status.SKIPPED
    assert results["a"].failure is not None
    assert "the largest machine of the cluster has 2 GiB" in results["a"].failure.message
    assert ray.given == ["b"]


def test_a_cluster_without_machines(connect: Connect, make_request: MakeRequest) -> None:
    connect({"memory": 1.0})
    with pytest.raises(SetupError, match="no machine with processors"):
        run([make_request("1")])


# --- what becomes of tasks ---


def test_the_observer_hears_what_happens(connect: Connect, make_request: MakeRequest) -> None:
    connect().scripts["a"] = [(Started("NVIDIA T4"), Note("a note"), AtCell(0), AtCell(1), RESULT)]
    listener = Listener()
    run([make_request("1", "2", section="a")], listener)
    assert listener.heard == [("started", "a", "NVIDIA T4"), ("note", "a note"), ("cell", "a", 0), ("cell", "a", 1)]


@pytest.mark.parametrize("loss", [RayError("the node died"), KILLED, StopIteration])
def test_what_is_lost_is_run_once_more(connect: Connect, make_request: MakeRequest, loss: Any) -> None:
    script = (Started("cpu"), AtCell(0)) if loss is StopIteration else (Started("cpu"), AtCell(0), loss)
    ray = connect()
    ray.scripts["a"] = [script]
    # Ray says that such a stream is ready.
    ray.wait = lambda streams, num_returns, **_: (streams[:num_returns], [])  # type: ignore[method-assign]
    listener = Listener()
    results = run([make_request("1", section="a")], listener)
    assert (results["a"].status, results["a"].attempts, ray.given) == (Status.DONE, 2, ["a", "a"])
    assert [words[0] for words in listener.heard] == ["started", "cell", "retried", "cell"]


def test_what_is_lost_twice_is_a_result(connect: Connect, make_request: MakeRequest) -> None:
    loss = RayError("the node died\nand more")
    connect().scripts["a"] = [(Started("cpu"), loss), (Started("cpu"), loss)]
    result = run([make_request("1", section="a")])["a"]
    assert (result.status, result.attempts) == (Status.NOT_STARTED, 2)
    assert result.failure is not None
    assert result.failure.message.endswith("was lost: the node died")


def test_one_that_never_began_is_given_again_and_not_for_ever(connect: Connect, make_request: MakeRequest) -> None:
    ray = connect()
    ray.scripts = {"a": [(RayError("gone"),)] * 3, "b": [(RayError("gone"),)] * 20}
    results = run([make_request("1", section="a"), make_request("1", section="b")])
    assert (results["a"].status, results["a"].attempts) == (Status.DONE, 1)
    assert results["b"].status is Status.NOT_STARTED


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMEOUT])
def test_what_the_book_does_is_never_run_twice(connect: Connect, make_request: MakeRequest, status: Status) -> None:
    ray = connect()
    ray.scripts["a"] = [(Started("cpu"), replace(RESULT, status=status))]
    assert run([make_request("1", section="a")])["a"].status is status
    assert ray.given == ["a"]


def test_a_defect_loses_no_results(connect: Connect, make_request: MakeRequest) -> None:
    connect().scripts["a"] = [(Started("cpu"), RayTaskError("a defect"))]
    ended: list[str] = []

    def collect() -> None:
        requests = [make_request("1", section=name) for name in "abc"]
        for request, _ in run_all(requests, BackendOptions(), RunObserver()):
            ended.append(request.section)

    with pytest.raises(RayTaskError, match="a defect"):
        collect()
    assert sorted(ended) == ["b", "c"]


def test_machines_that_lack_packages(connect: Connect, make_request: MakeRequest) -> None:
    said = "The remote function failed to import on the worker.\n\nNo module named 'nbclient'\n"
    connect().scripts["a"] = [(RayTaskError(said),)]
    with pytest.raises(SetupError, match="lack what d2lbuild needs: No module named 'nbclient'"):
        run([make_request("1", section="a")])


def test_closing_cancels(connect: Connect, make_request: MakeRequest) -> None:
    ray = connect()
    ray.scripts = {"b": [()], "c": [(Started("cpu"),)]}
    with closing(run_all([make_request("1", section=name) for name in "abc"], BackendOptions(), RunObserver())) as runs:
        next(runs)
    assert ray.cancelled == 2


def test_what_waits_for_a_machine_that_does_not_come_is_given_up(
    connect: Connect, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "_REFRESH", 0.0)
    monkeypatch.setattr(backend, "_PATIENCE", 0.0)
    ray = connect({"CPU": 1.0}, {"CPU": 1.0, "GPU": 1.0})
    ray.scripts["a"] = [()]

    class LosesOne(RunObserver):
        def started(self, request: ExecutionRequest) -> None:
            ray.machines.pop()

    results = run([make_request("1", section="a", needs=Needs(gpus=1)), make_request("1", section="b")], LosesOne())
    assert results["a"].status is Status.NOT_STARTED
    assert results["a"].failure is not None
    assert results["a"].failure.message == "it needs 1 GPU; the largest machine of the cluster has none"
    assert results["b"].status is Status.DONE


# --- connecting ---


def test_nothing_to_run_connects_to_nothing() -> None:
    assert list(run_all([], BackendOptions(address="ray://nowhere:1"), RunObserver())) == []


def test_without_ray(make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(SetupError, match="Ray is not installed") as caught:
        list(run_all([make_request("1")], BackendOptions(), RunObserver()))
    assert "pip install d2lbuild[ray]" in caught.value.hint


def test_the_address_of_rays_client(make_request: MakeRequest) -> None:
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match="does not stream"):
        list(run_all([make_request("1")], BackendOptions(address="ray://nowhere:1"), RunObserver()))
