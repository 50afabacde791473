"""Which runs `faults` takes for lost; what notebooks do to their processes is in `test_faults`."""

import pytest

from d2lbuild.execution.faults import is_fault, not_started
from d2lbuild.model import ExecutionResult, Failure, Status
from tests.execution.conftest import MakeRequest


@pytest.mark.parametrize(
    ("status", "message", "fault"),
    [
        (Status.DONE, None, False),
        (Status.FAILED, "division by zero", False),
        (Status.FAILED, "it was killed by signal 9", False),
        (Status.TIMEOUT, "the notebook took longer than 3 s", False),
        (Status.SKIPPED, "it needs 1 GPU", False),
        (Status.NOT_STARTED, "it did not answer within 60 s", True),
        (Status.DIED, "the kernel was killed by signal 9 (SIGKILL) while code cell 1 of 2 was running", True),
        (Status.DIED, "the kernel ended with exit status 3 while code cell 1 of 2 was running", False),
        (Status.DIED, "the notebook took more than 4 GiB of memory", False),
        (Status.DIED, None, False),
    ],
)
def test_what_is_worth_a_second_attempt(status: Status, message: str | None, fault: bool) -> None:
    failure = None if message is None else Failure(None, "", message)
    assert is_fault(ExecutionResult(status, (), 0.0, "", failure=failure)) == fault


def test_a_notebook_that_could_not_be_run(make_request: MakeRequest) -> None:
    result = not_started(make_request("1", "2", versions={"python": "3.11"}, device="T4"), "the disk is full")
    assert is_fault(result)
    assert (result.outputs, result.versions, result.device) == (((), ()), {"python": "3.11"}, "T4")
    assert result.failure is not None
    assert result.failure.message == "the disk is full"
