"""The results of a book's notebooks: which the cache has, which have to be made, and the making of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from d2lbuild.building import BuildRequest, Observer
from d2lbuild.config import Config, Framework
from d2lbuild.edition.edition import Edition
from d2lbuild.edition.library import used_names
from d2lbuild.errors import UsageError
from d2lbuild.execution.cache import ResultCache
from d2lbuild.execution.environments import Environment, environment_digest, environment_text, find, sync
from d2lbuild.execution.history import History
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.keys import FileDigests, file_digests, key_parts
from d2lbuild.execution.plan import BuildPlan, NotebookToRun, plan
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.model import ExecutionResult, Notebook

__all__ = ["book_digests", "plan_runs", "run_notebooks"]


def plan_runs(config: Config, request: BuildRequest, editions: Mapping[str, Edition]) -> BuildPlan:
    """Return what a build will do about outputs. Raises UsageError for a section that there is not."""
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
    digests = book_digests(config)
    found = plan(
        asked,
        cache,
        history,
        digest_of=digests,
        rerun_failed=request.rerun_failed,
        force=request.force,
        rerun=lambda one: _asked_for(one.section, request.rerun),
    )
    # The other sections show what the cache has; they are neither run nor, if they have failed, forgotten.
    known = plan(others, cache, history, digest_of=digests)
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
    return NotebookToRun(notebook.section.id, edition.framework.name, parts, lambda: _details(edition, names))


def _details(edition: Edition, names: frozenset[str] | None) -> dict[str, str]:
    """Return what stands behind the digests of a notebook's key, so that a change of it can be shown."""
    library = edition.library
    texts = {
        f"library:{name}": "\n\n".join(code for code, _ in library.pieces[name]) for name in library.closure(names)
    }
    texts["library:"] = edition.framework.header.text if edition.framework.header else ""
    texts["environment"] = environment_text(edition.framework)
    return texts


def book_digests(config: Config) -> FileDigests:
    """Return what says whether the files that notebooks were found to read are still the same."""
    return FileDigests(config.root / config.chapters, _resources(config), config.execution.keep)


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


def run_notebooks(
    config: Config, request: BuildRequest, editions: Mapping[str, Edition], build_plan: BuildPlan, observer: Observer
) -> Iterator[tuple[NotebookToRun, ExecutionResult]]:
    """Run what the plan says, and keep each result as soon as it is there."""
    # nbclient takes a while to import: a plan or a check must not wait for it.
    from d2lbuild.execution.backends import local  # noqa: PLC0415

    home = cache_home()
    cache, history = ResultCache(home), History(home, config.name)
    digests = book_digests(config)
    environments = {
        name: _environment(editions[name].framework, home, observer)
        for name in dict.fromkeys(planned.notebook.framework for planned in build_plan.todo)
    }
    files = _resources(config)
    notebooks = {
        (planned.notebook.section, planned.notebook.framework): planned.notebook for planned in build_plan.todo
    }
    requests = [
        _request(config, editions[planned.notebook.framework], planned.notebook, environments=environments, files=files)
        for planned in build_plan.todo
    ]
    with closing(local.run_all(requests, request.jobs, observer.started)) as runs:
        for done, result in runs:
            notebook = notebooks[done.section, done.framework]
            cache.put(notebook.parts, result)
            history.put(
                notebook.section,
                notebook.framework,
                notebook.parts,
                result,
                details=notebook.details(),
                size_of=digests.size,
            )
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
