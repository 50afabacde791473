"""What a build says at its end: what was slow, skipped or odd, and how many notebooks ended how."""

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from d2lbuild.building import BuildReport, NotebookReport
from d2lbuild.cli.messages import columns, count, counted, duration, serious
from d2lbuild.model import Status
from d2lbuild.notation import show_size
from d2lbuild.reporting.account import counts, slowest

__all__ = ["guess_text", "last_line", "skipped_texts", "slowest_text", "warning_texts"]

_MOST = 5
"""Notebooks that one line names, and rows of the table of the slowest."""


def slowest_text(notebooks: Sequence[NotebookReport]) -> Text | None:
    """Return a table of the notebooks that this build ran the longest; None if it ran none."""
    found = slowest(notebooks, _MOST)
    if not found:
        return None
    rows = [("slowest", "framework", "time", "before", "memory", "device"), *map(_row, found)]
    kept = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
    return columns([[row[index] for index in kept] for row in rows])


def _row(notebook: NotebookReport) -> tuple[str, ...]:
    result = notebook.result
    before = "" if notebook.expected is None else duration(notebook.expected)
    memory = "" if result.memory is None else show_size(result.memory)
    return notebook.section, notebook.framework, duration(result.seconds), before, memory, result.device


def skipped_texts(notebooks: Sequence[NotebookReport]) -> Iterator[Text]:
    """Yield a line for each reason for which notebooks were skipped."""
    reasons: dict[str, list[str]] = {}
    for one in notebooks:
        if one.result.status is Status.SKIPPED:
            reason = one.result.failure.message if one.result.failure else ""
            reasons.setdefault(reason, []).append(_name(one.section, one.framework))
    for reason, names in reasons.items():
        text = Text("skipped: ", "yellow").append(f"{_listed(names)}", "not yellow")
        yield text.append(f": {reason}" if reason else "", "not yellow")


def warning_texts(notebooks: Sequence[NotebookReport]) -> Iterator[Text]:
    """Yield a line for each thing that notebooks did and should not have done."""
    for one in notebooks:
        for warning in one.result.warnings:
            name = _name(one.section, one.framework)
            yield Text("note: ", "cyan").append(f"{name}: {warning}", "not cyan")


def guess_text(guessed: Mapping[tuple[str, str], str]) -> Text | None:
    """Return a line about notebooks whose needs were guessed from their code; None if there are none."""
    if not guessed:
        return None
    names = [_name(section, framework) for section, framework in guessed]
    words = next(iter(guessed.values()))
    text = f"{_listed(names)} may use a GPU where there is one: {words}; a #@needs mark would say it for certain"
    return Text("note: ", "cyan").append(text, "not cyan")


def last_line(report: BuildReport) -> str:
    """Return how many notebooks ended how, what is wrong with the book, and how long it all took."""
    parts = [_counts(report)]
    if problems := counted(serious(report.findings)):
        parts.append(problems)
    return f"{'; '.join(parts)}; {duration(report.seconds)} in all"


def _counts(report: BuildReport) -> str:
    if report.plan is None:
        return "no notebook was run"
    numbers = counts(report.results)
    parts = [f"{numbers.run} run", f"{numbers.cached} cached"]
    parts += [
        f"{number} {word}"
        for number, word in (
            (numbers.failed, "failed"),
            (numbers.skipped, "skipped"),
            (numbers.retried, "retried"),
        )
        if number
    ]
    return f"{count(numbers.total, 'notebook')}: {', '.join(parts)}"


def _name(section: str, framework: str) -> str:
    return f"{section} [{framework}]"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if names[_MOST:] else ""
    return f"{', '.join(names[:_MOST])}{more}"
