import io

import pytest
from rich.console import Console

from d2lbuild.cli import live, progress
from d2lbuild.cli.live import LiveProgress
from d2lbuild.execution.plan import BuildPlan
from tests.cli.values import failed_result, known, request, result, to_run


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Let messages go to a terminal of 60 columns, and stop the clock at 100 s."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=60, color_system=None, legacy_windows=False)
    monkeypatch.setattr(progress, "errors", lambda: console)
    monkeypatch.setattr(live, "monotonic", lambda: 100.0)
    return written


def _drawn(shown: LiveProgress, monkeypatch: pytest.MonkeyPatch, now: float = 100.0) -> list[str]:
    monkeypatch.setattr(live, "monotonic", lambda: now)
    console = Console(file=io.StringIO(), width=60, color_system=None)
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
    assert below == ["  pytorch  a/b  12 s", "  jax      a/c  12 s"]
    shown.finished(first, result())
    top, *below = _drawn(shown, monkeypatch, 113.0)
    assert "1/2" in top
    assert below == ["  jax  a/c  13 s"]
    shown.finished(second, failed_result())
    assert _drawn(shown, monkeypatch)[0].endswith("1 failed")
    assert "[2/2] jax  a/c  1.2 s  NameError: name 'w' is not defined" in screen.getvalue()
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
    assert line.startswith("preparing the website")
    assert line.endswith("3/8 4.0 s")
    shown.rendering("write", 8, 8)
    assert _drawn(shown, monkeypatch, 105.0) == ["reading the pages 1.0 s"]
    shown.rendering("html", 1, 8)
    assert _drawn(shown, monkeypatch, 105.0)[0].startswith("writing the website")


def test_many_notebooks_do_not_fill_the_screen(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = LiveProgress()
    for number in range(40):
        shown.started(request(f"a/{number}"))
    assert len(_drawn(shown, monkeypatch)) == 13


def test_the_terminal_is_left_clean(screen: io.StringIO) -> None:
    shown = LiveProgress()
    with pytest.raises(KeyboardInterrupt), shown:
        raise KeyboardInterrupt
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") == 1
