"""The results of a book's notebooks: which the cache has, which have to be made, and the making of them."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path, PurePosixPath

from d2lbuild.building import BuildRequest, Observer
from d2lbuild.config import Config, Framework
from d2lbuild.edition.edition import Edition, make_edition
from d2lbuild.edition.library import used_names
from d2lbuild.errors import SetupError, UsageError
from d2lbuild.execution.devices import Machine, this_machine
from d2lbuild.execution.environments.environments import Environment, environment_digest, environment_text, find, sync
from d2lbuild.execution.home import book_folder, cache_home
from d2lbuild.execution.kept import kept_results, outdated_notice
from d2lbuild.execution.needs import whole_needs
from d2lbuild.execution.plan import BuildPlan, NotebookToRun, loaded, plan, shard
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import FileDigests, file_digests, key_parts
from d2lbuild.execution.results.shared import SharedCache
from d2lbuild.execution.running import BackendOptions
from d2lbuild.execution.scheduler import demand_of, refusal, skipped
from d2lbuild.model import ExecutionResult, Needs, Notebook, Status
from d2lbuild.source.book import load_book
from d2lbuild.source.data_files import data_files
from d2lbuild.source.kept import KeptSections

__all__ = ["NotebookRuns", "asked_for", "book_digests"]

_Ended = tuple[ExecutionRequest, ExecutionResult]


@dataclass(frozen=True)
class NotebookRuns:
    """The notebooks of one build."""

    config: Config
    request: BuildRequest
    editions: Mapping[str, Edition]
    observer: Observer = field(default_factory=Observer)
    concerned: Callable[[NotebookToRun], bool] = lambda _: True
    """Says of a notebook that the cache lacks whether it is to be run."""
    _answers: dict[tuple[object, ...], str] = field(default_factory=dict, init=False)

    def loaded_plan(self) -> BuildPlan:
        """Return the plan with all results of the cache read."""
        return loaded(self.plan())

    def plan(self) -> BuildPlan:
        """Return what the build will do about outputs. Raises UsageError for a section that there is not."""
        for sections in (self.request.sections, self.request.rerun):
            _check_sections(sections, self.editions)
        asked: list[NotebookToRun] = []
        others: list[NotebookToRun] = []
        for one in self.notebooks():
            here = not self.request.sections or asked_for(one.section, self.request.sections)
            (asked if here else others).append(one)
        found = plan(
            asked,
            self.cache,
            self.history,
            digest_of=self.digests,
            rerun_failed=self.request.rerun_failed,
            force=self.request.force,
            rerun=lambda one: asked_for(one.section, self.request.rerun),
        )
        # The other sections show what the cache has; they are neither run nor, if they have failed, forgotten.
        known = plan(others, self.cache, self.history, digest_of=self.digests)
        todo = shard([run for run in found.todo if self.concerned(run.notebook)], *self.request.shard)
        return BuildPlan((*found.cached, *known.cached), (*found.failed, *known.failed), todo)

    def push(self, shared: SharedCache) -> int:
        """Put what the cache has of the book as it is into another one; return how many results."""
        cache = ResultCache(self.home, shared)
        local = ResultCache(self.home)
        wanted = self.notebooks()
        sent = 0
        for one, entry in zip(wanted, local.find_all([one.parts for one in wanted], self.digests), strict=True):
            if entry is not None and entry.head.status is Status.DONE:
                cache.share(one.parts, entry)
                sent += 1
        return sent

    def pull(self, shared: SharedCache) -> tuple[int, int]:
        """Take what this cache lacks from another one; return how many results came, and how many are still lacking."""
        wanted = [one.parts for one in self.notebooks()]
        before = ResultCache(self.home).find_all(wanted, self.digests)
        after = ResultCache(self.home, shared).find_all(wanted, self.digests)
        missing = sum(entry is None for entry in after)
        return sum(entry is None for entry in before) - missing, missing

    def notebooks(self) -> list[NotebookToRun]:
        """Return all notebooks with code, and what they depend on."""
        data = file_digests(self.config.root, self.config.execution.data)
        return [
            self._to_run(edition, notebook, data)
            for edition in self.editions.values()
            for notebook in edition.notebooks.values()
            if notebook.code
        ]

    def kept(self, shown: Set[tuple[str, str]]) -> Iterator[tuple[NotebookToRun, ExecutionResult, str]]:
        """Yield results that can be shown without a run, for notebooks that are not among `shown`.

        With each goes what readers should know of it: that it was made in another environment.
        """
        data = file_digests(self.config.root, self.config.execution.data)
        for edition in self.editions.values():
            framework = edition.framework
            try:
                wanted = [
                    self._to_run(edition, notebook, data)
                    for name, notebook in edition.notebooks.items()
                    if notebook.code and (name, framework.name) not in shown
                ]
            except SetupError:
                continue  # without an environment nothing can be said to belong to it
            for one in kept_results(wanted, self.cache, self.history, self.digests):
                notice = ""
                if one.outdated:
                    environment = one.notebook.details()["environment"]
                    notice = outdated_notice(framework.title, framework.packages, one.result.versions, environment)
                yield one.notebook, one.result, notice

    def run(self, build_plan: BuildPlan) -> Iterator[tuple[NotebookToRun, ExecutionResult]]:
        """Run what the plan says, and keep each result as soon as it is there."""
        notebooks = {(run.notebook.section, run.notebook.framework): run.notebook for run in build_plan.todo}
        requests: list[ExecutionRequest] = []
        environments: dict[tuple[str, str, tuple[str, ...]], Environment] = {}
        for run in build_plan.todo:
            needs = self._needs(run.notebook.section, run.notebook.framework)
            reason = refusal(needs, self.machine) if self.request.backend == "local" else ""
            request = self._request(run.notebook, needs, run.seconds)
            if reason:
                # No environment is made for what cannot run.
                result = skipped(request, reason)
                self.observer.finished(request, result)
                yield run.notebook, result
            else:
                requests.append(self._with_environment(request, environments))
        with closing(self._results(requests)) as results:
            for done, result in results:
                notebook = notebooks[done.section, done.framework]
                self._keep(notebook, result)
                self.observer.finished(done, result)
                yield notebook, result

    # --- what a build shares ---

    @cached_property
    def home(self) -> Path:
        """The folder of environments and results."""
        return cache_home()

    @cached_property
    def cache(self) -> ResultCache:
        """The store of results."""
        execution = self.config.execution
        shared = None
        if execution.shared_cache:
            shared = SharedCache(execution.shared_cache, execution.shared_cache_writable, self.observer.note)
        return ResultCache(self.home, shared)

    @cached_property
    def history(self) -> History:
        """What is known of the last run of each notebook."""
        return History(self.home, self.config.name)

    @cached_property
    def machine(self) -> Machine:
        """What there is to run notebooks on."""
        return this_machine()

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """The files that notebooks may read, by their path below the sources: each run has a copy of them."""
        return dict(data_files(self.config))

    @cached_property
    def digests(self) -> FileDigests:
        """What says whether files that notebooks were found to read are still the same."""
        return _digests(self.config, self.files)

    def _environment_digest(self, framework: Framework, device: str, packages: tuple[str, ...]) -> str:
        # Asking an existing interpreter for its packages starts a process.
        return self._remembered(environment_digest, framework, device, packages)

    def _environment_text(self, framework: Framework, device: str, packages: tuple[str, ...]) -> str:
        return self._remembered(environment_text, framework, device, packages)

    def _remembered(self, ask: Callable[..., str], framework: Framework, device: str, packages: tuple[str, ...]) -> str:
        question = (ask.__name__, framework.name, device, packages)
        if question not in self._answers:
            self._answers[question] = ask(framework, device, packages)
        return self._answers[question]

    # --- one notebook ---

    def _needs(self, section: str, framework: str) -> Needs:
        needs = whole_needs(self.editions[framework].notebooks[section], self.config.execution)
        if self.request.backend != "local":
            # Whether the cluster has a GPU to spare is not known yet, and the key must say what a notebook runs on.
            needs = replace(needs, uses_gpu=False)
        return needs

    def _device(self, needs: Needs) -> str:
        """Return the class of device that a notebook runs on here."""
        return "gpu" if needs.gpus or demand_of(needs, self.machine).gpus else "cpu"

    def _to_run(self, edition: Edition, notebook: Notebook, data: Mapping[str, str]) -> NotebookToRun:
        framework = edition.framework
        names = used_names(notebook, self.config.library.package, framework.module)
        needs = self._needs(notebook.section.id, framework.name)
        device = self._device(needs)
        threads = self.config.execution.threads
        parts = key_parts(
            framework=framework.name,
            cells=_code_cells(notebook),
            library=edition.library.digests(names),
            environment=self._environment_digest(framework, device, needs.packages),
            device=device,
            kernel=framework.kernel,
            variables={**framework.variables, **({"threads": str(threads)} if threads else {})},
            passed=self.config.execution.pass_variables,
            data=data,
        )

        def details() -> dict[str, str]:
            return _details(edition, names) | {"environment": self._environment_text(framework, device, needs.packages)}

        return NotebookToRun(notebook.section.id, framework.name, parts, details)

    def _request(self, notebook: NotebookToRun, needs: Needs, seconds: float | None) -> ExecutionRequest:
        config, framework = self.config, self.editions[notebook.framework].framework
        execution = config.execution
        kept = self.home / "kept" / book_folder(config.name) / framework.name
        return ExecutionRequest(
            section=notebook.section,
            framework=notebook.framework,
            cells=_code_cells(self.editions[notebook.framework].notebooks[notebook.section]),
            kernel=KernelCommand(Path(), framework.language, framework.kernel, framework.preload),
            library=self.request.output(config) / "lib",
            folder=PurePosixPath(notebook.section).parent,
            files=self.files,
            kept={name: kept / name for name in _kept(self.config, self.files)},
            downloads=self.home / "downloads",
            variables=framework.variables,
            passed=execution.pass_variables,
            needs=needs,
            threads=execution.threads,
            sandbox=execution.sandbox if self.request.sandbox is None else self.request.sandbox,
            timeout=execution.timeout if needs.timeout is None else needs.timeout,
            startup_timeout=execution.startup_timeout,
            max_output=execution.max_output,
            expected=seconds,
            key=notebook.key,
        )

    def _with_environment(
        self, request: ExecutionRequest, made: dict[tuple[str, str, tuple[str, ...]], Environment]
    ) -> ExecutionRequest:
        framework = self.editions[request.framework].framework
        if self.request.backend != "local":
            return request  # workers make their own
        device, packages = self._device(request.needs), request.needs.packages
        wanted = (framework.name, device, packages)
        if wanted not in made:
            made[wanted] = find(framework, self.home, device, packages) or sync(
                framework,
                self.home,
                lambda line: self.observer.environment(framework.name, line),
                device=device,
                packages=packages,
            )
        environment = made[wanted]
        return replace(
            request,
            kernel=replace(request.kernel, python=environment.python),
            versions=environment.versions(framework.packages),
        )

    def _results(
        self, requests: Sequence[ExecutionRequest]
    ) -> Generator[tuple[ExecutionRequest, ExecutionResult], None, None]:
        # nbclient takes a while to import: a plan or a check must not wait for it.
        fork = self.config.execution.fork if self.request.fork is None else self.request.fork
        frameworks = {name: edition.framework for name, edition in self.editions.items()}
        machine = self.machine if self.request.backend == "local" else None
        options = BackendOptions(self.request.jobs, fork, self.request.address, machine, frameworks)
        if self.request.backend == "ray":
            from d2lbuild.execution.backends import ray  # noqa: PLC0415

            return ray.run_all(requests, options, self.observer)
        from d2lbuild.execution.backends import local  # noqa: PLC0415

        return local.run_all(requests, options, self.observer)

    def _keep(self, notebook: NotebookToRun, result: ExecutionResult) -> None:
        self.cache.put(notebook.parts, result)
        self.history.put(
            notebook.section,
            notebook.framework,
            notebook.parts,
            result,
            details=notebook.details(),
            size_of=self.digests.size,
        )


def _details(edition: Edition, names: frozenset[str] | None) -> dict[str, str]:
    """Return what stands behind the digests of a notebook's key, so that a change of it can be shown."""
    library = edition.library
    texts = {
        f"library:{name}": "\n\n".join(code for code, _ in library.pieces[name]) for name in library.closure(names)
    }
    texts["library:"] = edition.framework.header.text if edition.framework.header else ""
    return texts


def _code_cells(notebook: Notebook) -> tuple[CodeCell, ...]:
    return tuple(CodeCell(cell.source, cell.tags) for cell in notebook.code)


def asked_for(section: str, wanted: Iterable[str]) -> bool:
    """Whether a section, or a folder that it lies in, is among those that are wanted."""
    return any(section == one or section.startswith(f"{one}/") for one in wanted)


def _check_sections(sections: Sequence[str], editions: Mapping[str, Edition]) -> None:
    known = sorted({name for edition in editions.values() for name in edition.notebooks})
    for section in sections:
        if not any(asked_for(name, [section]) for name in known):
            near = get_close_matches(section, known, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else "name a section as its path without the suffix"
            raise UsageError(f"no section '{section}' in this edition", hint=hint)


def runs_of(config: Config, request: BuildRequest) -> NotebookRuns:
    """Return the notebooks of a book as it is, to look for their results; frameworks that it lacks are left out.

    Sections that earlier commands have kept are not read again. Raises BookError if there is no root section.
    """
    kept = KeptSections(config, cache_home() / "sections" / book_folder(config.name))
    sections = tuple(load_book(config, kept).sections.values())
    names = tuple(one.name for one in config.frameworks if one.name in request.frameworks)
    editions = {name: make_edition(config, sections, name, kept) for name in names}
    return NotebookRuns(config, replace(request, frameworks=names), editions)


def book_digests(config: Config) -> FileDigests:
    """Return what says whether the files that notebooks were found to read are still the same."""
    return _digests(config, dict(data_files(config)))


def _digests(config: Config, files: Mapping[str, Path]) -> FileDigests:
    return FileDigests(config.root / config.chapters, files, _kept(config, files))


def _kept(config: Config, files: Mapping[str, Path]) -> tuple[str, ...]:
    """Return the folders that stay between runs; one that the book brings itself is a part of it like any other."""
    return tuple(name for name in config.execution.keep if not any(file.startswith(f"{name}/") for file in files))
