"""`d2lbuild status`: how each notebook stands."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.messages import columns, count, duration, note, say
from d2lbuild.cli.options import book_option, framework_option, json_option, read_config, section_ids, words
from d2lbuild.errors import StaleError

if TYPE_CHECKING:
    from d2lbuild.status import NotebookStatus

__all__ = ["status"]


@click.command
@click.argument(
    "sections",
    nargs=-1,
    metavar="[SECTION]...",
    help="These sections, or folders of sections. Default: all.",
    shell_complete=complete_section,
)
@framework_option
@click.option("--check", is_flag=True, help="Exit with 4 if a notebook is stale, has failed or has never run.")
@json_option
@book_option
def status(*, sections: Sequence[str], framework: Sequence[str], check: bool, as_json: bool, book: Path | None) -> int:
    """Show how each notebook stands.

    \b
    It is fresh, stale and why, failed and where, or has never run; with the time of its last run, and how
    long that took. A section is `missing` in an edition that has no page of it, and `skipped` if this machine
    cannot run it. Runs nothing and makes no environment.

    \b
    Examples:
      d2lbuild status
      d2lbuild status --framework all
      d2lbuild status linear-regression -f jax
      d2lbuild status --check && echo all is fresh
      d2lbuild status --json
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.status import status as status_of  # noqa: PLC0415

    config = read_config(book)
    names = pipeline.select_frameworks(config, words(framework))
    found = status_of(config, pipeline.BuildRequest(names, sections=section_ids(sections, config)))
    if as_json:
        say(json.dumps([_facts(one) for one in found], indent=2, ensure_ascii=False))
    elif found:
        say(columns([("", "framework", "section", "last run", "took", ""), *_rows(found)]))
    numbers = Counter(one.standing.value for one in found)
    told = ", ".join(f"{number} {word}" for word, number in numbers.items())
    note(f"{count(len(found), 'notebook')}: {told}" if found else "no section of these frameworks has code")
    return StaleError.exit_code if check and not all(one.standing.is_settled for one in found) else 0


def _rows(found: Sequence["NotebookStatus"]) -> Iterator[tuple[str, ...]]:
    for one in found:
        took = "" if one.seconds is None else duration(one.seconds)
        why = f"{one.place}: {one.why}" if one.place else one.why
        yield one.standing.value, one.framework, one.section, _when(one.finished), took, why


def _when(finished: str) -> str:
    """Return a time as it is here, to the minute."""
    try:
        return datetime.fromisoformat(finished).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return finished


def _facts(one: "NotebookStatus") -> dict[str, Any]:
    return {
        "section": one.section,
        "framework": one.framework,
        "status": one.standing.value,
        "why": one.why,
        "file": str(one.place.path) if one.place else None,
        "line": one.place.first if one.place else None,
        "finished": one.finished or None,
        "seconds": one.seconds,
    }
