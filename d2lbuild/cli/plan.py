"""`d2lbuild plan`: what a build would run, and why."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.messages import columns, count, duration, note, say
from d2lbuild.cli.options import (
    book_option,
    changed_since_option,
    framework_option,
    read_config,
    section_ids,
    sections_argument,
    shard_of,
    shard_option,
    words,
)
from d2lbuild.errors import UsageError

if TYPE_CHECKING:
    from d2lbuild.execution.plan import BuildPlan

__all__ = ["plan"]


@click.command
@sections_argument
@framework_option
@click.option("--rerun-failed", is_flag=True, help="As for build.")
@click.option("--force", is_flag=True, help="As for build.")
@click.option(
    "--why",
    metavar="SECTION",
    help="Show what has changed since a section last ran, from what to what.",
    shell_complete=complete_section,
)
@changed_since_option
@shard_option
@book_option
def plan(
    *,
    sections: Sequence[str],
    framework: Sequence[str],
    rerun_failed: bool,
    force: bool,
    why: str | None,
    changed_since: str | None,
    shard: str | None,
    book: Path | None,
) -> int:
    """Show what a build would run, and why.

    \b
    Also shows what the cache has and what failed before. Runs nothing and installs nothing; writes nothing
    either, except that results of a shared cache are copied.

    \b
    Examples:
      d2lbuild plan
      d2lbuild plan --framework all
      d2lbuild plan -f jax linear-regression
      d2lbuild plan --changed-since origin/main --framework all
      d2lbuild plan --why linear-regression/concise --framework all
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.execution.environments.environments import find  # noqa: PLC0415
    from d2lbuild.execution.home import cache_home  # noqa: PLC0415

    if why and sections:
        raise UsageError("--why names the section itself", hint="leave the other sections out")
    config = read_config(book)
    request = pipeline.BuildRequest(
        frameworks=pipeline.select_frameworks(config, words(framework)),
        sections=section_ids([why] if why else sections, config),
        rerun_failed=rerun_failed,
        force=force,
        changed_since=changed_since or "",
        shard=shard_of(shard),
    )
    found = pipeline.plan_build(config, request)
    if why:
        from d2lbuild.cli.why import show_changes  # noqa: PLC0415 - slow to import

        show_changes(config, found, request.sections)
        return 0
    rows = list(_rows(found))
    if rows:
        say(columns([("", "framework", "section", "why", "last time"), *rows]))
    for name in sorted({run.notebook.framework for run in found.todo}):
        if find(config.framework(name), cache_home()) is None:
            say(f"the environment of {name} is not there yet: a build makes it first")
    note(_summary(found))
    return 0


def _rows(found: "BuildPlan") -> Iterator[tuple[str, str, str, str, str]]:
    for known in found.cached:
        yield "cached", known.notebook.framework, known.notebook.section, "", duration(known.head.seconds)
    for known in found.failed:
        error = known.head.failure.name if known.head.failure else known.head.status.value
        why = f"{error}; unchanged since"
        yield "failed", known.notebook.framework, known.notebook.section, why, duration(known.head.seconds)
    for run in found.todo:
        seconds = "" if run.seconds is None else duration(run.seconds)
        yield "run", run.notebook.framework, run.notebook.section, run.why, seconds


def _summary(found: "BuildPlan") -> str:
    parts = [f"{len(found.todo)} to run", f"{len(found.cached)} cached"]
    if found.failed:
        parts.append(f"{len(found.failed)} failed before (--rerun-failed runs them again)")
    return f"{count(len(found.todo) + len(found.cached) + len(found.failed), 'notebook')}: {', '.join(parts)}"
