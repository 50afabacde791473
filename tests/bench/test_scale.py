"""The simulated cluster runs a book with the real planner and the real driver, whatever it loses."""

from pathlib import Path

import pytest

from bench.measuring import Rows
from bench.works import scale


def test_all_notebooks_run_and_are_known(tmp_path: Path) -> None:
    rows = Rows()
    cluster = scale.measure_one(tmp_path, 4, rows)
    assert {row.task.partition(": ")[0] for row in rows.all()} == {"24 notebooks"}
    assert cluster.lost == 0
    assert cluster.sent > 24 * 500  # a task is a kilobyte or so
    assert cluster.received > 24 * 2000


def test_workers_that_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "_LOSS_EVERY", 20.0)
    monkeypatch.setattr(scale, "WORKERS", 5)
    rows = Rows()
    cluster = scale.measure_one(tmp_path, 4, rows)
    given_up = next(row.value for row in rows.all() if "given up" in row.task)
    assert given_up is not None
    assert cluster.lost > 2 * given_up
    # What was lost has run again: its seconds have been spent twice.
    assert cluster.now > 24 * 30 / 5 / 2
