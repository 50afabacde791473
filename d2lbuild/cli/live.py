"""How a build goes on, drawn on a terminal: a bar, and below it what is running and for how long."""

from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from d2lbuild.cli.messages import duration
from d2lbuild.cli.progress import PlainProgress, stage_words
from d2lbuild.execution.plan import BuildPlan
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Status

__all__ = ["LiveProgress"]

_BAR_WIDTH = 30
_MOST_RUNNING = 12
_AFTERWARDS = {"write": "reading the pages", "html": "finishing the website"}
"""What Sphinx does, without counting, when all pages of a stage are done."""


class LiveProgress(PlainProgress):
    """Draws the state of a build, again and again, in the last lines of a terminal.

    Drawing happens in a thread of its own, so every attribute that it reads is replaced, never changed.
    """

    def __init__(self, *, all_findings: bool = False) -> None:
        super().__init__(all_findings=all_findings)
        self._begun = monotonic()
        self._running: tuple[tuple[ExecutionRequest, float], ...] = ()
        self._failed = 0
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

    def planned(self, plan: BuildPlan) -> None:
        """Say how much there is to do, and begin to count."""
        super().planned(plan)
        if plan.todo:
            self._begin("running notebooks", (0, len(plan.todo)))

    def environment(self, framework: str, line: str) -> None:
        """Draw the last thing that uv said; nothing of it stays."""
        doing = f"making the environment of {framework}; this happens once"
        if doing != self._doing:
            self._begin(doing, None)
        self._detail = line.strip() or self._detail

    def started(self, request: ExecutionRequest) -> None:
        """Draw one more notebook, with a clock."""
        if not self._running and self._progress is None:
            self._begin("running notebooks", (self.done, self.total))
        self._running = (*self._running, (request, monotonic()))

    def finished(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Draw one less; a failure stays above the bar."""
        self._running = tuple(one for one in self._running if one[0] is not request)
        if result.status is Status.DONE:
            self.done += 1
        else:
            super().finished(request, result)
            self._failed += 1
        self._progress = (self.done, self.total)

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
        line = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [Text(self._doing, "bold", no_wrap=True)]
        if self._progress is not None:
            done, total = self._progress
            cells += [ProgressBar(max(total, 1), done, width=_BAR_WIDTH), Text(f"{done}/{total}", no_wrap=True)]
        cells.append(Text(duration(now - self._begun), "cyan", no_wrap=True))
        if self._failed:
            cells.append(Text(f"{self._failed} failed", "bold red", no_wrap=True))
        line.add_row(*cells)
        below: list[RenderableType] = []
        if self._detail:
            below.append(Text(f"  {self._detail}", "dim", no_wrap=True, overflow="ellipsis"))
        if self._running:
            below.append(self._table(now))
        return Group(line, *below)

    def _table(self, now: float) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        for request, begun in self._running[:_MOST_RUNNING]:
            seconds = Text(f"{now - begun:.0f} s", "cyan", justify="right", no_wrap=True)
            section = Text(request.section, no_wrap=True, overflow="ellipsis")
            table.add_row(Text(f"  {request.framework}", "dim", no_wrap=True), section, seconds)
        return table
