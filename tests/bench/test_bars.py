"""Results that are not good enough are told."""

from pathlib import Path

from bench import results as files
from bench.bars import BARS, AtMost, Faster, Growth, missed, slower
from bench.measuring import OURS, Row, Rows
from bench.works import WORKS
from tests.bench.small import result, results


def test_nothing_is_missed() -> None:
    assert missed(results()) == []


def test_a_ratio_that_is_too_small() -> None:
    found = missed(results(), [Faster("library", "cold", "d2lbook", 6)])
    assert found == ["library: cold: d2lbook takes 5.00 times as long as d2lbuild, and should take 6 times"]


def test_a_figure_that_is_too_large() -> None:
    assert missed(results(), [AtMost("library", "cold", 1.5)]) == ["library: cold: 2 s, and should be 1.5 at most"]


def test_growth_beyond_proportion() -> None:
    large, small = "10 times the sections: website", "the book: website"
    assert missed(results(), [Growth("growth", large, small, 9)]) == []
    (line,) = missed(results(), [Growth("growth", large, small, 8.9)])
    assert line == f"growth: {large}: 9.0 times that of “{small}”, and should be 8.9 at most"


def test_what_was_not_measured_misses_nothing() -> None:
    assert missed(results(), [AtMost("html", "cold", 0), AtMost("library", "warm", 0)]) == []
    assert missed(results(), [Faster("library", "cold", "nobody", 9)]) == []


def test_a_wrong_run_is_a_miss() -> None:
    rows = Rows()
    for who, count in (("must", 1), (OURS, 0), ("d2lbook", 3)):
        rows.note("a cell", who, count, "runs")
    assert missed({"changes": result("changes", rows)}) == ["changes: a cell: 0 ran, not 1"]


def test_where_somebody_is_faster() -> None:
    rows = Rows()
    for who, seconds in ((OURS, 4.0), ("d2lbook", 3.0), ("jupytext", 4.0)):
        rows.note("cold", who, seconds)
    assert slower({"library": result("library", rows)}) == [("library", "cold", "d2lbook", 0.75)]
    assert slower(results()) == []


def test_every_bar_is_of_a_work() -> None:
    assert {bar.work for bar in BARS} <= set(WORKS)


def test_every_bar_concerns_what_is_measured() -> None:
    there = files.read()
    assert [bar for bar in BARS if bar.work in there and there[bar.work].row(bar.task) is None] == []


def test_results_are_the_same_when_they_are_read_again(tmp_path: Path) -> None:
    for one in results().values():
        files.write(one, tmp_path)
    assert files.read(tmp_path) == results()


def test_rows_of_a_task_stand_together() -> None:
    rows = Rows()
    for task, who in (("a", OURS), ("b", OURS), ("a", "d2lbook")):
        rows.note(task, who, 1.0)
    rows.cannot("b", "d2lbook", "no")
    rows.cannot("a", "d2lbook", "not so")  # it can
    assert rows.all() == [
        Row("a", OURS, (1.0,)),
        Row("a", "d2lbook", (1.0,)),
        Row("b", OURS, (1.0,)),
        Row("b", "d2lbook", (), note="no"),
    ]
