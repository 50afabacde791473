"""`d2lbuild build`: runs notebooks and writes the outputs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from d2lbuild.cli.messages import complain, count, counted, duration, errors, note, say, serious
from d2lbuild.cli.options import BookOption, FrameworkOption, SectionArgument, known, read_config, section_ids, words

if TYPE_CHECKING:
    from d2lbuild.cli.progress import PlainProgress
    from d2lbuild.pipeline import BuildReport

__all__ = ["build"]


def build(
    sections: SectionArgument = None,
    *,
    framework: FrameworkOption = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="OUTPUT", help="html, notebooks, or both: html,notebooks.")
    ] = None,
    execute: Annotated[
        bool | None,
        typer.Option("--execute/--no-execute", show_default=False, help="Run notebooks. Default: as configured."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for errors and warnings too.")] = False,
    book: BookOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where to build. Default: _build in the book.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, metavar="N", help="Notebooks that run at the same time.")
    ] = None,
    rerun_failed: Annotated[
        bool, typer.Option("--rerun-failed", help="Run notebooks again that failed and have not changed since.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run everything again, whatever the cache has.")] = False,
) -> int:
    """Run what has changed and write the website.

    \b
    Builds the book for its first framework, unless --framework says otherwise. Only notebooks run whose
    code, library, packages or data have changed; the others come from the cache. The last line on
    stdout is the path of index.html. Exits with 1 if a notebook fails; all others run all the same.

    \b
    Examples:
      d2lbuild build
      d2lbuild build --framework all --strict
      d2lbuild build -f jax linear-regression        run this folder only
      d2lbuild build --no-execute --to html,notebooks
      d2lbuild build --book ~/books/d2l-en --output /tmp/d2l-en --no-execute
    """
    # Sphinx, nbclient and others take their time to import: `--help` need not wait for them.
    from d2lbuild import pipeline  # noqa: PLC0415

    config = read_config(book, output)
    request = pipeline.BuildRequest(
        frameworks=pipeline.select_frameworks(config, words(framework)),
        to=known(words(to), pipeline.RENDERERS, "output") or ("html",),
        execute=execute,
        sections=section_ids(sections, config),
        jobs=jobs,
        rerun_failed=rerun_failed,
        force=force,
    )
    with _progress(all_findings=strict) as progress:
        report = pipeline.build(config, request, progress)
    return _show(report, progress, strict=strict)


def _progress(*, all_findings: bool) -> "PlainProgress":
    """Return what suits the place where messages go."""
    from d2lbuild.cli.live import LiveProgress  # noqa: PLC0415
    from d2lbuild.cli.progress import PlainProgress  # noqa: PLC0415

    console = errors()
    drawn = console.is_terminal and not console.is_dumb_terminal
    return (LiveProgress if drawn else PlainProgress)(all_findings=all_findings)


def _show(report: "BuildReport", progress: "PlainProgress", *, strict: bool) -> int:
    """Print what came out, and return the exit code."""
    from d2lbuild.cli.failures import failure_text  # noqa: PLC0415

    progress.show_findings(report.findings)
    for failed in report.failures:
        note()
        note(failure_text(failed))
    if report.failures:
        note()
    note(_summary(report))
    problems = serious(report.findings)
    if strict and problems:
        complain(f"the book has {counted(problems)}, which --strict does not allow")
    # The website last: its path is the last line.
    for name in sorted(report.outputs, key=lambda name: name == "html"):
        say(str(report.outputs[name]))
    return int(bool(report.failures or (strict and problems)))


def _summary(report: "BuildReport") -> str:
    parts = [_notebooks(report)]
    if problems := counted(serious(report.findings)):
        parts.append(problems)
    return f"{'; '.join(parts)}; {duration(report.seconds)} in all"


def _notebooks(report: "BuildReport") -> str:
    if report.plan is None:
        return "no notebook was run"
    total = len(report.plan.todo) + len(report.plan.cached) + len(report.plan.failed)
    parts = [f"{report.executed} run", f"{len(report.plan.cached)} cached"]
    if report.failures:
        parts.append(f"{len(report.failures)} failed")
    return f"{count(total, 'notebook')}: {', '.join(parts)}"
