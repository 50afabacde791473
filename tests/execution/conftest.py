"""Requests for kernels of the interpreter that runs the tests."""

import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand

HERE = Path(sys.executable)
MakeRequest = Callable[..., ExecutionRequest]


@pytest.fixture
def make_request(tmp_path: Path) -> MakeRequest:
    """Return a function that makes a request of sources, or of pairs of source and tag."""

    def make(
        *cells: str | tuple[str, str], section: str = "chapter/page", python: Path = HERE, **settings: object
    ) -> ExecutionRequest:
        pairs = [(cell, "") if isinstance(cell, str) else cell for cell in cells]
        return ExecutionRequest(
            section=section,
            framework="none",
            cells=tuple(CodeCell(source, frozenset({tag} - {""})) for source, tag in pairs),
            kernel=KernelCommand(python),
            folder=PurePosixPath(section).parent,
            **{
                "library": tmp_path / "library",
                "startup_timeout": 60.0,
                "timeout": 60.0,
                **settings,
            },  # type: ignore[arg-type]
        )

    return make
