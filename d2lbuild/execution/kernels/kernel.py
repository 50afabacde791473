"""One kernel: the environment's own interpreter in a session of its own, away from the user's settings.

No kernelspec is looked up or installed, and the connection is by sockets in a folder, so that no two kernels can race
for a port. A kernel is forked from a warm process if there is one (`warm.py`), and otherwise started.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from d2lbuild.execution.kernels import kernel_process
from d2lbuild.execution.kernels.variables import kernel_variables, prepare_folders
from d2lbuild.execution.kernels.warm import ForkedProcess, WarmKernels
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place

__all__ = ["LOG", "Kernel"]

LOG = logging.getLogger("d2lbuild.execution")
"""Where Jupyter's classes log to: nowhere, unless somebody adds a handler."""
LOG.addHandler(logging.NullHandler())

_PROCESS = Path(kernel_process.__file__)
"""The script that every kernel runs."""

_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
_LAST_WORDS = 4000
_MAX_SOCKET_FOLDER = 90
"""Paths of sockets may have 104 bytes on some systems."""

_GLANCE = 0.005
"""Seconds between looks at whether a process has ended that is about to."""

_GENTLE = 2.0
"""Seconds that a kernel may take to end when it is asked to."""

_GONE = 10.0
"""Seconds that it takes at most until a killed process is gone; one that hangs in the system is left alone then."""

_ECHO = 0.1
"""Seconds that a kernel's outputs may be behind its answer. If there are none, nobody listened yet."""

_MAX_ECHOES = 20


class _OneSpec(KernelSpecManager):
    """Knows one kernel, and looks for no other."""

    spec: KernelSpec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        return self.spec


class _Provisioner(LocalProvisioner):
    """Forks a kernel where that can be done, and starts a process otherwise."""

    request: ExecutionRequest
    description: Mapping[str, Any]
    warm: WarmKernels | None

    process: subprocess.Popen[bytes] | ForkedProcess | None  # type: ignore[assignment]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        # Another language's kernel cannot be forked, and nobody expects it.
        if self.warm is not None and not self.request.kernel.arguments:
            # It has no group here: signals go by way of the parent, which knows whether it is still there.
            self.process = await self.warm.fork(self.request, self.description)
            if self.process is not None:
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)


class Kernel:
    """A running kernel and the client that talks to it."""

    def __init__(
        self,
        manager: AsyncKernelManager,
        client: AsyncKernelClient,
        process: Any,
        place: Place,
    ) -> None:
        self.manager = manager
        self.client = client
        self._process: subprocess.Popen[bytes] | ForkedProcess = process
        self._place = place

    @classmethod
    async def start(cls, request: ExecutionRequest, place: Place, warm: WarmKernels | None = None) -> "Kernel":
        """Start a kernel in its place; OSError if that cannot be done."""
        prepare_folders(request, place)
        context = zmq.asyncio.Context()
        # The kernel's sockets appear while we knock.
        context.setsockopt(zmq.RECONNECT_IVL, 5)
        # A queue with a limit would drop messages of a flood, the one that says that a cell has ended among them.
        context.setsockopt(zmq.RCVHWM, 0)
        manager = _manager(request, place, context)
        description = _description(request, place)
        provisioner = _Provisioner(kernel_id="0", kernel_spec=manager.kernel_spec, parent=manager)
        provisioner.request, provisioner.description, provisioner.warm = request, description, warm
        manager.provisioner = provisioner
        file = _description_file(place)
        file.write_text(json.dumps(description), "ascii")
        try:
            with place.log.open("wb") as stream:
                await manager.start_kernel(
                    cwd=str(place.folder),
                    env=dict(description["variables"]),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                )
        except BaseException:
            await manager.cleanup_resources()
            context.destroy(linger=0)
            raise
        return cls(manager, manager.client(context=context), provisioner.process, place)

    async def ready(self, timeout: float) -> None:
        """Return when the kernel answers and its outputs arrive; RuntimeError if it does not."""
        self.client.start_channels(stdin=False, hb=False)
        # A cell that asks for input fails at once.
        self.client.allow_stdin = False
        deadline = time.monotonic() + timeout
        for _ in range(_MAX_ECHOES):
            asked = self.client.kernel_info()
            await self._answer(asked, deadline)
            if await self._echo(asked):
                return
        # A kernel that says nothing about such a question may still be a good one.

    async def _answer(self, asked: str, deadline: float) -> None:
        while True:
            with contextlib.suppress(Empty):
                answer = await self.client.get_shell_msg(timeout=0.2)
                if answer["parent_header"].get("msg_id") == asked:
                    self.client._handle_kernel_info_reply(answer)
                    return
            if self.exit_code is not None:
                raise RuntimeError("the kernel died before it answered")
            if time.monotonic() > deadline:
                raise RuntimeError("the kernel did not answer")

    async def _echo(self, asked: str) -> bool:
        """Wait for the outputs that belong to a question; return whether there were any."""
        with contextlib.suppress(Empty):
            while True:
                output = await self.client.get_iopub_msg(timeout=_ECHO)
                if output["parent_header"].get("msg_id") == asked:
                    return True
        return False

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit status of its process, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """The end of what the process wrote where no cell could catch it."""
        with self._place.log.open("rb") as file:
            file.seek(max(0, self._place.log.stat().st_size - _LAST_WORDS))
            return file.read().decode("utf-8", "replace").strip()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be done as it was asked for: no network, say."""
        try:
            return tuple(_notes_file(self._place).read_text("utf-8").splitlines())
        except FileNotFoundError:
            return ()

    async def stop(self, *, gently: bool) -> None:
        """End the process and all that it started; `gently` lets its own clean-up code run for a moment."""
        try:
            if gently and self.exit_code is None:
                self.client.shutdown()
                await self._gone(_GENTLE)
            if self.exit_code is None:
                await self._kill()
            else:
                self._end_remains()
        finally:
            self.client.stop_channels()
            await self.manager.cleanup_resources()
            self.manager.context.destroy(linger=0)

    async def _kill(self) -> None:
        if isinstance(self._process, ForkedProcess) or sys.platform == "win32":
            self._process.kill()
        else:
            kernel_process.end_tree(self._process.pid)
        await self._gone(_GONE)

    async def _gone(self, limit: float) -> None:
        deadline = time.monotonic() + limit
        while self.exit_code is None and time.monotonic() < deadline:
            await asyncio.sleep(_GLANCE)

    def _end_remains(self) -> None:
        """Kill what has survived a kernel that died: those of its session, and those with its variables."""
        if sys.platform == "win32":
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, _KILL)
        for pid in _processes_of(self._place):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, _KILL)


def _manager(request: ExecutionRequest, place: Place, context: zmq.asyncio.Context) -> AsyncKernelManager:
    # The script runs in the environment's Python; for the kernel of another language this one will do.
    python = sys.executable if request.kernel.arguments else str(request.kernel.python)
    specs = _OneSpec()
    specs.spec = KernelSpec(
        argv=[python, str(_PROCESS), str(_description_file(place))],
        display_name=request.framework,
        language=request.kernel.language,
    )
    folder = place.private
    return AsyncKernelManager(
        kernel_spec_manager=specs,
        connection_file=str(folder / "k.json"),
        transport="ipc" if _can_use_files(request, folder) else "tcp",
        context=context,
        log=LOG,
    )


def _can_use_files(request: ExecutionRequest, folder: Path) -> bool:
    """Whether the kernel's sockets can be files; kernels of other languages know only ports."""
    short = len(os.fsencode(folder)) <= _MAX_SOCKET_FOLDER
    return short and sys.platform != "win32" and not request.kernel.arguments


def _description(request: ExecutionRequest, place: Place) -> dict[str, Any]:
    """Return what `kernel_process.py` has to know."""
    connection_file = str(place.private / "k.json")
    stands_for = {"{connection_file}": connection_file, "{environment}": str(request.kernel.python.parent.parent)}
    command = list(request.kernel.arguments)
    for name, value in stands_for.items():
        command = [argument.replace(name, value) for argument in command]
    return {
        "connection_file": connection_file,
        "command": command or None,
        "folder": str(place.folder),
        "variables": kernel_variables(request, place, os.environ),
        "library": str(request.library),
        "log": str(place.log),
        "watch": str(place.access_log) if place.access_log.exists() else None,
        "network": not request.sandbox,
        "notes": str(_notes_file(place)),
        "parent": os.getpid(),
    }


def _description_file(place: Place) -> Path:
    return place.private / "kernel.json"


def _notes_file(place: Place) -> Path:
    return place.private / "notes"


def _processes_of(place: Place) -> list[int]:
    """Return the processes that were started with the variables of a kernel. Linux only: empty elsewhere."""
    mark = os.fsencode(place.private)
    found = []
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208  much faster
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in Path("/proc", name, "environ").read_bytes():
                    found.append(int(name))
    return found
