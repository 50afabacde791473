"""Writes the tables and plots of `docs/benchmarks.md` from the results; `--check` says what is wrong with them.

    python -m bench.page [--check]

With `--check` nothing is written: the exit status is 1 if a bar is missed, a reason is missing, or the page is old.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from bench import peers
from bench.bars import EITHER, MUST, WRONG, missed, right, slower
from bench.measuring import OURS, Row, Work
from bench.plotted import plotted
from bench.results import Result, read

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "<!-- results: made by `python -m bench.page`, of bench/results -->"
END = "<!-- end of the results -->"

REASONS = {
    ("pdf", ""): "A build takes passes until references stand still, converts figures and writes the LaTeX first.",
    ("html", "memory"): "It works in as many processes as there are processors, each of which holds the book.",
    ("html", "disk"): "It keeps, beside the website, what spares later builds the reading.",
    ("html", "notebooks"): "It reads the book as a whole: references, numbers, citations, the cells of each framework.",
    (
        "execution",
        "nothing kept",
    ): "It first starts a process with the framework's imports, which few notebooks make good.",
    ("kernels", "the first"): "It starts the process that all later kernels are forked from.",
}
"""Why d2lbuild takes longer than somebody, by work and a part of the task's name."""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check."""
    results = read()
    text = PAGE.read_text("utf-8")
    wanted = with_results(text, results)
    problems = [*missed(results), *unexplained(results)]
    if "--check" in arguments:
        if wanted != text:
            problems.append(f"{PAGE.name} is out of date: run `python -m bench.page`")
    else:
        PAGE.write_text(wanted, encoding="utf-8")
        draw(results)
    for problem in problems:
        print(problem)
    return int(bool(problems))


def with_results(text: str, results: Mapping[str, Result]) -> str:
    """Return the page with its marked region made anew. Raises ValueError if it has none."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"{PAGE.name} has no region between {BEGIN} and {END}")
    parts = [*_where_slower(results), *(_work(result) for result in results.values())]
    return f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}"


def unexplained(results: Mapping[str, Result]) -> list[str]:
    """Return a line for each task in which somebody is faster, and nobody says why."""
    return [
        f"{work}: {task}: {who} is faster: say why in bench/page.py"
        for work, task, who, _ in slower(results)
        if not _reason(work, task)
    ]


def _reason(work: str, task: str) -> str:
    return next((why for (where, part), why in REASONS.items() if where == work and part in task), "")


def draw(results: Mapping[str, Result], folder: Path = PAGE.parent / "images") -> None:
    """Draw the plots, with the Matplotlib of an environment of its own, so that they come out the same everywhere."""
    script = Path(__file__).with_name("plots.py")
    python = peers.program("plots", "python")
    subprocess.run([python, str(script), str(folder)], input=json.dumps(plotted(results)), text=True, check=True)


# --- parts of the page ----------------------------------------------------------------------------------------------


def _where_slower(results: Mapping[str, Result]) -> list[str]:
    found = slower(results)
    if not found:
        return ["Nothing that was measured is slower with d2lbuild than with another tool."]
    lines = ["d2lbuild takes more than somebody else here:", ""]
    for work, task, who, ratio in found:
        lines.append(f"- {_title(work)}, {task}: {1 / ratio:.1f} times {who}. {_reason(work, task)}".rstrip())
    return ["\n".join(lines)]


def _work(result: Result) -> str:
    module = module_of(result.work)
    return "\n\n".join(
        [f"## {module.TITLE}", module.ABOUT, *_plots(module), table(result), *_notes(result), _made(result)]
    )


def module_of(work: str) -> Work:
    """Return the module that measures a work."""
    return cast("Work", importlib.import_module(f"bench.works.{work}"))


def _title(work: str) -> str:
    return module_of(work).TITLE


def _plots(module: Work) -> list[str]:
    plot = getattr(module, "PLOT", None)
    return [f"![{plot[1]}](images/{plot[0]}.svg)"] if plot else []


def table(result: Result) -> str:
    """Return the medians as a table; beside those of others stands how many times ours they are."""
    whos = result.whos
    lines = [f"| | {' | '.join(whos)} |", f"|---|{'---|' * len(whos)}"]
    for task in result.tasks:
        cells = [_cell(result, result.row(task, who)) for who in whos]
        lines.append(f"| {task} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(result: Result, row: Row | None) -> str:
    if row is None:
        return ""
    if row.value is None:
        return "cannot"
    if row.unit == "runs":
        return _count(result, row)
    ratio = None if row.who == OURS else result.ratio(row.task, row.who)
    beside = f" ({_ratio(ratio)})" if ratio is not None else ""
    return f"{shown(row.value, row.unit)}{beside}"


def _count(result: Result, row: Row) -> str:
    assert row.value is not None
    if row.value == EITHER:
        return "either"
    wrong = row.who != MUST and right(result, row.task, row.who) is False
    return f"**{row.value:g} ✗**" if wrong else f"{row.value:g}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"


def shown(value: float, unit: str) -> str:
    """Return a figure for people."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _notes(result: Result) -> list[str]:
    notes = dict.fromkeys(f"- {row.who}: {row.note}." for row in result.rows if row.note)
    lines = [*notes, *(f"- d2lbuild, {task}: {WRONG[task]}." for task in result.tasks if task in WRONG)]
    return ["\n".join(lines)] if lines else []


def _made(result: Result) -> str:
    about = result.machine
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items() if _concerns(name, result))
    most = max((len(row.values) for row in result.rows), default=0)
    times = f"medians of up to {most}" if most > 1 else "one round"
    where = f"{about['processors']} processors ({about['processor']}), {about['memory_gb']} GB, {about['system']}"
    return f"*{result.book}, {result.date}, {times}; {where}; {versions}.*"


_PACKAGES = {
    "Sphinx + MyST-NB": ("sphinx", "myst-nb", "furo"),
    "Sphinx + MyST": ("sphinx", "myst-nb"),
    "Jupyter Book 1": ("jupyter-book",),
}


def _concerns(package: str, result: Result) -> bool:
    named: Sequence[str] = [name for who in result.whos for name in _PACKAGES.get(who, (who,))]
    return package in (OURS, "Python", *named)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
