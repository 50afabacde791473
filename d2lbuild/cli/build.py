"""`d2lbuild build`: runs notebooks and writes the outputs."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.github import folder_in_repository, is_github, tell_github
from d2lbuild.cli.messages import complain, count, counted, errors, note, say, serious
from d2lbuild.cli.options import (
    PATH,
    backend_and_address,
    book_option,
    changed_since_option,
    framework_option,
    known,
    output_option,
    read_config,
    report_paths,
    section_ids,
    sections_argument,
    shard_of,
    shard_option,
    words,
)
from d2lbuild.errors import UsageError
from d2lbuild.extras import missing_modules

if TYPE_CHECKING:
    from d2lbuild.cli.progress import PlainProgress
    from d2lbuild.config import Config
    from d2lbuild.pipeline import BuildReport

__all__ = ["build"]


@click.command
@sections_argument
@framework_option
@click.option(
    "--to",
    metavar="OUTPUT",
    multiple=True,
    help="html, notebooks, colab, sagemaker, binder, markdown, slides, pdf, epub, several: html,pdf, or none.",
)
@click.option(
    "--execute/--no-execute",
    default=None,
    help="Run notebooks, or only show outputs that are kept. Default: as configured.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for errors and warnings too.")
@book_option
@output_option
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Notebooks that run at the same time.")
@click.option("--rerun-failed", is_flag=True, help="Run notebooks again that failed and have not changed since.")
@click.option(
    "--rerun",
    metavar="SECTION",
    multiple=True,
    help="Run this section or folder again, whatever the cache has.",
    shell_complete=complete_section,
)
@click.option("--force", is_flag=True, help="Run everything again, whatever the cache has.")
@click.option("--require-all", is_flag=True, help="Exit with 1 if this machine cannot run a notebook, too.")
@click.option("--fork/--no-fork", default=None, help="Fork kernels from a warm process. Default: as configured.")
@click.option("--sandbox/--no-sandbox", default=None, help="No network, and a limit of memory. Default: as configured.")
@click.option("--run-post-latex", is_flag=True, help="Run the book's own program that changes the LaTeX of a PDF.")
@changed_since_option
@shard_option
@click.option("--backend", metavar="NAME", default="local", help="local, or ray for a cluster.")
@click.option("--address", metavar="ADDRESS", help="Of the cluster. Default: as Ray finds it.")
@click.option(
    "--report",
    metavar="FILE",
    type=PATH,
    multiple=True,
    help="Also write .xml for JUnit, .html, .md or .sarif; may be repeated.",
)
@click.pass_obj
def build(
    arguments: Sequence[str],
    *,
    sections: Sequence[str],
    framework: Sequence[str],
    to: Sequence[str],
    execute: bool | None,
    strict: bool,
    book: Path | None,
    output: Path | None,
    jobs: int | None,
    rerun_failed: bool,
    rerun: Sequence[str],
    force: bool,
    require_all: bool,
    fork: bool | None,
    sandbox: bool | None,
    run_post_latex: bool,
    changed_since: str | None,
    shard: str | None,
    backend: str,
    address: str | None,
    report: Sequence[Path],
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
      d2lbuild build --rerun linear-regression/scratch
      d2lbuild build --report junit.xml --report report.html
      d2lbuild build --no-execute --to html,notebooks
      d2lbuild build --framework all --to html,pdf,epub
      d2lbuild build --changed-since origin/main --shard 1/4 --to none
      d2lbuild build --book ~/books/d2l-en --output /tmp/d2l-en --no-execute
    """
    # Sphinx, nbclient and others take their time to import: `--help` need not wait for them.
    from d2lbuild import pipeline  # noqa: PLC0415
    from d2lbuild.cli.unchanged_build import BuildInputs  # noqa: PLC0415

    config = read_config(book, output)
    reports = report_paths(report)
    backend, address = backend_and_address(backend, address)
    request = pipeline.BuildRequest(
        frameworks=pipeline.select_frameworks(config, words(framework)),
        to=_outputs(words(to)),
        execute=execute,
        sections=section_ids(sections, config),
        jobs=jobs,
        rerun_failed=rerun_failed,
        rerun=section_ids(rerun, config),
        force=force,
        fork=fork,
        sandbox=sandbox,
        require_all=require_all,
        backend=backend,
        address=address,
        run_post_latex=run_post_latex,
        changed_since=changed_since or "",
        shard=shard_of(shard),
    )
    if run_post_latex:
        _check_post_latex(config, request.to)
    inputs = BuildInputs(config)
    with _progress(all_findings=strict) as progress:
        built = pipeline.build(config, request, progress)
    _show(built, progress)
    _write_reports(reports, config, built, require_all=require_all)
    code = _exit_code(built, strict=strict, require_all=require_all)
    # The website last: its path is the last line.
    for name in sorted(built.outputs, key=lambda name: name == "html"):
        say(str(built.outputs[name]))
    # A program may look at anything, and what a revision is may change.
    if not (reports or run_post_latex or changed_since or shard):
        inputs.note(arguments, built, code, strict=strict)
    return code


def _outputs(named: Sequence[str]) -> tuple[str, ...]:
    """Return what to make: a website, if nothing is named and what makes it is installed."""
    from d2lbuild.renderers import RENDERERS  # noqa: PLC0415 - slow to import

    if named == ("none",):
        return ()
    if named:
        return known(named, RENDERERS, "output")
    if missing_modules("html"):
        note('notebooks are written, and no website: pip install "d2lbuild[html]" brings what makes it')
        return ("notebooks",)
    return ("html",)


def _check_post_latex(config: "Config", to: Sequence[str]) -> None:
    """Raise UsageError where there is nothing that --run-post-latex could run."""
    if "pdf" not in to:
        raise UsageError("--run-post-latex is for PDFs", hint="add --to pdf")
    if config.pdf.post_latex is None:
        raise UsageError("there is nothing for --run-post-latex to run", hint="name it as `post_latex` in [pdf]")


def _progress(*, all_findings: bool) -> "PlainProgress":
    """Return what suits the place where messages go."""
    from d2lbuild.cli.live import LiveProgress  # noqa: PLC0415
    from d2lbuild.cli.progress import PlainProgress  # noqa: PLC0415

    console = errors()
    drawn = console.is_terminal and not console.is_dumb_terminal
    return (LiveProgress if drawn else PlainProgress)(all_findings=all_findings)


def _show(report: "BuildReport", progress: "PlainProgress") -> None:
    """Say what came out."""
    from d2lbuild.cli import summary  # noqa: PLC0415
    from d2lbuild.cli.failures import failure_text  # noqa: PLC0415

    progress.show_findings(report.findings)
    for failed in report.failures:
        note()
        note(failure_text(failed))
    if report.failures:
        note()
    for line in (
        summary.slowest_text(report.results),
        *summary.skipped_texts(report.results),
        *summary.warning_texts(report.results),
        summary.guess_text(progress.guessed),
        summary.last_line(report),
    ):
        if line is not None:
            note(line)


def _write_reports(paths: Sequence[Path], config: "Config", report: "BuildReport", *, require_all: bool) -> None:
    if not paths and not is_github():
        return
    from d2lbuild.reporting.account import Account  # noqa: PLC0415 - slow to import
    from d2lbuild.reporting.writing import write_report  # noqa: PLC0415

    account = Account(
        title=config.title,
        release=config.release,
        notebooks=report.results,
        seconds=report.seconds,
        made=datetime.datetime.now(datetime.UTC),
        require_all=require_all,
        folder=folder_in_repository(config.root),
    )
    for path in paths:
        write_report(path, account)
        note(f"report: {path}")
    if is_github():
        tell_github(account)


def _exit_code(report: "BuildReport", *, strict: bool, require_all: bool) -> int:
    problems = serious(report.findings) if strict else []
    if problems:
        complain(f"the book has {counted(problems)}, which --strict does not allow")
    skipped = 0
    if require_all:
        from d2lbuild.reporting.account import counts  # noqa: PLC0415 - slow to import

        skipped = counts(report.results).skipped
    if skipped:
        verb = "was" if skipped == 1 else "were"
        complain(f"{count(skipped, 'notebook')} {verb} skipped, which --require-all does not allow")
    return int(bool(report.failures or problems or skipped))
