"""What a runner needs to know to run one notebook, here or on another machine: picklable, without the prose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from d2lbuild.model import Needs

__all__ = ["CodeCell", "ExecutionRequest", "KernelCommand"]

EXECUTION_TAGS = frozenset({"raises-exception", "skip-execution"})
"""The Jupyter tags that change what running a cell does."""


@dataclass(frozen=True, slots=True)
class CodeCell:
    """An executable cell."""

    source: str
    tags: frozenset[str] = frozenset()

    @property
    def execution_tags(self) -> frozenset[str]:
        """Those of its tags that change what running it does."""
        return self.tags & EXECUTION_TAGS


@dataclass(frozen=True, slots=True)
class KernelCommand:
    """How a kernel is started."""

    python: Path
    """The environment's interpreter; without `arguments` its own ipykernel is the kernel."""
    language: str = "python"
    arguments: tuple[str, ...] = ()
    """The command of another kernel; ``{connection_file}`` and ``{environment}`` stand for those paths."""
    preload: tuple[str, ...] = ()
    """Modules to import in the process that kernels are forked from; such that the environment lacks are left out."""


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """One notebook to run."""

    section: str
    """The section's id."""
    framework: str
    cells: tuple[CodeCell, ...]
    kernel: KernelCommand
    library: Path
    """The folder that holds the generated package; it comes first on the kernel's path."""
    folder: PurePosixPath
    """The kernel's working folder, below its copy of the book's files."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """The book's files that it may read, by their path below the copy; each run has a copy of its own."""
    kept: Mapping[str, Path] = field(default_factory=dict)
    """Folders below the copy that stay between runs, and where they really are."""
    downloads: Path | None = None
    """A folder that stays between runs, for the caches of frameworks; None for one that does not."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, with ``{threads}`` and ``{downloads}`` not yet filled in."""
    passed: tuple[str, ...] = ()
    """Names of variables of the user's environment that it may see, beside the usual harmless ones."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What the result says it ran with."""
    needs: Needs = field(default_factory=Needs)
    threads: int | None = None
    """Threads that it may use; if the book does not say, the backend does."""
    gpus: tuple[str, ...] = ()
    """The GPUs that it was given, as CUDA_VISIBLE_DEVICES names them; filled in by the backend."""
    gpu_share: float | None = None
    """The part of its GPU's memory that it may take, 0 to 1; None for all of it."""
    device: str = "cpu"
    """What the result says it ran on."""
    sandbox: bool = False
    """Without a network, and with a limit of memory."""
    timeout: float = 600.0
    """Seconds for the whole notebook."""
    startup_timeout: float = 120.0
    """Seconds until the kernel answers."""
    max_output: int = 1_000_000
    """Characters of text that one cell may print."""
    expected: float | None = None
    """Seconds that it took the last time."""
    key: str = ""
    """What tells it from the others of the build: its key without the files that it will be found to read."""
