"""A report in Markdown, for the page of a job: what failed and where, and how much was run."""

from collections.abc import Iterator

from d2lbuild.building import NotebookReport
from d2lbuild.model import Status
from d2lbuild.reporting.account import (
    Account,
    counts,
    error_of,
    failing_place,
    has_failed,
    readable,
    slowest,
    source_path,
)
from d2lbuild.wording import count, duration

__all__ = ["markdown_summary"]

_MOST = 50
"""So many failures are listed."""
_SLOWEST = 5


def markdown_summary(account: Account) -> str:
    """Return the summary."""
    return "\n".join(_lines(account)) + "\n"


def _lines(account: Account) -> Iterator[str]:
    numbers = counts(account.notebooks)
    told = [f"{numbers.run} run", f"{numbers.cached} from the cache"]
    told += [f"**{numbers.failed} failed**"] if numbers.failed else []
    told += [f"{numbers.skipped} skipped"] if numbers.skipped else []
    yield f"## {_cell(account.title)}: {count(numbers.total, 'notebook')}"
    yield ""
    yield f"{', '.join(told)}; {duration(account.seconds)} in all."
    failed = [one for one in account.notebooks if has_failed(one)]
    if failed:
        yield from ("", "| failed | framework | error |", "|---|---|---|")
        yield from (_failure(one) for one in failed[:_MOST])
        if len(failed) > _MOST:
            yield f"| and {len(failed) - _MOST} more | | |"
    skipped = [one for one in account.notebooks if one.result.status is Status.SKIPPED]
    if skipped:
        yield from ("", f"<details><summary>{count(len(skipped), 'notebook')} skipped</summary>", "")
        for one in skipped:
            reason = one.result.failure.message if one.result.failure else ""
            yield f"- {_cell(one.section)} ({one.framework}): {_cell(reason)}"
        yield from ("", "</details>")
    if slow := slowest(account.notebooks, _SLOWEST):
        yield from ("", "| slowest | framework | time |", "|---|---|---|")
        yield from (f"| {_cell(one.section)} | {one.framework} | {duration(one.result.seconds)} |" for one in slow)


def _failure(one: NotebookReport) -> str:
    place = failing_place(one) or source_path(one) or one.section
    name, first = error_of(one)
    return f"| `{_cell(str(place))}` | {one.framework} | **{_cell(name)}** {_cell(first)} |"


def _cell(text: str) -> str:
    """Return a text for a cell of a table, in which nothing is Markdown or HTML."""
    escaped = readable(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;").replace("`", "&#96;")
    return " ".join(escaped.split())[:300]
