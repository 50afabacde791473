"""`d2lbuild diff`: which outputs differ between two states of the book."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2lbuild.cli.messages import count, note, say
from d2lbuild.cli.options import PATH, book_option, framework_option, json_option, read_config, words
from d2lbuild.files import write_atomically

if TYPE_CHECKING:
    from d2lbuild.comparison.book import Comparison, NotebookDifferences

__all__ = ["diff", "report_option", "show_comparison", "tolerance_option"]

tolerance_option = click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    metavar="X",
    default=0.001,
    help="Numbers may differ by this much of their size.",
)
report_option = click.option("--report", metavar="FILE", type=PATH, help="Also write a page that shows both, .html.")


@click.command
@click.argument("before", metavar="BASE", help="A revision of the book's repository.")
@click.argument("after", metavar="[HEAD]", required=False, help="Another. Default: the files as they are.")
@framework_option
@tolerance_option
@report_option
@json_option
@book_option
def diff(
    *,
    before: str,
    after: str | None,
    framework: Sequence[str],
    tolerance: float,
    report: Path | None,
    as_json: bool,
    book: Path | None,
) -> int:
    """Show which outputs differ between two states of the book.

    \b
    Runs nothing: both states show what the cache has of them, so build both before, or share a cache.
    Numbers are compared within a tolerance, figures by how they look; times, speeds, addresses in memory
    and temporary files do not count. Exits with 1 if something differs.

    \b
    Examples:
      d2lbuild diff origin/main
      d2lbuild diff v1.0 v1.1 --framework all --report changes.html
      d2lbuild diff HEAD~1 --tolerance 0.05
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.comparison.book import compare, state_at, state_of  # noqa: PLC0415

    config = read_config(book)
    names = pipeline.select_frameworks(config, words(framework) or ("all",))
    with ExitStack() as stack:
        first = stack.enter_context(state_at(config, before, names))
        second = stack.enter_context(state_at(config, after, names)) if after else state_of(config, names)
        found = compare(first, second, tolerance)
    return show_comparison(found, config.title, before, after or "now", report=report, as_json=as_json)


def show_comparison(
    found: "Comparison", title: str, before: str, after: str, report: Path | None, *, as_json: bool = False
) -> int:
    """Say what differs, and write the report; return the exit code."""
    if as_json:
        say(json.dumps(_as_data(found), indent=2, ensure_ascii=False))
    else:
        for notebook in found.differing:
            for line in _lines(notebook):
                say(line)
    if report is not None:
        from d2lbuild.reporting.comparison_page import comparison_page  # noqa: PLC0415 - only then

        write_atomically(report.expanduser(), comparison_page(title, before, after, found))
        note(f"report: {report}")
    for line in _summary(found, before, after):
        note(line)
    return int(bool(found.differing))


def _lines(notebook: "NotebookDifferences") -> Iterator[str]:
    name = f"{notebook.section} ({notebook.framework})"
    if notebook.ended:
        yield f"{name}: {notebook.ended[0]}, now {notebook.ended[1]}"
    for cell in notebook.cells:
        kinds = ", ".join(dict.fromkeys(one.kind.value for one in cell.differences))
        change = max(one.change for one in cell.differences)
        more = f", by up to {change:.2%}" if 0 < change < 10 else ""
        code = " (its code has changed)" if cell.code_changed else ""
        yield f"{cell.place}: {notebook.framework}: {kinds}{more}{code}"


def _summary(found: "Comparison", before: str, after: str) -> Iterator[str]:
    total = found.same + len(found.differing)
    yield f"{count(total, 'notebook')} compared: {len(found.differing)} with other outputs"
    for names, state in ((found.unknown_before, before), (found.unknown_after, after)):
        if names:
            missing = f"{count(len(names), 'notebook')} without a result for {state}"
            yield f"{missing}: build that state first, or share its cache"
    if found.added or found.removed:
        yield f"{len(found.added)} are new, {len(found.removed)} are gone"


def _as_data(found: "Comparison") -> dict[str, Any]:
    return {
        "same": found.same,
        "differing": [
            {
                "section": one.section,
                "framework": one.framework,
                "versions": {name: [before, after] for name, before, after in one.versions},
                "ended": list(one.ended) if one.ended else None,
                "cells": [
                    {
                        "file": cell.place.path.as_posix(),
                        "line": cell.place.first,
                        "code_changed": cell.code_changed,
                        "differences": [
                            {"kind": each.kind.value, "before": each.before, "after": each.after, "change": each.change}
                            for each in cell.differences
                        ],
                    }
                    for cell in one.cells
                ],
            }
            for one in found.differing
        ],
        "unknown": {"before": list(found.unknown_before), "after": list(found.unknown_after)},
        "added": list(found.added),
        "removed": list(found.removed),
    }
