"""What backends and those who call them share: how notebooks are run, and who hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from d2lbuild.config.types import Framework
from d2lbuild.execution.devices import Machine
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import ExecutionResult

__all__ = ["BackendOptions", "RunObserver"]


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How the notebooks of a build are run."""

    jobs: int | None = None
    """Notebooks at the same time; None for as many as processors."""
    fork: bool = True
    """Whether kernels may be forked from a process that has imported the framework."""
    address: str = ""
    """Of a cluster; empty for one that the backend finds or starts itself."""
    machine: Machine | None = None
    """What this machine has; None: the backend looks."""
    frameworks: Mapping[str, Framework] = field(default_factory=dict)
    """By name, for backends that make the environments elsewhere; one that is not here has the same interpreter at the
    same path on every machine."""


class RunObserver:
    """Is told, in the thread that iterates, how runs go on. This one keeps silent."""

    def started(self, request: ExecutionRequest) -> None:
        """Hear that a notebook begins to run; `request.device` says where."""

    def cell(self, request: ExecutionRequest, index: int) -> None:
        """Hear that a notebook has come to the code cell `index`."""

    def retried(self, request: ExecutionRequest, result: ExecutionResult) -> None:
        """Hear that a run was lost through no fault of the book, and begins again."""

    def note(self, message: str) -> None:
        """Hear what a user should know: that kernels cannot be forked here, say."""
