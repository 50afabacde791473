"""When `d2lbuild build` has nothing to do: what a build depends on is noted, and the program ends at once next time.

Noted are builds that depend on files alone: those that execute nothing, and those that found all results in the cache.
What else may decide whether a notebook runs (packages of an interpreter of the user's, GPUs, patterns of data) is for
the plan to say.
Builds that execute nothing show results that are kept, so the folders of the cache are looked at, too.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from d2lbuild import unchanged
from d2lbuild.cli.messages import serious
from d2lbuild.cli.progress import MOST_FINDINGS
from d2lbuild.cli.read_files import MANY, files_read
from d2lbuild.execution.home import cache_home, places_of_results
from d2lbuild.rendering.sources.book_files import files_of_site

if TYPE_CHECKING:
    from d2lbuild.config import Config
    from d2lbuild.pipeline import BuildReport

__all__ = ["BuildInputs"]

_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
"""One of these is there if there is a GPU."""


class BuildInputs:
    """The files that a build is about to read, as they are before it."""

    def __init__(self, config: "Config") -> None:
        self._config = config
        self._before = unchanged.facts_of(self._paths())

    def note(self, arguments: Sequence[str], built: "BuildReport", code: int, *, strict: bool) -> None:
        """Remember what the build said, unless a file was changed while it went on."""
        if not self._depends_on_files(built) or len(self._before) > MANY or self._looks_elsewhere():
            return
        if unchanged.facts_of(self._paths()) != self._before:
            return
        outputs = [file for path in built.outputs.values() for file in files_of_site(path.parent)]
        modules = files_of_site(self._config.output / "lib")
        messages = [str(finding) for finding in serious(built.findings)]
        if not strict and len(messages) > MOST_FINDINGS:
            messages[MOST_FINDINGS:] = [f"… and {len(messages) - MOST_FINDINGS} more"]
        record = unchanged.Record(
            out=tuple(str(built.outputs[name]) for name in sorted(built.outputs, key=lambda name: name == "html")),
            messages=(*messages, "nothing has changed since the last build"),
            code=code,
        )
        files = [*self._before, *outputs, *modules, *self._inputs(built)]
        unchanged.note(cache_home(), arguments, unchanged.facts_of(files), record)

    def _looks_elsewhere(self) -> bool:
        """Whether results may come, or cease to fit, without a trace in this machine's cache."""
        config = self._config
        return bool(config.execution.shared_cache) or any(one.interpreter for one in config.frameworks)

    def _depends_on_files(self, built: "BuildReport") -> bool:
        """Whether the same build would do the same again as long as no file changes."""
        if built.plan is None:
            return True
        if built.plan.todo or built.failures or any(report.result.warnings for report in built.results):
            return False  # something ran, or there is more to say than what is wrong with the book
        if self._config.execution.data:
            return False
        from d2lbuild.execution.devices import find_gpus  # noqa: PLC0415 - most builds need not look

        return not find_gpus()

    def _inputs(self, built: "BuildReport") -> Iterator[str | Path]:
        """Yield what decided about the results of notebooks: files that they read, and that there is no GPU."""
        if built.plan is not None:
            sources = self._config.root / self._config.chapters
            yield from (sources / name for report in built.results for name in report.result.inputs)
            yield from _DEVICES

    def _paths(self) -> list[str | Path]:
        return [*files_read(self._config), *places_of_results(cache_home(), self._config.name)]
