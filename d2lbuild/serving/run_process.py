"""The process that runs the notebook of one section in one framework: its result goes to the cache, nothing else."""

import sys
from pathlib import Path

from d2lbuild import pipeline
from d2lbuild.building import Observer
from d2lbuild.errors import D2lbuildError
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Status
from d2lbuild.serving.engine import PLACE, Preview
from d2lbuild.serving.messages import Wire

__all__ = ["RunObserver", "main", "run_section"]


class RunObserver(Observer):
    """Tells the server how far a run has come."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def environment(self, framework: str, line: str) -> None:
        """Tell of the making of an environment."""
        self._wire.send({"text": f"making the environment of {framework}: {line.strip()}"})

    def started(self, request: ExecutionRequest) -> None:
        """Tell that a kernel starts."""
        self._wire.send({"cell": 0, "of": len(request.cells)})

    def cell(self, request: ExecutionRequest, index: int) -> None:
        """Tell which cell runs."""
        self._wire.send({"cell": index + 1, "of": len(request.cells)})


def run_section(preview: Preview, section: str, framework: str, observer: Observer) -> str:
    """Run a notebook, whatever the cache has of it; return why it did not come to its end, or nothing."""
    config = preview.config()
    request = pipeline.BuildRequest(
        pipeline.select_frameworks(config, [framework]),
        to=(),
        execute=True,
        sections=(section,),
        rerun=(section,),
        place=f"{PLACE}/run",
    )
    report = pipeline.build(config, request, observer)
    for failed in report.failures:
        if failed.section == section and failed.result.failure:
            return f"{failed.place or section}: {_short(failed.result)}"
    for one in report.results:
        if one.section == section and one.result.status is Status.SKIPPED:
            return _short(one.result)
    return ""


def _short(result: ExecutionResult) -> str:
    failure = result.failure
    return f"{failure.name}: {failure.message}".strip(": ").strip() if failure else result.status.value


def main() -> None:
    """Run what the command line names: book, output folder or ``-``, section, framework."""
    book, output, section, framework = sys.argv[1:]
    try:
        wire = Wire()
        preview = Preview(Path(book), (framework,), None if output == "-" else Path(output))
        try:
            problem = run_section(preview, section, framework, RunObserver(wire))
        except D2lbuildError as error:
            problem = f"{error.message} ({error.hint})" if error.hint else error.message
        wire.send({"ended": True, "problem": problem})
    except (KeyboardInterrupt, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
