import io
from dataclasses import replace

import pytest
from rich.console import Console

from d2lbuild.cli import live, progress
from d2lbuild.cli.live import LiveProgress
from d2lbuild.execution.plan import BuildPlan
from d2lbuild.execution.request import CodeCell
from d2lbuild.model import Status
from tests.cli.values import failed_result, known, request, result, skipped_result, to_run


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Let messages go to a terminal of 60 columns, and stop the clock at 100 s."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=60, color_system=None, legacy_windows=False)
    monkeypatch.setattr(progress, "errors", lambda: console)
    monkeypatch.setattr(live, "monotonic", lambda: 100.0)
    return written


def _drawn(shown: LiveProgress, monkeypatch: pytest.MonkeyPatch, now: float = 100.0, *, width: int = 60) -> list[str]:
    monkeypatch.setattr(live, "monotonic", lambda: now)
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(shown.draw())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_bar_and_what_is_running(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    assert _drawn(shown, monkeypatch) == ["reading the book 0.0 s"]
    shown.planned(BuildPlan((known("a/x"),), (), (to_run("a/b"), to_run("a/c"))))
    first, second = request("a/b"), request("a/c", "jax")
    shown.started(first)
    shown.started(second)
    top, *below = _drawn(shown, monkeypatch, 112.0)
    assert top.split()[:2] == ["running", "notebooks"]
    assert top.endswith("0/2 12.0 s")
    assert below == ["  a/b  pytorch  cpu  starting  12 s", "  a/c  jax      cpu  starting  12 s"]
    shown.finished(first, result())
    top, *below = _drawn(shown, monkeypatch, 113.0)
    assert "1/2" in top
    assert below == ["  a/c  jax  cpu  starting  13 s"]
    shown.finished(second, failed_result())
    assert _drawn(shown, monkeypatch)[0].endswith("1 failed")
    assert "[2/2] jax  a/c  1.2 s  cpu  NameError: name 'w' is not " in screen.getvalue()
    assert "a/b" not in screen.getvalue()


def test_an_environment_is_drawn_but_leaves_nothing(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    shown.environment("pytorch", "Resolved 90 packages")
    assert _drawn(shown, monkeypatch) == [
        "making the environment of pytorch; this happens once 0.0 s",
        "  Resolved 90 packages",
    ]
    shown.started(request())
    assert _drawn(shown, monkeypatch)[0].startswith("running notebooks")
    assert screen.getvalue() == ""


def test_pages_are_counted(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    shown.rendering("write", 0, 8)
    shown.rendering("write", 3, 8)
    (line,) = _drawn(shown, monkeypatch, 104.0)
    assert line.startswith("preparing the pages")
    assert line.endswith("3/8 4.0 s")
    shown.rendering("write", 8, 8)
    assert _drawn(shown, monkeypatch, 105.0) == ["reading the pages 1.0 s"]
    shown.rendering("html", 1, 8)
    assert _drawn(shown, monkeypatch, 105.0)[0].startswith("writing the website")


def test_many_notebooks_do_not_fill_the_screen(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    for number in range(40):
        shown.started(request(f"a/{number}"))
    lines = _drawn(shown, monkeypatch)
    assert len(lines) == 14
    assert lines[-1] == "  … and 28 more"


def test_where_how_far_and_how_long(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    asked = replace(request("convolution/lenet"), cells=(CodeCell("1"),) * 12, device="GPU 0", expected=240.0)
    shown.planned(BuildPlan((), (), (to_run("convolution/lenet"), to_run("a/c", seconds=60.0))))
    shown.started(asked)
    shown.cell(asked, 2)
    shown.cell(request("a/c"), 7)  # not running
    monkeypatch.setattr(shown.console, "width", 100)
    top, line = _drawn(shown, monkeypatch, 195.0, width=100)
    assert line == "  convolution/lenet  pytorch  GPU 0  cell 3 of 12  1 min 35 s of about 4 min"
    assert top.endswith(" 0/2 1 min 35 s, about 3 min left")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_bar_gives_way_to_words(width: int, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    monkeypatch.setattr(shown.console, "width", width)
    shown.planned(BuildPlan((), (), (to_run("a/b", seconds=60.0), to_run("a/c", seconds=60.0))))
    shown.started(request())
    top, _ = _drawn(shown, monkeypatch, width=width)
    assert len(top) <= width
    assert ("about 2 min left" in top) == (width >= 60)


def test_a_narrow_terminal_shortens_the_name_of_the_section(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = LiveProgress()
    shown.started(replace(request("a-long-name-of-a-folder/a-long-name-of-a-section"), expected=20.0))
    line = _drawn(shown, monkeypatch)[-1]
    assert line.startswith("  a-long-name")
    assert line.endswith("…  pytorch  cpu  starting  0 s of about 20 s")
    assert len(line) <= 60


def test_a_run_that_begins_again_is_drawn_once(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    shown.planned(BuildPlan((), (), (to_run("a/b"),)))
    shown.started(request())
    shown.cell(request(), 0)
    shown.retried(request(), result(status=Status.NOT_STARTED))
    # Backends hand on copies that say where the notebook runs.
    shown.started(replace(request(), device="GPU 1"))
    assert _drawn(shown, monkeypatch, 104.0)[1:] == ["  a/b  pytorch  GPU 1  starting  4 s"]
    shown.finished(request(), result())
    assert len(_drawn(shown, monkeypatch)) == 1
    assert "pytorch  a/b  retried: not started\n" in screen.getvalue()


def test_skipped_notebooks_are_counted(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    shown.planned(BuildPlan((), (), (to_run("a/b"),)))
    shown.finished(request(), skipped_result())
    assert _drawn(shown, monkeypatch)[0].endswith("1/1 0.0 s  1 skipped")


def test_the_terminal_is_left_clean(screen: io.StringIO) -> None:
    shown = LiveProgress()
    with pytest.raises(KeyboardInterrupt), shown:
        raise KeyboardInterrupt
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") == 1
