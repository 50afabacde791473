import heapq
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.execution.devices import Gpu, Machine
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.scheduler import Demand, Grant, Scheduler, demand_of, device_name, refusal, skipped
from d2lbuild.model import Needs, Status

GIB = 1024**3
KERNEL = KernelCommand(Path(sys.executable))


def gpus(*sizes: int) -> tuple[Gpu, ...]:
    return tuple(Gpu(n, f"GPU-{n}", f"G{size}", size * GIB) for n, size in enumerate(sizes))


def request(section: str = "a", expected: float | None = None, **needs: object) -> ExecutionRequest:
    return ExecutionRequest(
        section,
        "pytorch",
        (CodeCell("1"), CodeCell("2")),
        KERNEL,
        Path("library"),
        PurePosixPath(),
        needs=Needs(**needs),  # type: ignore[arg-type]
        expected=expected,
    )


def starts(scheduler: Scheduler) -> Iterator[Grant]:
    """Start what fits now."""
    return iter(scheduler.start, None)


def names(grants: Iterable[Grant]) -> list[str]:
    return [grant.request.section for grant in grants]


# --- order ---


def test_unknown_ones_first_then_the_longest() -> None:
    requests = [request("short", 1), request("long", 9), request("new"), request("newer"), request("middle", 5)]
    scheduler = Scheduler(requests, Machine(8), 4)
    assert names(starts(scheduler)) == ["new", "newer", "long", "middle"]


def test_no_more_than_jobs_at_once() -> None:
    scheduler = Scheduler([request(str(n)) for n in range(3)], Machine(8), 1)
    (first,) = starts(scheduler)
    scheduler.end(first)
    assert names(starts(scheduler)) == ["1"]
    assert scheduler


def test_it_is_false_when_nothing_waits_or_runs() -> None:
    scheduler = Scheduler([request()], Machine(1), 1)
    (grant,) = starts(scheduler)
    assert scheduler
    scheduler.end(grant)
    assert not scheduler


def test_ending_twice_is_an_error() -> None:
    scheduler = Scheduler([request()], Machine(1), 1)
    (grant,) = starts(scheduler)
    scheduler.end(grant)
    with pytest.raises(KeyError):
        scheduler.end(grant)


# --- memory ---


def test_memory_is_not_promised_twice() -> None:
    scheduler = Scheduler([request(str(n), memory=4 * GIB) for n in range(3)], Machine(8, 10 * GIB), 8)
    first, _ = starts(scheduler)
    scheduler.end(first)
    assert names(starts(scheduler)) == ["2"]


def test_memory_does_not_count_where_nobody_knows_how_much_there_is() -> None:
    scheduler = Scheduler([request(str(n), memory=4 * GIB) for n in range(3)], Machine(8, None), 8)
    assert len(list(starts(scheduler))) == 3


def test_a_small_one_starts_where_the_next_does_not_fit_but_passes_it_only_so_often() -> None:
    big, rest = request("big", 50, memory=9 * GIB), [request(f"s{n}", 40 - n, memory=GIB) for n in range(30)]
    scheduler = Scheduler([request("s", 60, memory=GIB), *rest, big], Machine(8, 9 * GIB), 3)
    running = list(starts(scheduler))
    assert names(running) == ["s", "s0", "s1"]
    order = names(running)
    while "big" not in order:
        scheduler.end(running.pop(0))
        started = list(starts(scheduler))
        running += started
        order += names(started)
    assert len(order) == 1 + 3 + 1  # three passed it, as many as there are slots
    assert names(running) == ["big"]


def test_what_takes_nothing_that_the_next_lacks_starts_meanwhile() -> None:
    scheduler = Scheduler(
        [request("r", 60, memory=GIB), request("big", 50, memory=9 * GIB), *(request(f"s{n}", 1) for n in range(20))],
        Machine(8, 9 * GIB),
        3,
    )
    running = list(starts(scheduler))
    assert names(running) == ["r", "s0", "s1"]
    for number in range(2, 20):
        scheduler.end(running.pop())
        (another,) = starts(scheduler)
        assert another.request.section == f"s{number}"
        running.append(another)


# --- GPUs ---


def test_gpus_are_given_out_whole() -> None:
    scheduler = Scheduler([request("two", 9, gpus=2), request("one", 8, gpus=1)], Machine(8, None, gpus(80, 80)), 8)
    (two,) = starts(scheduler)
    assert two.request.gpus == ("GPU-0", "GPU-1")
    assert (two.request.gpu_share, two.request.device) == (None, "2 × G80")
    scheduler.end(two)
    (one,) = starts(scheduler)
    assert (one.request.gpus, one.request.device) == (("GPU-0",), "G80")


def test_gpus_are_shared_only_by_those_who_say_how_much_they_take() -> None:
    requests = [
        request("a", 9, gpus=1, gpu_memory=30 * GIB),
        request("b", 8, gpu_memory=40 * GIB, uses_gpu=True),
        request("c", 7, gpus=1, gpu_memory=20 * GIB),
        request("d", 6, gpus=1),
    ]
    scheduler = Scheduler(requests, Machine(8, None, gpus(80, 80)), 8)
    a, b, c = starts(scheduler)
    assert [grant.request.gpus for grant in (a, b, c)] == [("GPU-0",), ("GPU-0",), ("GPU-1",)]
    assert a.request.gpu_share == 30 / 80
    scheduler.end(c)
    (d,) = starts(scheduler)
    assert d.request.gpus == ("GPU-1",)


def test_a_shared_gpu_is_whole_again_when_nobody_shares_it() -> None:
    requests = [request("a", 9, gpus=1, gpu_memory=30 * GIB), request("b", 8, gpus=1)]
    scheduler = Scheduler(requests, Machine(8, None, gpus(80)), 8)
    (a,) = starts(scheduler)
    scheduler.end(a)
    assert names(starts(scheduler)) == ["b"]


def test_a_share_is_of_a_gpu_that_is_large_enough_and_of_the_smallest_such() -> None:
    scheduler = Scheduler([request(gpus=1, gpu_memory=30 * GIB)], Machine(8, None, gpus(80, 16, 40)), 8)
    (grant,) = starts(scheduler)
    assert grant.request.gpus == ("GPU-2",)


def test_a_gpu_of_unknown_size_is_not_shared() -> None:
    requests = [request(str(n), gpus=1, gpu_memory=GIB) for n in range(2)]
    scheduler = Scheduler(requests, Machine(8, None, gpus(0)), 8)
    (first,) = starts(scheduler)
    assert first.request.gpu_share is None
    scheduler.end(first)
    assert names(starts(scheduler)) == ["1"]


def test_who_would_like_a_gpu_waits_for_one_where_there_are_any() -> None:
    requests = [request("a", 2, uses_gpu=True), request("b", 1, uses_gpu=True)]
    assert [grant.request.device for grant in starts(Scheduler(requests, Machine(8), 8))] == ["cpu", "cpu"]
    (only,) = starts(Scheduler(requests, Machine(8, None, gpus(80)), 8))
    assert only.request.device == "G80"


def test_who_would_like_a_larger_gpu_than_any_runs_without() -> None:
    assert demand_of(Needs(uses_gpu=True, gpu_memory=90 * GIB), Machine(8, None, gpus(80))) == Demand()


def test_several_of_one_gpu_cannot_starve_the_one_of_two() -> None:
    requests = [*(request(f"s{n}", 90 - n, gpus=1) for n in range(40)), request("two", 89.5, gpus=2)]
    scheduler = Scheduler(requests, Machine(8, None, gpus(80, 80)), 2)
    running = list(starts(scheduler))
    order = names(running)
    while "two" not in order:
        scheduler.end(running.pop(0))
        started = list(starts(scheduler))
        running += started
        order += names(started)
    assert order.index("two") <= 4


def test_names_of_devices() -> None:
    assert device_name(()) == "cpu"
    assert device_name(gpus(80, 40, 80)) == "2 × G80 + G40"


# --- what a machine cannot run ---


@pytest.mark.parametrize(
    ("needs", "machine", "reason"),
    [
        (Needs(gpus=1), Machine(2), "it needs 1 GPU; this machine has none"),
        (Needs(gpus=3), Machine(2, None, gpus(8, 8)), "it needs 3 GPUs; this machine has 2"),
        (
            Needs(gpus=1, gpu_memory=16 * GIB),
            Machine(2, None, gpus(8)),
            "it needs a GPU with 16 GiB of memory; this machine has 8 GiB",
        ),
        (Needs(memory=8 * GIB), Machine(2, 4 * GIB), "it needs 8 GiB of memory; this machine has 4 GiB"),
        (Needs(memory=8 * GIB), Machine(2, None), ""),
        (Needs(uses_gpu=True), Machine(2), ""),
        (Needs(gpus=2, memory=4 * GIB), Machine(2, 4 * GIB, gpus(8, 8)), ""),
    ],
)
def test_what_a_machine_can_never_run_is_refused(needs: Needs, machine: Machine, reason: str) -> None:
    assert refusal(needs, machine) == reason


def test_what_is_refused_has_a_result_and_does_not_run() -> None:
    scheduler = Scheduler([request("a", gpus=1), request("b")], Machine(2), 2)
    ((refused, result),) = scheduler.refused
    assert (refused.section, result.status, result.outputs) == ("a", Status.SKIPPED, ((), ()))
    assert result.failure is not None
    assert result.failure.message == "it needs 1 GPU; this machine has none"
    assert names(starts(scheduler)) == ["b"]


def test_a_skipped_one_says_why() -> None:
    result = skipped(request(), "there is no such device")
    assert result.failure is not None
    assert (result.failure.cell, result.failure.name, result.failure.message) == (
        None,
        "skipped",
        "there is no such device",
    )


# --- whatever the order of things ---

needs_strategy = st.builds(
    Needs,
    gpus=st.integers(0, 3),
    gpu_memory=st.none() | st.integers(1, 12).map(lambda size: size * GIB),
    uses_gpu=st.booleans(),
    memory=st.none() | st.integers(1, 12).map(lambda size: size * GIB),
)
machines = st.builds(
    Machine,
    cpus=st.integers(1, 4),
    memory=st.none() | st.integers(4, 10).map(lambda size: size * GIB),
    gpus=st.lists(st.sampled_from([0, 4, 8, 10]), max_size=3).map(lambda sizes: gpus(*sizes)),
)


@given(
    st.lists(st.tuples(needs_strategy, st.none() | st.floats(0, 100)), max_size=25),
    machines,
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_everything_runs_once_within_what_there_is(
    wanted: list[tuple[Needs, float | None]], machine: Machine, jobs: int, chance: random.Random
) -> None:
    requests = [
        ExecutionRequest(str(n), "f", (), KERNEL, Path(), PurePosixPath(), needs=needs, expected=expected)
        for n, (needs, expected) in enumerate(wanted)
    ]
    scheduler = Scheduler(requests, machine, jobs)
    running: list[Grant] = []
    seen = [refused.section for refused, _ in scheduler.refused]
    while scheduler:
        for grant in starts(scheduler):
            running.append(grant)
            seen.append(grant.request.section)
            check(running, machine, jobs)
        assert running, "nothing runs, and nothing can start"
        scheduler.end(running.pop(chance.randrange(len(running))))
    assert sorted(seen) == sorted(one.section for one in requests)


def check(running: list[Grant], machine: Machine, jobs: int) -> None:
    """What runs must not take more than there is."""
    assert len(running) <= jobs
    if machine.memory is not None:
        assert sum(grant.request.needs.memory or 0 for grant in running) <= machine.memory
    for gpu in machine.gpus:
        users = [grant.request for grant in running if gpu.uuid in grant.request.gpus]
        assert len(users) <= 1 or all(user.gpu_share is not None for user in users)
        assert sum(user.gpu_share or 0 for user in users) <= 1 + 1e-9
    for grant in running:
        needs = grant.request.needs
        assert len(set(grant.request.gpus)) == len(grant.request.gpus) >= needs.gpus
        assert bool(grant.request.gpus) == (grant.request.device != "cpu")


# --- many ---


def simulate(
    requests: list[ExecutionRequest], machine: Machine, jobs: int, seconds: Callable[[ExecutionRequest], float]
) -> tuple[float, float]:
    """Return when the last notebook ends, and the seconds of all of them."""
    scheduler = Scheduler(requests, machine, jobs)
    now, work = 0.0, 0.0
    ends: list[tuple[float, int, Grant]] = []
    count = 0
    while scheduler:
        for grant in starts(scheduler):
            count += 1
            taken = seconds(grant.request)
            work += taken
            heapq.heappush(ends, (now + taken, count, grant))
        now, _, grant = heapq.heappop(ends)
        scheduler.end(grant)
    assert count + len(scheduler.refused) == len(requests)
    return now, work


@pytest.mark.integration
def test_sixty_thousand_notebooks_on_two_hundred_workers() -> None:
    chance = random.Random(4)
    kinds: list[dict[str, object]] = [{}, {}, {}, {"memory": 4 * GIB}, {"memory": 48 * GIB}]
    kinds += [{"gpus": 1}, {"gpus": 4}, {"uses_gpu": True, "gpu_memory": 10 * GIB}]
    requests = [request(str(n), chance.expovariate(1 / 60), **chance.choice(kinds)) for n in range(60_000)]
    machine = Machine(200, 2000 * GIB, gpus(*[80] * 64))
    last, work = simulate(requests, machine, 200, lambda one: one.expected or 0.0)
    # No schedule can be shorter than the work divided by the slots, or by what it takes of the GPUs.
    gpu_seconds = sum((one.expected or 0) * (one.needs.gpus or one.needs.uses_gpu / 8) for one in requests)
    assert max(work / 200, gpu_seconds / 64) <= last <= 1.2 * max(work / 200, gpu_seconds / 64)


def test_many_kinds_take_no_longer() -> None:
    requests = [request(str(n), float(n % 977), memory=GIB + n) for n in range(5_000)]
    last, work = simulate(requests, Machine(200, 150 * GIB), 200, lambda one: one.expected or 1.0)
    assert last >= work / 200
