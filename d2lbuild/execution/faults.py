"""Runs that were lost through no fault of the book: these, and only these, are worth a second attempt."""

import datetime

from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult, Failure, Status

__all__ = ["ATTEMPTS", "is_fault", "not_started"]

ATTEMPTS = 2
"""How often a notebook is run at most."""

_KILLED = "was killed by signal"
"""In the message about a kernel that somebody else ended; one that took too much memory was ended by us."""


def is_fault(result: ExecutionResult) -> bool:
    """Whether a run says nothing about its notebook: its kernel never answered, or was killed from outside."""
    if result.status is Status.DIED:
        return result.failure is not None and _KILLED in result.failure.message
    return result.status is Status.NOT_STARTED


def not_started(request: ExecutionRequest, message: str) -> ExecutionResult:
    """Return the result of a notebook that could not be run, where no kernel is to blame."""
    return ExecutionResult(
        status=Status.NOT_STARTED,
        outputs=((),) * len(request.cells),
        seconds=0.0,
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=dict(request.versions),
        failure=Failure(None, Status.NOT_STARTED.value, message),
        device=request.device,
    )
