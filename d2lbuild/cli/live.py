"""How a build goes on, drawn on a terminal: a bar, and below it what is running, where, how far and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from d2lbuild.cli.estimate import time_left
from d2lbuild.cli.messages import duration, harmless
from d2lbuild.cli.progress import PlainProgress, stage_words
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Status

if TYPE_CHECKING:
    from d2lbuild.execution.plan import BuildPlan

__all__ = ["LiveProgress"]

_BAR_WIDTH = 30
_LEAST_BAR = 4
_MOST_RUNNING = 12
_AFTERWARDS = {"write": "reading the pages", "html": "finishing the website"}
"""What Sphinx does, without counting, when all pages of a stage are done."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A notebook that is running."""

    request: ExecutionRequest
    begun: float
    expected: float | None
    cell: int | None = None

    @property
    def name(self) -> tuple[str, str]:
        return self.request.section, self.request.framework


class LiveProgress(PlainProgress):
    """Draws the state of a build, again and again, in the last lines of a terminal.

    Drawing happens in a thread of its own, so every attribute that it reads is replaced, never changed.
    """

    def __init__(self, *, all_findings: bool = False) -> None:
        super().__init__(all_findings=all_findings)
        self._begun = monotonic()
        self._running: tuple[_Run, ...] = ()
        self._waiting: dict[tuple[str, str], float | None] = {}
        """What is still to begin, and how long it took the last time."""
        self._took: tuple[float, ...] = ()
        self._lanes = 1
        """The most notebooks that ran at once."""
        self._failed = 0
        self._skipped = 0
        self._doing = "reading the book"
        self._progress: tuple[int, int] | None = None
        self._detail = ""
        self._live = Live(
            console=self.console,
            get_renderable=self.draw,
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as if nothing had been drawn."""
        self._live.stop()

    def planned(self, plan: "BuildPlan") -> None:
        """Say how much there is to do, and begin to count."""
        super().planned(plan)
        if plan.todo:
            self._waiting = {(run.notebook.section, run.notebook.framework): run.seconds for run in plan.todo}
            self._begin("running notebooks", (0, len(plan.todo)))

    def environment(self, framework: str, line: str) -> None:
        """Draw the last thing that uv said; nothing of it stays."""
        doing = f"making the environment of {framework}; this happens once"
        if doing != self._doing:
            self._begin(doing, None)
        self._detail = line.strip() or self._detail

    def started(self, request: ExecutionRequest) -> None:
        """Draw one more notebook, with a clock."""
        super().started(request)
        if not self._running and self._progress is None:
            self._begin("running notebooks", (self.done, self.total))
        name = (request.section, request.framework)
        before = self._waiting.get(name)
        self._waiting = {other: seconds for other, seconds in self._waiting.items() if other != name}
        run = _Run(request, monotonic(), before if request.expected is None else request.expected)
        # One that begins again takes the place of its first run.
        self._running = (*self._without(request), run)
        self._lanes = max(self._lanes, len(self._running))

    def cell(self, request: ExecutionRequest, index: int) -> None:
        """Draw how far a notebook has come."""
        name = (request.section, request.framework)
        self._running = tuple(replace(run, cell=index) if run.name == name else run for run in self._running)

    def finished(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Draw one less; a failure stays above the bar."""
        self._running = self._without(request)
        name = (request.section, request.framework)
        self._waiting = {other: seconds for other, seconds in self._waiting.items() if other != name}
        if result.status in {Status.DONE, Status.SKIPPED}:
            self.done += 1
        else:
            super().finished(request, result)
            self._failed += 1
        if result.status is Status.SKIPPED:
            self._skipped += 1
        else:
            self._took = (*self._took, result.seconds)
        self._progress = (self.done, self.total)

    def _without(self, request: ExecutionRequest) -> tuple[_Run, ...]:
        return tuple(run for run in self._running if run.name != (request.section, request.framework))

    def rendering(self, stage: str, done: int, total: int) -> None:
        """Draw how many pages are done."""
        if done >= total and stage in _AFTERWARDS:
            self._begin(_AFTERWARDS[stage], None)
            return
        if stage_words(stage) != self._doing:
            self._begin(stage_words(stage), (done, total))
        self._progress = (done, total)

    def _begin(self, doing: str, progress: tuple[int, int] | None) -> None:
        self._doing, self._progress, self._detail = doing, progress, ""
        self._begun = monotonic()

    def draw(self) -> RenderableType:
        """Return what the terminal shows now."""
        now = monotonic()
        words = Text(duration(now - self._begun), "cyan")
        if (left := self._left(now)) is not None:
            words.append(f", about {_roughly(left)} left", "dim")
        if self._failed:
            words.append(f"  {self._failed} failed", "bold red")
        if self._skipped:
            words.append(f"  {self._skipped} skipped", "yellow")
        cells: list[RenderableType] = [Text(self._doing, "bold", no_wrap=True)]
        if self._progress is not None:
            done, total = self._progress
            words = Text(f"{done}/{total} ").append(words)
            # The bar takes what the words leave.
            width = min(_BAR_WIDTH, self.console.width - len(self._doing) - len(words) - 2)
            if width >= _LEAST_BAR:
                cells.append(ProgressBar(max(total, 1), done, width=width))
        words.no_wrap, words.overflow = True, "ellipsis"
        line = Table.grid(padding=(0, 1))
        line.add_row(*cells, words)
        below: list[RenderableType] = []
        if self._detail:
            below.append(Text(f"  {self._detail}", "dim", no_wrap=True, overflow="ellipsis"))
        running = self._running
        if running:
            below.append(_table(running[:_MOST_RUNNING], now))
        if running[_MOST_RUNNING:]:
            below.append(Text(f"  … and {len(running) - _MOST_RUNNING} more", "dim"))
        return Group(line, *below)

    def _left(self, now: float) -> float | None:
        """Return for how long notebooks will go on running."""
        running = [(run.expected, now - run.begun) for run in self._running]
        if not running:
            return None
        return time_left([*self._waiting.values()], running, self._took, self._lanes)


def _table(running: Sequence[_Run], now: float) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    # On a narrow terminal the section's name alone gives way.
    table.add_column(overflow="ellipsis")
    for _ in range(4):
        table.add_column(no_wrap=True)
    for run in running:
        request = run.request
        at = "starting" if run.cell is None else f"cell {run.cell + 1} of {len(request.cells)}"
        time = Text(_clock(now - run.begun), "cyan")
        if run.expected is not None:
            time.append(f" of about {_roughly(run.expected)}", "dim")
        section = Text(harmless(f"  {request.section}"), no_wrap=True, overflow="ellipsis")
        table.add_row(section, Text(request.framework, "dim"), Text(request.device, "dim"), Text(at), time)
    return table


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)


def _roughly(seconds: float) -> str:
    """Return a length of time that nobody should take to the second."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
