"""The build, first stage to last.

Nothing is written or installed before the observer has seen the plan; `check` and `plan_build` stop there.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from d2lbuild.building import BuildReport, BuildRequest, NotebookFailure, NotebookReport, Observer, place_of_failure
from d2lbuild.checking.book import check_book
from d2lbuild.checking.kept import kept_findings
from d2lbuild.config import Config
from d2lbuild.edition.code import forget_trees
from d2lbuild.edition.edition import Edition, make_edition
from d2lbuild.errors import UsageError
from d2lbuild.execution.home import book_folder, cache_home, history_folder
from d2lbuild.expansions import expand_beside, known_expansions, remember_expansions
from d2lbuild.files import write_if_changed
from d2lbuild.garbage import without_collections
from d2lbuild.memory import Memory
from d2lbuild.model import Book, ExecutionResult, Finding, Status
from d2lbuild.output_folder import prepare_output
from d2lbuild.renderers import render_outputs, require_packages, site_folder
from d2lbuild.rendering.assemble import assemble_book
from d2lbuild.rendering.references.works_ahead import no_works, works_ahead
from d2lbuild.source.book import load_book
from d2lbuild.source.kept import KeptSections

if TYPE_CHECKING:
    from d2lbuild.execution.plan import BuildPlan
    from d2lbuild.notebook_runs import NotebookRuns

__all__ = [
    "BuildReport",
    "BuildRequest",
    "NotebookFailure",
    "NotebookReport",
    "Observer",
    "build",
    "check",
    "plan_build",
    "read_and_plan",
    "select_frameworks",
]


def build(
    config: Config, request: BuildRequest, observer: Observer | None = None, memory: Memory | None = None
) -> BuildReport:
    """Build what is asked for; notebooks that fail are in the report, not raised.

    A process that builds again and again hands in the same `memory` each time.
    """
    require_packages(request.to)  # rather now than once all notebooks have run
    observer = observer or Observer()
    begun = time.monotonic()
    works = works_ahead(config, site_folder(config, request)) if "html" in request.to else no_works
    with without_collections(freeze=True):
        book, editions, sections = _read(config, request.frameworks)
        known = _with_expansions(config, editions)
        # None of this needs the others, and imports take as long as the rest together.
        work: list[Callable[[], Any]] = [lambda: _checked(config, request.frameworks)]
        if sections.changed:
            work.append(sections.save)
        if "html" in request.to:
            work.insert(0, _import_renderers)
        findings = next(found for found in expand_beside(editions.values(), work) if found is not None)
        forget_trees()
    observer.read(book, findings)
    executes = _executes(config, request)
    runs = _runs(config, request, editions, observer) if executes or _may_have_results(config) else None
    build_plan = runs.loaded_plan() if runs and executes else None
    results: dict[tuple[str, str], ExecutionResult] = {}
    fresh: set[tuple[str, str]] = set()
    if build_plan is not None:
        observer.planned(build_plan)
    prepare_output(config)
    modules = _write_modules(config, request.output(config), editions)
    if runs and build_plan:
        for one in (*build_plan.cached, *build_plan.failed):
            results[one.notebook.section, one.notebook.framework] = one.result
        for notebook, result in runs.run(build_plan):
            results[notebook.section, notebook.framework] = result
            fresh.add((notebook.section, notebook.framework))
    kept = tuple(runs.kept(results.keys())) if runs else ()
    shown = {**results, **{(one.section, one.framework): result for one, result, _ in kept}}
    notices = {(one.section, one.framework): notice for one, _, notice in kept if notice}
    with without_collections():
        _remember_expansions(config, editions, known)
        outputs, more = render_outputs(
            config,
            request,
            book,
            pages_of=lambda names: assemble_book(
                book, {name: editions[name] for name in names}, shown, notices, language=config.language
            ),
            editions=editions,
            modules=modules,
            works=works,
            observer=observer,
            resident=memory.site if memory else None,
        )
    if memory:
        memory.hold(book, editions, shown, notices)
    return BuildReport(
        findings=tuple(dict.fromkeys([*findings, *more])),
        failures=tuple(_failures(editions, results, fresh)),
        plan=build_plan,
        executed=sum(results[one].status is not Status.SKIPPED for one in fresh),
        results=tuple(_reports(book, editions, results, fresh=fresh, build_plan=build_plan)),
        outputs=outputs,
        seconds=time.monotonic() - begun,
    )


def check(config: Config) -> tuple[Finding, ...]:
    """Return everything that can be found wrong without running anything, in reading order."""
    return _checked(config)


def plan_build(config: Config, request: BuildRequest) -> "BuildPlan":
    """Return what a build would run, and why."""
    return read_and_plan(config, request)[2]


def read_and_plan(config: Config, request: BuildRequest) -> "tuple[Book, Mapping[str, Edition], BuildPlan]":
    """Return the book, its editions, and what a build would run."""
    with without_collections():
        book, editions, _ = _read(config, request.frameworks)
        known = _with_expansions(config, editions)
    found = _runs(config, request, editions, Observer()).plan()
    _remember_expansions(config, editions, known)
    return book, editions, found


def select_frameworks(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """Return the frameworks that `names` ask for in the book's order: none means the first, ``all`` every one.

    Raises UsageError for a name that the book does not have.
    """
    known = [framework.name for framework in config.frameworks]
    if not names:
        return (config.default_framework,)
    if "all" in names:
        return tuple(known)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"the book has {', '.join(known)}"
            raise UsageError(f"unknown framework '{name}'", hint=hint)
    return tuple(name for name in known if name in names)


# --- reading ---


def _read(config: Config, frameworks: Sequence[str]) -> tuple[Book, dict[str, Edition], KeptSections]:
    """Read the book; what was read anew may be kept for the next command."""
    kept = KeptSections(config, cache_home() / "sections" / book_folder(config.name))
    book = load_book(config, kept)
    sections = tuple(book.sections.values())
    return book, {name: make_edition(config, sections, name, kept) for name in frameworks}, kept


def _with_expansions(config: Config, editions: Mapping[str, Edition]) -> dict[str, int]:
    """Give the editions the expanded cells that earlier commands have kept; return how many there were."""
    for edition in editions.values():
        edition.expanded.update(known_expansions(config, edition.framework))
    return {name: len(edition.expanded) for name, edition in editions.items()}


def _remember_expansions(config: Config, editions: Mapping[str, Edition], known: Mapping[str, int]) -> None:
    for name, edition in editions.items():
        remember_expansions(config, edition, known[name])


def _checked(config: Config, frameworks: Sequence[str] = ()) -> tuple[Finding, ...]:
    kept = kept_findings(config)
    findings = check_book(config, kept, frameworks=frameworks)
    kept.save()
    return findings


def _import_renderers() -> None:
    from d2lbuild.rendering.sphinx_speed import is_fast, light_imports  # noqa: PLC0415 - a plan or a check does without

    with light_imports(fast=is_fast()):
        from d2lbuild.rendering.website.html import import_extensions  # noqa: PLC0415

        import_extensions()


def _executes(config: Config, request: BuildRequest) -> bool:
    return config.execution.enabled if request.execute is None else request.execute


def _runs(config: Config, request: BuildRequest, editions: Mapping[str, Edition], observer: Observer) -> "NotebookRuns":
    from d2lbuild.notebook_runs import NotebookRuns  # noqa: PLC0415 - slow to import, and not every build runs anything

    runs = NotebookRuns(config, request, editions, observer)
    if request.changed_since:
        from d2lbuild.affected import affected_since  # noqa: PLC0415

        return replace(runs, concerned=affected_since(runs, request.changed_since))
    return runs


def _may_have_results(config: Config) -> bool:
    """Whether the cache may hold results of this book, which are shown although nothing is run."""
    return bool(config.execution.shared_cache) or history_folder(cache_home(), config.name).is_dir()


# --- writing ---


def _write_modules(config: Config, output: Path, editions: Mapping[str, Edition]) -> dict[str, Path]:
    """Write the library of this build where its kernels import it."""
    package = output / "lib" / config.library.package
    write_if_changed(package / "__init__.py", f'__version__ = "{config.release}"\n')
    modules = {}
    for name, edition in editions.items():
        if not edition.framework.is_python:
            continue
        modules[name] = package / f"{edition.framework.module}.py"
        write_if_changed(modules[name], edition.library.source)
    return modules


def _failures(
    editions: Mapping[str, Edition],
    results: Mapping[tuple[str, str], ExecutionResult],
    fresh: Set[tuple[str, str]],
) -> Iterator[NotebookFailure]:
    for (section, framework), result in sorted(results.items()):
        failure = result.failure
        if failure is None or result.status is Status.SKIPPED:
            continue
        notebook = editions[framework].notebooks[section]
        cell = notebook.code[failure.cell] if failure.cell is not None else None
        place = place_of_failure(notebook.code, failure)
        yield NotebookFailure(section, framework, result, cell, place, (section, framework) in fresh)


def _reports(
    book: Book,
    editions: Mapping[str, Edition],
    results: Mapping[tuple[str, str], ExecutionResult],
    *,
    fresh: Set[tuple[str, str]],
    build_plan: "BuildPlan | None",
) -> Iterator[NotebookReport]:
    todo = build_plan.todo if build_plan else ()
    expected = {(run.notebook.section, run.notebook.framework): run.seconds for run in todo}
    for section in book.sections:
        for framework, edition in editions.items():
            if (result := results.get((section, framework))) is not None:
                yield NotebookReport(
                    section=section,
                    framework=framework,
                    result=result,
                    cells=edition.notebooks[section].code,
                    cached=(section, framework) not in fresh,
                    expected=expected.get((section, framework)),
                )
