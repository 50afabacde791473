"""What `d2lbuild plan --why` prints: which inputs of a notebook have changed since its last run, from what to what."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from d2lbuild.cli.messages import diff_text, duration, note, say
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.plan import BuildPlan, NotebookToRun
from d2lbuild.execution.results.history import History, HistoryRecord
from d2lbuild.execution.results.why import Change, Explanation, explain
from d2lbuild.model import Status
from d2lbuild.notebook_runs import book_digests

if TYPE_CHECKING:
    from d2lbuild.config import Config

__all__ = ["show_changes"]

_ENDS = {
    Status.DONE: "ran to its end",
    Status.FAILED: "failed",
    Status.TIMEOUT: "timed out",
    Status.DIED: "lost its kernel",
    Status.NOT_STARTED: "had a kernel that did not start",
}


def show_changes(config: "Config", found: BuildPlan, sections: Sequence[str]) -> None:
    """Print, for each notebook of these sections, what a build does with it and what has changed."""
    history, digests = History(cache_home(), config.name), book_digests(config)
    chosen = [one for one in _fates(found) if any(_within(one[0].section, section) for section in sections)]
    for number, (notebook, fate) in enumerate(chosen):
        if number:
            say()
        explanation = explain(notebook, history, digests)
        say(Text(f"{notebook.section} [{notebook.framework}]: ", "bold").append(fate, "not bold default"))
        say(f"  {_last_run(explanation)}")
        for change in explanation.changes:
            _show(change)
    if not chosen:
        note("no notebook of these frameworks has code there")


def _fates(found: BuildPlan) -> Iterator[tuple[NotebookToRun, str]]:
    for known in found.cached:
        yield known.notebook, f"cached, from {known.head.finished}"
    for known in found.failed:
        yield known.notebook, "failed, and nothing has changed since: its failure is shown again"
    for run in found.todo:
        yield run.notebook, f"will run: {run.why}"


def _within(name: str, section: str) -> bool:
    return name == section or name.startswith(f"{section}/")


def _last_run(explanation: Explanation) -> str:
    record = explanation.record
    if record is None:
        return "nothing is known of an earlier run"
    changed = "nothing has changed since" if not explanation.changes else "what has changed since:"
    return f"the last run {_end(record)}; {changed}"


def _end(record: HistoryRecord) -> str:
    when = f" on {record.finished}" if record.finished else ""
    first = next(iter(record.message.splitlines()), "")
    what = f": {first}" if first else ""
    return f"{_ENDS.get(record.status, record.status.value)} after {duration(record.seconds)}{when}{what}"


def _show(change: Change) -> None:
    if change.before and change.after:
        values = f"{change.before} -> {change.after}"
    else:
        values = f"new: {change.after}" if change.after else f"gone, was {change.before}"
    say(Text(f"  {change.what}: ", "bold").append(values, "not bold default"))
    if change.lines:
        for line in diff_text(change.lines).split("\n"):
            say(Text("    ").append_text(line))
    if change.note:
        say(f"    {change.note}")
