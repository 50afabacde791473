"""One kernel: the environment's own interpreter in a session of its own, away from the user's settings.

No kernelspec is looked up or installed, and the connection is by sockets in a folder, so that no two kernels can race
for a port. Nothing that the user has configured for IPython, Jupyter or Matplotlib reaches the book's outputs.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place

__all__ = ["LOG", "Kernel", "kernel_variables"]

LOG = logging.getLogger("d2lbuild.execution")
"""Where Jupyter's classes log to: nowhere, unless somebody adds a handler."""
LOG.addHandler(logging.NullHandler())

_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
_LAST_WORDS = 4000
_MAX_SOCKET_FOLDER = 90
"""Paths of sockets may have 104 bytes on some systems."""

_FOREIGN = ("CONDA_", "IPY", "JPY_", "JUPYTER", "MATPLOTLIB", "MPL", "PYTHON", "PYTEST_", "VIRTUAL_ENV")
"""What the names of variables begin with that speak to the running Python, not to the kernel's."""


class _OneSpec(KernelSpecManager):
    """Knows one kernel, and looks for no other."""

    spec: KernelSpec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        return self.spec


def kernel_variables(request: ExecutionRequest, place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a kernel, given those of this process."""
    inherited = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    scratch = place.private
    own = {
        # `!python` and `!pip` in a cell mean the environment's.
        "PATH": os.pathsep.join([str(request.kernel.python.parent), environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(request.library),
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter"),
        "JUPYTER_DATA_DIR": str(scratch / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(scratch / "matplotlibrc"),
        # Matplotlib dates its SVG files.
        "SOURCE_DATE_EPOCH": "0",
    }
    return {**inherited, **own, **request.variables}


class Kernel:
    """A running kernel and the client that talks to it."""

    def __init__(self, manager: AsyncKernelManager, process: subprocess.Popen[bytes], log: Path) -> None:
        self.manager = manager
        self.client: AsyncKernelClient = manager.client()
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, request: ExecutionRequest, place: Place) -> "Kernel":
        """Start a kernel in its place; OSError if that cannot be done."""
        scratch = place.private
        (scratch / "matplotlibrc").write_text("svg.hashsalt: d2lbuild\n", "utf-8")
        arguments = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.hist_file=:memory:"]
        specs = _OneSpec()
        specs.spec = KernelSpec(
            argv=[str(request.kernel.python), *arguments], display_name=request.framework, language="python"
        )
        manager = AsyncKernelManager(
            kernel_spec_manager=specs,
            connection_file=str(scratch / "k.json"),
            transport="tcp" if sys.platform == "win32" or len(os.fsencode(scratch)) > _MAX_SOCKET_FOLDER else "ipc",
            shutdown_wait_time=2.0,
            log=LOG,
        )
        log = place.log
        try:
            with log.open("wb") as stream:
                await manager.start_kernel(
                    cwd=str(place.folder),
                    env=kernel_variables(request, place, os.environ),
                    stdout=stream,
                    stderr=stream,
                )
        except BaseException:
            await manager.cleanup_resources()
            raise
        assert isinstance(manager.provisioner, LocalProvisioner)
        assert manager.provisioner.process is not None
        return cls(manager, manager.provisioner.process, log)

    async def ready(self, timeout: float) -> None:
        """Return when the kernel answers; RuntimeError if it does not."""
        self.client.start_channels(stdin=False, hb=False)
        await self.client.wait_for_ready(timeout=timeout)
        # A cell that asks for input fails at once.
        self.client.allow_stdin = False

    @property
    def exit_code(self) -> int | None:
        """The exit status of its process, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """The end of what the process wrote where no cell could catch it."""
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _LAST_WORDS))
            return file.read().decode("utf-8", "replace").strip()

    async def stop(self, *, gently: bool) -> None:
        """End the process and all that it started; `gently` lets its own clean-up code run for a moment."""
        try:
            await self.manager.shutdown_kernel(now=not gently)
        finally:
            # Its session may hold others: workers of a data loader, programs started by a cell.
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, _KILL)
            self.client.stop_channels()
            await self.manager.cleanup_resources()
