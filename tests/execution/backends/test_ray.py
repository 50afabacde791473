"""A cluster of two machines, which are processes of this one; one of them is lost while notebooks run."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.execution.backends.ray import run_all
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.running import BackendOptions, RunObserver
from d2lbuild.model import ExecutionResult, Needs, Status
from tests.execution.conftest import MakeRequest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray cannot be imported")

GIB = 1024**3
STORE = 80 * 1024**2


class Observed(RunObserver):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.at: dict[str, list[int]] = {}
        self.begun: list[str] = []
        self.lost: list[str] = []
        self.notes: list[str] = []

    def started(self, request: ExecutionRequest) -> None:
        self.begun.append(request.section)

    def cell(self, request: ExecutionRequest, index: int) -> None:
        self.at.setdefault(request.section, []).append(index)

    def retried(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        self.lost.append(request.section)

    def note(self, message: str) -> None:
        self.notes.append(message)


class TwoMachines:
    """Two machines with a processor each; the first one is the head, and has a GPU, or says so."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster  # noqa: PLC0415

        size = {"num_cpus": 1, "memory": 2 * GIB, "object_store_memory": STORE}
        head = {**size, "num_gpus": 1, "include_dashboard": False, "include_log_monitor": False}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self._second = self._cluster.add_node(**size, include_log_monitor=False, wait=False)
        self._cluster.wait_for_nodes(timeout=200)
        self.address: str = self._cluster.address

    def lose_one(self) -> None:
        """Kill the processes of the second machine."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoMachines]:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "200")
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    machines = TwoMachines()
    yield machines
    machines.close()


@pytest.mark.integration
@pytest.mark.timeout(600)
def test_a_machine_is_lost_while_it_runs_a_notebook(
    cluster: TwoMachines, make_request: MakeRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    library, data, mark = tmp_path / "library", tmp_path / "words.txt", tmp_path / "lost"
    (library / "d2l").mkdir(parents=True)
    (library / "d2l" / "__init__.py").write_text("answer = 42\n", "utf-8")
    data.write_text("of the book", "utf-8")
    # The first cells wait until the loss of a machine is known, so that one run is lost for certain.
    waits = f"import os, time\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.1)"
    prints = "import d2l; print(d2l.answer, open('words.txt').read(), repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    requests = [
        make_request(waits, prints, section=name, library=library, files={"words.txt": data}, timeout=300.0)
        for name in ("a", "b", "c")
    ]
    requests += [
        make_request("1 / 0", section="fails"),
        make_request("import os\nprint(os.environ['CUDA_VISIBLE_DEVICES'])", section="gpu", needs=Needs(gpus=1)),
        make_request("1", section="many", needs=Needs(gpus=2)),
        make_request("1", section="large", needs=Needs(memory=64 * GIB)),
    ]
    results: dict[str, ExecutionResult] = {}

    class LosesOne(Observed):
        killed = False

        def cell(self, request: ExecutionRequest, index: int) -> None:
            super().cell(request, index)
            # Both wait, and so occupy both machines.
            if self.at.keys() >= {"a", "b"} and not self.killed:
                self.killed = True
                cluster.lose_one()

        def retried(self, request: ExecutionRequest, result: ExecutionResult) -> None:
            super().retried(request, result)
            mark.touch()

    observed = LosesOne()
    for request, result in run_all(requests, BackendOptions(address=cluster.address, fork=False), observed):
        assert request.section not in results
        results[request.section] = result
    assert {name: result.status for name, result in results.items()} == {
        **dict.fromkeys(("a", "b", "c", "gpu"), Status.DONE),
        "fails": Status.FAILED,
        "many": Status.SKIPPED,
        "large": Status.SKIPPED,
    }
    for name in ("a", "b", "c"):
        assert results[name].outputs[1][0]["text"] == "42 of the book ''\n"
    assert results["gpu"].outputs[0][0]["text"] == "0\n"
    assert len(observed.lost) == 1
    assert {name for name, result in results.items() if result.attempts == 2} == set(observed.lost)
    assert sorted(observed.begun) == ["a", "b", "c", "fails", "gpu"]
    assert reason(results["many"]) == "it needs 2 GPUs; the largest machine of the cluster has 1"
    assert reason(results["large"]) == "it needs 64 GiB of memory; the largest machine of the cluster has 2 GiB"
    # Nothing of Ray's among the results.
    assert capfd.readouterr().out == ""
    interrupt(cluster, make_request, tmp_path / "pid")


def interrupt(cluster: TwoMachines, make_request: MakeRequest, note: Path) -> None:
    """Press Ctrl-C while a notebook runs: its kernel must be gone afterwards."""

    class Interrupts(RunObserver):
        def cell(self, request: ExecutionRequest, index: int) -> None:
            if index == 1:
                raise KeyboardInterrupt

    writes = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()))"
    request = make_request(writes, "time.sleep(3600)", section="sleeps", timeout=4000.0)
    with pytest.raises(KeyboardInterrupt):
        list(run_all([request], BackendOptions(address=cluster.address, fork=False), Interrupts()))
    assert not Path("/proc", note.read_text("utf-8")).exists()


def reason(result: ExecutionResult) -> str:
    return result.failure.message if result.failure else ""
