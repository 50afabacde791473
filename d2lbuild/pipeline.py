"""The build, first stage to last.

Nothing is written or installed before the observer has seen the plan; `check` and `plan_build` stop there.
"""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from d2lbuild.config import Config, Framework
from d2lbuild.edition.edition import Edition, make_edition
from d2lbuild.edition.library import used_names
from d2lbuild.edition.library_checks import joined
from d2lbuild.errors import UsageError
from d2lbuild.execution.cache import History, ResultCache
from d2lbuild.execution.environments import Environment, environment_digest, find, sync
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.keys import file_digests, key_parts
from d2lbuild.execution.plan import BuildPlan, NotebookToRun, plan
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.files import write_if_changed
from d2lbuild.findings import in_order, placed
from d2lbuild.garbage import without_collections
from d2lbuild.model import (
    Book,
    Cell,
    ExecutionResult,
    Finding,
    Notebook,
    Page,
    Span,
    Status,
)
from d2lbuild.rendering.assemble import assemble
from d2lbuild.source.book import load_book

__all__ = [
    "OUTPUT_MARKER",
    "RENDERERS",
    "BuildReport",
    "BuildRequest",
    "NotebookFailure",
    "Observer",
    "build",
    "check",
    "plan_build",
    "prepare_output",
    "select_frameworks",
]

OUTPUT_MARKER = ".d2lbuild"
"""This file lies in every output folder that d2lbuild has made: `clean` removes no other."""

RENDERERS = ("html", "notebooks")
"""The outputs that a build can make."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a build is asked for."""

    frameworks: tuple[str, ...]
    """In the book's order."""
    to: tuple[str, ...] = ("html",)
    execute: bool | None = None
    """None: as configured."""
    sections: tuple[str, ...] = ()
    """Ids of sections, or of folders of them: only these are executed, the others show what the cache has."""
    jobs: int | None = None
    rerun_failed: bool = False
    force: bool = False


class Observer:
    """Is told how a build goes on. This one keeps silent; subclasses show progress."""

    def read(self, book: Book, findings: Sequence[Finding]) -> None:
        """Hear what was read, and everything that is wrong with it."""

    def planned(self, plan: BuildPlan) -> None:
        """Hear what will be run."""

    def environment(self, framework: str, line: str) -> None:
        """Hear a line of the making of an environment."""

    def started(self, request: ExecutionRequest) -> None:
        """Hear that a notebook begins to run."""

    def finished(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Hear how a notebook's run ended."""

    def rendering(self, stage: str, done: int, total: int) -> None:
        """Hear how many pages are made."""


@dataclass(frozen=True, slots=True)
class NotebookFailure:
    """A notebook that did not run to its end."""

    section: str
    framework: str
    result: ExecutionResult
    cell: Cell | None
    place: Span | None
    """The failing line in the chapter."""
    fresh: bool
    """False if it failed in an earlier build, and nothing has changed since."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build has done."""

    findings: tuple[Finding, ...]
    failures: tuple[NotebookFailure, ...]
    plan: BuildPlan | None
    """None if nothing was to be executed."""
    executed: int
    outputs: Mapping[str, Path]
    """By renderer: the website's first page, the folder of notebooks."""
    seconds: float


def build(config: Config, request: BuildRequest, observer: Observer | None = None) -> BuildReport:
    """Build what is asked for; notebooks that fail are in the report, not raised."""
    observer = observer or Observer()
    begun = time.monotonic()
    book, editions = _read(config, request.frameworks)
    findings = _findings(config, book, editions)
    observer.read(book, findings)
    build_plan = _plan(config, request, editions) if _executes(config, request) else None
    results: dict[tuple[str, str], ExecutionResult] = {}
    executed = 0
    if build_plan is not None:
        observer.planned(build_plan)
    prepare_output(config.output)
    modules = _write_modules(config, editions)
    if build_plan is not None:
        for known in (*build_plan.cached, *build_plan.failed):
            results[known.notebook.section, known.notebook.framework] = known.result
        for notebook, result in _run(config, request, editions, build_plan, observer):
            results[notebook.section, notebook.framework] = result
            executed += 1
    pages = _assemble(book, editions, results)
    outputs, more = _render(config, request, book, pages=pages, editions=editions, modules=modules, observer=observer)
    failures = _failures(editions, results, build_plan)
    every = tuple(dict.fromkeys([*findings, *more]))
    return BuildReport(every, tuple(failures), build_plan, executed, outputs, time.monotonic() - begun)


def check(config: Config) -> tuple[Finding, ...]:
    """Return everything that can be found wrong without running anything, in reading order."""
    names = tuple(framework.name for framework in config.frameworks)
    book, editions = _read(config, names)
    return _findings(config, book, editions)


def plan_build(config: Config, request: BuildRequest) -> BuildPlan:
    """Return what a build would run, and why."""
    _, editions = _read(config, request.frameworks)
    return _plan(config, request, editions)


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


def _read(config: Config, frameworks: Sequence[str]) -> tuple[Book, dict[str, Edition]]:
    with without_collections():
        book = load_book(config)
        sections = tuple(book.sections.values())
        return book, {name: make_edition(config, sections, name) for name in frameworks}


def _findings(config: Config, book: Book, editions: Mapping[str, Edition]) -> tuple[Finding, ...]:
    return in_order(book.sections.values(), [*config.findings, *book.findings, *_of_code(config, editions)])


def _of_code(config: Config, editions: Mapping[str, Edition]) -> Iterator[Finding]:
    return placed(config, joined({name: edition.findings for name, edition in editions.items()}))


# --- running ---


def _executes(config: Config, request: BuildRequest) -> bool:
    return config.execution.enabled if request.execute is None else request.execute


def _plan(config: Config, request: BuildRequest, editions: Mapping[str, Edition]) -> BuildPlan:
    home = cache_home()
    data = file_digests(config.root, config.execution.data)
    wanted = []
    for edition in editions.values():
        chosen = [one for one in edition.notebooks.values() if one.code]
        if chosen:
            environment = environment_digest(edition.framework)
            wanted += [_to_run(config, edition, notebook, environment, data) for notebook in chosen]
    _check_sections(request.sections, editions)
    cache, history = ResultCache(home), History(home, config.name)
    asked: list[NotebookToRun] = []
    others: list[NotebookToRun] = []
    for one in wanted:
        (asked if not request.sections or _asked_for(one.section, request.sections) else others).append(one)
    found = plan(asked, cache, history, rerun_failed=request.rerun_failed, force=request.force)
    # The other sections show what the cache has; they are neither run nor, if they have failed, forgotten.
    known = plan(others, cache, history)
    return BuildPlan((*found.cached, *known.cached), (*found.failed, *known.failed), found.todo)


def _to_run(
    config: Config, edition: Edition, notebook: Notebook, environment: str, data: Mapping[str, str]
) -> NotebookToRun:
    names = used_names(notebook, config.library.package, edition.framework.module)
    parts = key_parts(
        framework=edition.framework.name,
        cells=_code_cells(notebook),
        library=edition.library.digests(names),
        environment=environment,
        variables=edition.framework.variables,
        data=data,
    )
    return NotebookToRun(notebook.section.id, edition.framework.name, parts)


def _code_cells(notebook: Notebook) -> tuple[CodeCell, ...]:
    return tuple(CodeCell(cell.source, cell.tags) for cell in notebook.code)


def _asked_for(section: str, wanted: Iterable[str]) -> bool:
    return any(section == one or section.startswith(f"{one}/") for one in wanted)


def _check_sections(sections: Sequence[str], editions: Mapping[str, Edition]) -> None:
    known = sorted({name for edition in editions.values() for name in edition.notebooks})
    for section in sections:
        if not any(_asked_for(name, [section]) for name in known):
            near = get_close_matches(section, known, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else "name a section as its path without the suffix"
            raise UsageError(f"no section '{section}' in this edition", hint=hint)


def _run(
    config: Config, request: BuildRequest, editions: Mapping[str, Edition], build_plan: BuildPlan, observer: Observer
) -> Iterator[tuple[NotebookToRun, ExecutionResult]]:
    """Run what the plan says, and keep each result as soon as it is there."""
    # nbclient takes a while to import: a plan or a check must not wait for it.
    from d2lbuild.execution.backends import local  # noqa: PLC0415

    home = cache_home()
    cache, history = ResultCache(home), History(home, config.name)
    environments = {
        name: _environment(editions[name].framework, home, observer)
        for name in dict.fromkeys(planned.notebook.framework for planned in build_plan.todo)
    }
    files = _resources(config)
    notebooks = {planned.notebook.key: planned.notebook for planned in build_plan.todo}
    requests = [
        _request(config, editions[planned.notebook.framework], planned.notebook, environments=environments, files=files)
        for planned in build_plan.todo
    ]
    with closing(local.run_all(requests, request.jobs, observer.started)) as runs:
        for done, result in runs:
            notebook = notebooks[done.key]
            cache.put(notebook.key, notebook.parts, result)
            if result.status in {Status.DONE, Status.FAILED}:
                history.put(notebook.section, notebook.framework, notebook.parts, result.seconds)
            observer.finished(done, result)
            yield notebook, result


def _environment(framework: Framework, home: Path, observer: Observer) -> Environment:
    return find(framework, home) or sync(framework, home, lambda line: observer.environment(framework.name, line))


def _request(
    config: Config,
    edition: Edition,
    notebook: NotebookToRun,
    *,
    environments: Mapping[str, Environment],
    files: Mapping[str, Path],
) -> ExecutionRequest:
    environment = environments[notebook.framework]
    return ExecutionRequest(
        section=notebook.section,
        framework=notebook.framework,
        cells=_code_cells(edition.notebooks[notebook.section]),
        kernel=KernelCommand(environment.python),
        library=config.output / "lib",
        folder=PurePosixPath(notebook.section).parent,
        files=files,
        variables=edition.framework.variables,
        versions=environment.versions(edition.framework.packages),
        timeout=config.execution.timeout,
        startup_timeout=config.execution.startup_timeout,
        max_output=config.execution.max_output,
        key=notebook.key,
    )


def _resources(config: Config) -> dict[str, Path]:
    """Return the files that notebooks may need, by their path below the sources."""
    source = config.root / config.chapters
    found: dict[str, Path] = {}
    for pattern in config.resources:
        for path in sorted(source.glob(pattern.rstrip("/"))):
            for file in [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file()):
                found[file.relative_to(source).as_posix()] = file
    return found


# --- writing ---


def prepare_output(output: Path) -> None:
    """Make the output folder, and mark it as ours if it was not there or empty.

    Raises UsageError if it cannot be written.
    """
    ours = not output.exists() or (output.is_dir() and not any(output.iterdir()))
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output, prefix="."):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot write to the output folder {output}: {reason}", hint="choose another one with --output"
        ) from None
    if ours:
        (output / OUTPUT_MARKER).write_text(
            "Everything in this folder was made by d2lbuild; `d2lbuild clean` removes it.\n", encoding="utf-8"
        )


def _write_modules(config: Config, editions: Mapping[str, Edition]) -> dict[str, Path]:
    """Write the library of this build where its kernels import it."""
    package = config.output / "lib" / config.library.package
    write_if_changed(package / "__init__.py", f'__version__ = "{config.release}"\n')
    modules = {}
    for name, edition in editions.items():
        modules[name] = package / f"{edition.framework.module}.py"
        write_if_changed(modules[name], edition.library.source)
    return modules


def _assemble(
    book: Book, editions: Mapping[str, Edition], results: Mapping[tuple[str, str], ExecutionResult]
) -> list[Page]:
    pages = []
    for name, section in book.sections.items():
        notebooks = {one: edition.notebooks[name] for one, edition in editions.items() if name in edition.notebooks}
        if notebooks:
            known = {one: results[name, one] for one in notebooks if (name, one) in results}
            pages.append(assemble(section, notebooks, known))
    return pages


def _failures(
    editions: Mapping[str, Edition],
    results: Mapping[tuple[str, str], ExecutionResult],
    build_plan: BuildPlan | None,
) -> Iterator[NotebookFailure]:
    known = {(one.notebook.section, one.notebook.framework) for one in build_plan.failed} if build_plan else set()
    for (section, framework), result in sorted(results.items()):
        failure = result.failure
        if failure is None:
            continue
        notebook = editions[framework].notebooks[section]
        cell = notebook.code[failure.cell] if failure.cell is not None else None
        place = None
        if cell is not None:
            line = cell.lines[min(failure.line or 1, len(cell.lines)) - 1]
            place = Span(notebook.section.path, line, line)
        yield NotebookFailure(section, framework, result, cell, place, (section, framework) not in known)


def _render(
    config: Config,
    request: BuildRequest,
    book: Book,
    *,
    pages: Sequence[Page],
    editions: Mapping[str, Edition],
    modules: Mapping[str, Path],
    observer: Observer,
) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    """Hand the pages to the renderers; each writes below its own folder."""
    # Sphinx takes a while to import: a plan or a check must not wait for it.
    from d2lbuild.rendering.html import RenderContext, render  # noqa: PLC0415

    folder = config.output / edition_name(config, request.frameworks)
    outputs: dict[str, Path] = {}
    findings: tuple[Finding, ...] = ()
    context = RenderContext(
        config=config,
        book=book,
        frameworks=request.frameworks,
        output=folder / "html",
        modules=modules,
        libraries={name: edition.library for name, edition in editions.items()},
        jobs=request.jobs or os.cpu_count() or 1,
        observer=observer.rendering,
    )
    for name in request.to:
        if name == "html":
            site = render(pages, context)
            outputs[name], findings = site.index, site.findings
        elif name == "notebooks":
            from d2lbuild.rendering.notebooks import render_notebooks  # noqa: PLC0415

            outputs[name] = render_notebooks(pages, replace(context, output=folder / "notebooks"))
        else:
            raise UsageError(f"unknown output '{name}'", hint=f"one of {', '.join(RENDERERS)}")
    return outputs, findings


def edition_name(config: Config, frameworks: Sequence[str]) -> str:
    """Return the name of the folder that holds what is built for these frameworks."""
    if len(frameworks) > 1 and len(frameworks) == len(config.frameworks):
        return "all"
    return "+".join(frameworks)
