"""How a build goes on, told in plain lines: one for each notebook that ends."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.text import Text

from d2lbuild.cli.messages import count, duration, errors, finding_text, is_detail, serious
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import Book, ExecutionResult, Failure, Finding, Status
from d2lbuild.notation import show_size
from d2lbuild.pipeline import Observer

if TYPE_CHECKING:
    from d2lbuild.execution.plan import BuildPlan

__all__ = ["MOST_FINDINGS", "PlainProgress", "stage_words"]

MOST_FINDINGS = 20
"""How many findings a build shows; `check` shows all."""

_GUESS = "its code says "
"""What the origin of needs says where they were guessed."""

_STAGES = {
    "write": "preparing the pages",
    "html": "writing the website",
    "latex": "writing LaTeX",
    "epub": "writing the EPUB",
    "typeset": "setting the PDF",
    "notebooks": "writing notebooks",
    "slides": "writing slides",
}


class PlainProgress(Observer):
    """Writes lines, for pipes, logs and simple terminals. A context, so that others can draw and clear up."""

    def __init__(self, *, all_findings: bool = False) -> None:
        self.all_findings = all_findings
        self.console = errors()
        self.shown: set[Finding] = set()
        """The findings that need not be shown again."""
        self.total = 0
        """How many notebooks will run."""
        self.done = 0
        self.guessed: dict[tuple[str, str], str] = {}
        """The notebooks whose needs were guessed from their code, and the words that say so."""
        self._notes: set[str] = set()
        self._announced: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to clear up."""

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Print errors and warnings that were not printed before, up to a number."""
        new = serious(finding for finding in findings if finding not in self.shown)
        self.shown.update(findings)
        most = len(new) if self.all_findings or len(new) <= MOST_FINDINGS else MOST_FINDINGS
        for finding in new[:most]:
            self.console.print(finding_text(finding))
        if new[most:]:
            self.console.print(
                f"… and {len(new) - most} more: `d2lbuild check` shows what is wrong with the sources, "
                "`d2lbuild build --strict` everything"
            )

    def read(self, book: Book, findings: Sequence[Finding]) -> None:
        """Show what is wrong before anything runs."""
        self.show_findings(findings)
        self.console.print(f"{book.sections[book.root].title or 'the book'}: {count(len(book.sections), 'section')}")

    def planned(self, plan: "BuildPlan") -> None:
        """Say how much there is to do."""
        self.total = len(plan.todo)
        parts = [f"{len(plan.todo)} to run", f"{len(plan.cached)} cached"]
        if plan.failed:
            parts.append(f"{len(plan.failed)} failed before and unchanged")
        known = sum(run.seconds for run in plan.todo if run.seconds is not None)
        if known and all(run.seconds is not None for run in plan.todo):
            parts[0] += f" (they took {duration(known)} the last time)"
        self.console.print(f"notebooks: {', '.join(parts)}")

    def environment(self, framework: str, line: str) -> None:
        """Pass on what uv says, but not every package."""
        if framework not in self._announced:
            self._announced.add(framework)
            self.console.print(f"making the environment of {framework}; this happens once")
        if not is_detail(line):
            self.console.print(Text(f"  {line}", "dim"))

    def started(self, request: ExecutionRequest) -> None:
        """Remember what was guessed of a notebook; that it has begun is no news in a log."""
        if request.needs.uses_gpu and _GUESS in request.needs.origin:
            self.guessed[request.section, request.framework] = request.needs.origin

    def retried(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Say that a notebook begins again, and why."""
        text = Text(f"{request.framework}  {request.section}  ").append("retried: ", "yellow")
        self.console.print(text.append(_what_happened(result.failure, result.status)))

    def note(self, message: str) -> None:
        """Say once what a user should know."""
        if message not in self._notes:
            self._notes.add(message)
            self.console.print(Text("note: ", "cyan").append(message, "not cyan"))

    def finished(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Say that a notebook has ended, and how."""
        self.done += 1
        text = Text(f"[{self.done}/{self.total}] {request.framework}  {request.section}  ")
        if result.status is not Status.SKIPPED:
            memory = [] if result.memory is None else [show_size(result.memory)]
            text.append("  ".join([duration(result.seconds), *memory, result.device]))
        if result.status is not Status.DONE:
            skipped = result.status is Status.SKIPPED
            text.append("skipped: " if skipped else "  ", "yellow" if skipped else "")
            text.append(_what_happened(result.failure, result.status), "" if skipped else "bold red")
        self.console.print(text)

    def rendering(self, stage: str, done: int, total: int) -> None:  # noqa: ARG002 - one line a stage will do
        """Say that a stage of rendering begins."""
        if stage not in self._announced:
            self._announced.add(stage)
            self.console.print(f"{stage_words(stage)}: {count(total, 'page')}")


def stage_words(stage: str) -> str:
    """Return what a stage of rendering does."""
    return _STAGES.get(stage, stage)


def _what_happened(failure: Failure | None, status: Status) -> str:
    if failure is None:
        return status.value
    message = next(iter(failure.message.splitlines()), "")
    if status is Status.SKIPPED:
        said = message or failure.name
    else:
        said = f"{failure.name}: {message}" if message else failure.name
    return said if len(said) <= 200 else f"{said[:199]}…"
