"""Results that can be shown without running anything: those that are current, and the last ones of the same code.

The latter were made in another environment, which readers are told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from d2lbuild.execution.plan import NotebookToRun, loaded, plan
from d2lbuild.execution.results.cache import ResultCache, entry_name
from d2lbuild.execution.results.entries import DamagedEntry, open_entry
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import DigestOf, KeyParts
from d2lbuild.execution.results.why import packages_of
from d2lbuild.model import ExecutionResult

__all__ = ["KeptResult", "kept_results", "outdated_notice"]


@dataclass(frozen=True, slots=True)
class KeptResult:
    """A notebook and a result that it has or had."""

    notebook: NotebookToRun
    result: ExecutionResult
    outdated: bool
    """Whether the environment is another one now, and nothing else."""


def kept_results(
    wanted: Sequence[NotebookToRun], cache: ResultCache, history: History, digest_of: DigestOf
) -> Iterator[KeptResult]:
    """Yield what the cache has for these notebooks."""
    found = loaded(plan(wanted, cache, history, digest_of=digest_of))
    for known in (*found.cached, *found.failed):
        yield KeptResult(known.notebook, known.result, outdated=False)
    for run in found.todo:
        if result := _of_other_environment(run.notebook, cache, history, digest_of):
            yield KeptResult(run.notebook, result, outdated=True)


def _of_other_environment(
    notebook: NotebookToRun, cache: ResultCache, history: History, digest_of: DigestOf
) -> ExecutionResult | None:
    """Return the last result of a notebook, if nothing but its environment has changed since."""
    record = history.get(notebook.section, notebook.framework)
    if record is None:
        return None
    now = notebook.parts.with_present(KeyParts(record.parts).inputs, digest_of)
    if now.changes(record.parts).keys() != {"environment"}:
        return None
    for kind in ("results", "failures"):
        try:
            return open_entry(cache.folder / entry_name(kind, record.key)).load()
        except (DamagedEntry, OSError):
            continue
    return None


def outdated_notice(title: str, packages: Sequence[str], versions: Mapping[str, str], environment: str) -> str:
    """Say that outputs were made with other versions than those of the present environment, given by its text.

    `title` is that of the framework, and `packages` those whose versions readers want to know.
    """
    present = packages_of(environment)
    now = {name: present[name].split()[0] for name in packages if name in present}
    other = [name for name in now if name in versions and _public(versions[name]) != _public(now[name])]
    if not other:
        return f"The outputs for {title} were made in another environment than the present one."
    then, today = (", ".join(f"{name} {known[name]}" for name in other) for known in (versions, now))
    return f"The outputs for {title} were made with {then}; the book now uses {today}."


def _public(version: str) -> str:
    """Return a version without what says how a package was built: ``2.13.0`` for ``2.13.0+cpu``."""
    return version.partition("+")[0]
