"""Which notebooks a change concerns: those whose outputs it may alter, told by their keys and the files they read."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

from d2lbuild.building import BuildRequest
from d2lbuild.config import Config
from d2lbuild.errors import BookError, SetupError
from d2lbuild.execution.plan import NotebookToRun
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.notebook_runs import NotebookRuns, runs_of
from d2lbuild.revisions import book_at, changed_files

__all__ = ["affected_since"]


def affected_since(runs: NotebookRuns, revision: str) -> Callable[[NotebookToRun], bool]:
    """Return what says whether a notebook may give other outputs than at a revision.

    A file that has changed concerns the notebooks that were found to read it, and those of which nothing is known.
    """
    config = runs.config
    before = _keys_at(config, runs.request, revision)
    source = PurePosixPath(config.chapters)
    changed = {
        path.relative_to(source).as_posix()
        for path in changed_files(config.root, revision)
        if path.is_relative_to(source)
    }
    data = changed & runs.files.keys()

    def affected(notebook: NotebookToRun) -> bool:
        if before.get((notebook.section, notebook.framework)) != notebook.key:
            return True
        record = runs.history.get(notebook.section, notebook.framework)
        read = runs.cache.known_inputs(notebook.key) | (KeyParts(record.parts).inputs.keys() if record else set())
        if not read:
            return bool(data) and record is None
        return any(_concerns(one, read) for one in changed)

    return affected


def _concerns(file: str, read: Iterable[str]) -> bool:
    """Whether a file, or a listing of its folder, is among what a notebook reads."""
    folder = f"{PurePosixPath(file).parent.as_posix()}/"
    return any(one in (file, folder) for one in read)


def _keys_at(config: Config, request: BuildRequest, revision: str) -> Mapping[tuple[str, str], str]:
    """Return the keys that notebooks had, without the files that they read."""
    with book_at(config, revision) as earlier:
        if earlier is None:
            return {}
        found: dict[tuple[str, str], str] = {}
        with suppress(BookError, SetupError):  # a book that could not be read then is new now
            for one in runs_of(earlier, request).notebooks():
                found[one.section, one.framework] = one.key
        return found
