"""Pure functions at the same time."""

import multiprocessing
import os

import pytest

from d2lbuild.parallel import at_once


def test_results_come_in_order() -> None:
    assert at_once([lambda n=n: n * n for n in range(4)]) == [0, 1, 4, 9]  # type: ignore[misc]
    assert at_once([]) == []


def test_what_a_task_raises_is_raised() -> None:
    def wrong() -> int:
        raise ValueError("no such number")

    with pytest.raises(ValueError, match="no such number"):
        at_once([lambda: 1, wrong])


def test_a_killed_process_loses_nothing() -> None:
    parent = os.getpid()

    def task() -> int:
        if os.getpid() != parent:
            os._exit(9)
        return 7

    assert at_once([lambda: 1, task]) == [1, 7]


def test_a_failure_here_leaves_no_process_behind() -> None:
    def wrong() -> bytes:
        raise ValueError("no such number")

    with pytest.raises(ValueError, match="no such number"):
        at_once([wrong, lambda: bytes(10_000_000)])  # more than a pipe takes before somebody reads it
    for process in multiprocessing.active_children():
        process.join(timeout=10)
    assert multiprocessing.active_children() == []
