"""A report as one page for people."""

import datetime
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence

from d2lbuild import __version__
from d2lbuild.building import NotebookReport
from d2lbuild.model import Cell, Failure, Status
from d2lbuild.notation import show_size
from d2lbuild.reporting.account import Account, counts, failing_place, has_failed, source_path
from d2lbuild.reporting.document import document
from d2lbuild.reporting.document import report_text as _text
from d2lbuild.wording import duration

__all__ = ["html_page"]

_STATES = ("failed", "skipped", "run", "cached")
"""In the order in which a reader wants to see them."""


def html_page(account: Account) -> str:
    """Return the report of a build."""
    notebooks = sorted(account.notebooks, key=lambda one: (_STATES.index(_state(one)), -one.result.seconds))
    frameworks = list(dict.fromkeys(one.framework for one in account.notebooks))
    title = f"Notebooks of {account.title}"
    body = [
        f"<header><h1>{_text(account.title)}</h1>{_made(account)}</header>",
        "<main>",
        _tiles(account),
        *([_editions(account, frameworks)] if frameworks else []),
        *(_notebooks(notebooks, frameworks) if notebooks else ["<p>No notebook was run.</p>"]),
        "</main>",
    ]
    return document(title, body, more_style=_style(len(frameworks)))


def _style(frameworks: int) -> str:
    chosen = [f"body:has(#show-{state}:checked) tbody.notebook:not(.{state}) {{ display: none }}" for state in _STATES]
    chosen += [
        f"body:has(#only-{index}:checked) tbody.notebook:not(.f{index}) {{ display: none }}"
        for index in range(frameworks)
    ]
    return "\n".join(["", *chosen])


def _state(notebook: NotebookReport) -> str:
    if notebook.result.status is Status.SKIPPED:
        return "skipped"
    if has_failed(notebook):
        return "failed"
    return "cached" if notebook.cached else "run"


# --- above the table ---


def _made(account: Account) -> str:
    made = account.made.astimezone(datetime.UTC)
    where = f"Python {platform.python_version()} on {platform.system() or sys.platform} {platform.machine()}".strip()
    parts = [
        f"release {_text(account.release)}" if account.release else "",
        f'<time datetime="{made:%Y-%m-%dT%H:%M:%SZ}">{made:%Y-%m-%d %H:%M} UTC</time>',
        f"built in {duration(account.seconds)}",
        f"d2lbuild {__version__}",
        _text(where),
    ]
    return f"<p>{' · '.join(filter(None, parts))}</p>"


def _tiles(account: Account) -> str:
    numbers = counts(account.notebooks)
    memory = max((one.result.memory or 0 for one in account.notebooks), default=0)
    spent = sum(one.result.seconds for one in account.notebooks if not one.cached)
    tiles = [
        ("", f"{numbers.total}", "notebook" if numbers.total == 1 else "notebooks"),
        ("failed" if numbers.failed else "", f"{numbers.failed}", "failed"),
        ("skipped" if numbers.skipped else "", f"{numbers.skipped}", "skipped"),
        ("run" if numbers.run else "", f"{numbers.run}", "run now"),
        ("cached" if numbers.cached else "", f"{numbers.cached}", "from the cache"),
        *([("", f"{numbers.retried}", "retried")] if numbers.retried else []),
        ("", duration(spent), "of running"),
        *([("", show_size(memory), "at most for one")] if memory else []),
    ]
    shown = "".join(f'<li class="{kind}"><b>{value}</b> {words}</li>' for kind, value, words in tiles)
    return f'<ul class="tiles">{shown}</ul>'


def _editions(account: Account, frameworks: Sequence[str]) -> str:
    rows = []
    for framework in frameworks:
        mine = [one for one in account.notebooks if one.framework == framework]
        numbers = counts(mine)
        rows.append(
            f'<tr><th scope="row">{_text(framework)}</th>'
            f"<td class=n>{numbers.total}</td><td class=n>{numbers.failed or ''}</td>"
            f"<td class=n>{numbers.skipped or ''}</td>"
            f"<td class=n>{duration(sum(one.result.seconds for one in mine))}</td>"
            f"<td>{_text(_versions(mine))}</td></tr>"
        )
    heading = (
        '<tr><th scope="col">framework</th><th scope="col" class=n>notebooks</th><th scope="col" class=n>failed</th>'
        '<th scope="col" class=n>skipped</th><th scope="col" class=n>time</th><th scope="col">versions</th></tr>'
    )
    return (
        f'<div class=wide><table class="editions"><thead>{heading}</thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _versions(notebooks: Iterable[NotebookReport]) -> str:
    """Return what notebooks ran with; several versions of one package stem from results of different age."""
    found: dict[str, dict[str, None]] = {}
    for notebook in notebooks:
        for name, version in notebook.result.versions.items():
            found.setdefault(name, {})[version] = None
    return " · ".join(f"{name} {', '.join(versions)}" for name, versions in sorted(found.items()))


# --- the table ---


def _notebooks(notebooks: Sequence[NotebookReport], frameworks: Sequence[str]) -> Iterator[str]:
    states = [state for state in _STATES if any(_state(one) == state for one in notebooks)]
    choices = []
    if len(states) > 1:
        choices.append(_choice("show", "State", ["all", *states], ["show-all", *(f"show-{state}" for state in states)]))
    if len(frameworks) > 1:
        ids = ["only-all", *(f"only-{index}" for index in range(len(frameworks)))]
        choices.append(_choice("only", "Framework", ["all", *frameworks], ids))
    if choices:
        yield f'<div class="filters">{"".join(choices)}</div>'
    memory = any(one.result.memory is not None for one in notebooks)
    heads = ["state", "section", "framework", "device", "time", "before", *(["memory"] if memory else [])]
    number = {"time", "before", "memory"}
    cells = "".join(f'<th scope="col"{" class=n" if name in number else ""}>{name}</th>' for name in heads)
    longest = max(one.result.seconds for one in notebooks) or 1.0
    yield f'<div class=wide><table class="notebooks"><thead><tr>{cells}</tr></thead>'
    for one in notebooks:
        yield _notebook(one, number=frameworks.index(one.framework), longest=longest, memory=memory)
    yield "</table></div>"


def _choice(name: str, legend: str, words: Sequence[str], ids: Sequence[str]) -> str:
    inputs = "".join(
        f'<input type="radio" name="{name}" id="{one}"{" checked" if not index else ""}>'
        f'<label for="{one}">{_text(word)}</label>'
        for index, (word, one) in enumerate(zip(words, ids, strict=True))
    )
    return f"<fieldset><legend>{legend}</legend>{inputs}</fieldset>"


def _notebook(notebook: NotebookReport, *, number: int, longest: float, memory: bool) -> str:
    result = notebook.result
    state = _state(notebook)
    word = result.status.value if state == "failed" else state
    extra = f' <small title="tries">×{result.attempts}</small>' if result.attempts > 1 else ""
    age = " <small>cached</small>" if notebook.cached and state != "cached" else ""
    before = "" if notebook.expected is None else duration(notebook.expected)
    cells = [
        f'<td><span class="state">{_text(word)}</span>{extra}{age}</td>',
        f'<th scope="row">{_text(notebook.section)}</th>',
        f"<td>{_text(notebook.framework)}</td>",
        f"<td>{_text(result.device) if state != 'skipped' else ''}</td>",
        f"<td class=n>{_time(result.seconds, longest) if state != 'skipped' else ''}</td>",
        f"<td class=n>{before}</td>",
    ]
    if memory:
        cells.append(f"<td class=n>{'' if result.memory is None else show_size(result.memory)}</td>")
    details = _details(notebook)
    row = f'<tr class="details"><td></td><td colspan="{len(cells) - 1}">{details}</td></tr>' if details else ""
    return f'<tbody class="notebook {state} f{number}"><tr>{"".join(cells)}</tr>{row}</tbody>'


def _time(seconds: float, longest: float) -> str:
    width = f"{100 * seconds / longest:.1f}"
    bar = '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
    return f'{duration(seconds)}{bar}<rect width="{width}" height="1"/></svg>'


def _details(notebook: NotebookReport) -> str:
    """Return what a reader needs to mend a notebook; empty if nothing is wrong with it."""
    failure = notebook.result.failure
    parts = []
    if failure is not None and notebook.result.status is Status.SKIPPED:
        parts.append(f"<p>{_text(failure.message or failure.name)}</p>")
    elif failure is not None:
        parts.append(_error(notebook, failure))
    parts += [f'<p class="warning">{_text(warning)}</p>' for warning in notebook.result.warnings]
    return "".join(parts)


def _error(notebook: NotebookReport, failure: Failure) -> str:
    place = failing_place(notebook) or source_path(notebook) or notebook.section
    first, _, more = failure.message.partition("\n")
    text = f"<b>{_text(failure.name)}</b>{f': {_text(first)}' if first else ''}"
    parts = [f"<pre>{_text(more)}</pre>"] if more.strip() else []
    if failure.cell is not None and failure.cell < len(notebook.cells):
        parts.append(_code(notebook.cells[failure.cell], failure.line))
    if failure.traceback:
        parts.append(f'<pre class="traceback">{_text(failure.traceback)}</pre>')
    shown = f"<p><code>{_text(str(place))}</code> {text}</p>"
    if not parts:
        return shown
    where = "" if failure.cell is None else f"cell {failure.cell + 1} of {len(notebook.cells)}: "
    summary = f"{where}code and traceback" if failure.traceback else f"{where}code"
    return f"{shown}<details><summary>{summary}</summary>{''.join(parts)}</details>"


def _code(cell: Cell, failing: int | None) -> str:
    lines = [
        f'<span class="line{" failing" if index == failing else ""}"><i>{number}</i>{_text(line)}\n</span>'
        for index, (number, line) in enumerate(zip(cell.lines, cell.source.splitlines(), strict=False), start=1)
    ]
    return f'<pre class="code">{"".join(lines)}</pre>'
