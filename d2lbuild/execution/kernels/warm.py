"""Warm kernels: processes that have imported a framework once, and from which a kernel is forked for each notebook.

There is one for each interpreter, list of modules and set of environment variables; it is started when it is first
wanted. What it does is in `kernel_server.py`. Where forking does not work, kernels are started afresh: `fallbacks`
says why.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from d2lbuild.execution.kernels.variables import kernel_variables, prepare_folders
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place, place_for

__all__ = ["ForkedProcess", "WarmKernels"]

_SERVER = Path(__file__).with_name("kernel_server.py")
"""The script that the processes run."""

_ANSWER = 60.0
"""Seconds that a fork may take: a busy machine is slow, but a process that hangs must not hold up the book."""

_STARTS = 2
"""How often a process is started that dies."""

_LATE = frozenset({"CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_MEM_FRACTION"})
"""Variables that are read when a GPU is first used, so that kernels of one parent may have their own."""

_ANYWHERE = Path("/-")
"""Stands for the folders of a run where runs are compared."""


class _LostError(Exception):
    """The parent is not there any more."""


class _UnfitError(Exception):
    """Kernels should not be forked from the parent; its words say why."""


class ForkedProcess:
    """A forked kernel's process, as `subprocess.Popen` would show it: only its parent can wait for it."""

    stdin = stdout = stderr = None

    def __init__(self, link: socket.socket, pid: int, received: bytes) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._link = link
        self._received = received

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        while self.returncode is None:
            line, found, rest = self._received.partition(b"\n")
            if found:
                self._received = rest
                self.returncode = json.loads(line)["status"]
                self._link.close()
                break
            try:
                data = self._link.recv(4096)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                # The parent is dead; the system kills its kernels then.
                self.returncode = -signal.SIGKILL
                self._link.close()
            self._received += data
        return self.returncode

    def wait(self) -> int | None:
        """Return the exit status of a process that has ended."""
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Signal the process and its group; SIGKILL ends all that it has started, too."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                self._link.send(json.dumps({"signal": int(number)}).encode("ascii") + b"\n")

    def kill(self) -> None:
        """End it, with all that it has started."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class _Parent:
    """A process that kernels are forked from."""

    def __init__(self, request: ExecutionRequest) -> None:
        self._stack = ExitStack()
        bare = replace(request, files={}, kept={}, folder=PurePosixPath("."))
        self._place = self._stack.enter_context(place_for(bare))
        self._lock = threading.Lock()
        self.ready: Future[None] = Future()
        """Done when kernels can be forked; holds _LostError or _UnfitError if they cannot."""
        try:
            prepare_folders(request, self._place)
            self._control, theirs = socket.socketpair()
            self._stack.callback(self._control.close)
            with theirs, self._place.log.open("wb") as log:
                self._process = subprocess.Popen(
                    [str(request.kernel.python), str(_SERVER), *request.kernel.preload],
                    stdin=theirs.fileno(),
                    stdout=log,
                    stderr=log,
                    cwd=self._place.home,
                    env=_parent_variables(request, self._place),
                    start_new_session=True,
                )
        except BaseException:
            self._stack.close()
            raise
        threading.Thread(target=self._await, args=(request.startup_timeout,), daemon=True).start()

    def _await(self, limit: float) -> None:
        """Wait until it has imported everything."""
        try:
            self._control.settimeout(limit)
            with self._control.makefile("rb") as lines:
                line = lines.readline()
        except TimeoutError:
            self.ready.set_exception(_UnfitError(f"their modules were not imported within {limit:g} s"))
            return
        except OSError:
            line = b""
        if not line:
            self.ready.set_exception(_LostError(self._last_words))
            return
        problem = json.loads(line)["problem"]
        if problem:
            self.ready.set_exception(_UnfitError(problem))
        else:
            self.ready.set_result(None)

    @property
    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._place.log.read_text("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    async def fork(self, description: Mapping[str, Any]) -> ForkedProcess:
        """Fork a kernel. Raises _LostError and _UnfitError."""
        await asyncio.shield(asyncio.wrap_future(self.ready))
        loop = asyncio.get_running_loop()
        link, theirs = socket.socketpair()
        try:
            link.setblocking(False)
            with theirs, self._lock:
                socket.send_fds(self._control, [b"k"], [theirs.fileno()])
            await loop.sock_sendall(link, json.dumps(description).encode("ascii") + b"\n")
            received = b""
            while b"\n" not in received:
                data = await asyncio.wait_for(loop.sock_recv(link, 4096), _ANSWER)
                if not data:
                    raise _LostError(self._last_words)
                received += data
        except TimeoutError as error:
            link.close()
            raise _UnfitError(f"no kernel came within {_ANSWER:g} s") from error
        except OSError as error:
            link.close()
            raise _LostError(self._last_words) from error
        except BaseException:
            link.close()
            raise
        line, _, rest = received.partition(b"\n")
        answer = json.loads(line)
        if "pid" not in answer:
            link.close()
            raise _UnfitError(answer["problem"])
        return ForkedProcess(link, answer["pid"], rest)

    def close(self) -> None:
        """End it and its kernels."""
        with contextlib.suppress(OSError):
            # Also wakes the thread that waits for it.
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(timeout=1.0 if self.ready.done() else 0.0)
        except subprocess.TimeoutExpired:
            # It is busy importing, or hangs; what it has forked goes with it.
            self._process.kill()
            self._process.wait()
        self._stack.close()


class WarmKernels:
    """The processes from which kernels of one build are forked. Threads may share it."""

    def __init__(self) -> None:
        self.fallbacks: list[str] = []
        """Sentences that say why kernels could not be forked."""
        self._lock = threading.Lock()
        self._parents: dict[object, _Parent] = {}
        self._starts: dict[object, int] = {}
        self._given_up: set[object] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            parents = list(self._parents.values())
            self._parents.clear()
        for parent in parents:
            parent.close()

    async def fork(self, request: ExecutionRequest, description: Mapping[str, Any]) -> ForkedProcess | None:
        """Fork a kernel; None if that cannot be done, which `fallbacks` then explains."""
        if sys.platform != "linux":
            self._give_up(None, "kernels are forked on Linux only; here each is started afresh")
            return None
        identity = _identity(request)
        while True:
            parent: _Parent | None = None
            try:
                parent = self._parent(identity, request)
                return await parent.fork(description) if parent else None
            except _LostError as error:
                self._drop(identity, parent)
                if self._starts[identity] >= _STARTS:
                    words = f": {error}" if str(error) else ""
                    self._give_up(identity, _sentence(request, f"the process that they are forked from died{words}"))
                    return None
            except (OSError, _UnfitError) as error:
                self._drop(identity, parent)
                self._give_up(identity, _sentence(request, str(error)))
                return None

    def _parent(self, identity: object, request: ExecutionRequest) -> _Parent | None:
        with self._lock:
            if self._closed or identity in self._given_up:
                return None
            if identity not in self._parents:
                self._starts[identity] = self._starts.get(identity, 0) + 1
                self._parents[identity] = _Parent(request)
            return self._parents[identity]

    def _drop(self, identity: object, parent: _Parent | None) -> None:
        """Forget a parent, unless another thread has done so and started a new one."""
        with self._lock:
            mine = parent is not None and self._parents.get(identity) is parent
            if mine:
                del self._parents[identity]
        if mine and parent is not None:
            parent.close()

    def _give_up(self, identity: object, why: str) -> None:
        with self._lock:
            if identity not in self._given_up and not self._closed:
                self._given_up.add(identity)
                self.fallbacks.append(why)


def _sentence(request: ExecutionRequest, reason: str) -> str:
    return f"kernels of {request.framework} are started afresh, not forked: {reason}"


def _identity(request: ExecutionRequest) -> object:
    """Return what requests must share to share a parent."""
    variables = _parent_variables(request, Place(_ANYWHERE, _ANYWHERE, _ANYWHERE, _ANYWHERE))
    return request.kernel.python, request.kernel.preload, tuple(sorted(variables.items()))


def _parent_variables(request: ExecutionRequest, place: Place) -> dict[str, str]:
    variables = kernel_variables(request, place, os.environ)
    if request.gpus:
        # All are to be seen: only then does a GPU that is opened too early show.
        for name in _LATE:
            variables.pop(name, None)
    if variables["PYTHONPATH"] == str(request.library):
        # The generated library is another one for each book, and is never imported here.
        del variables["PYTHONPATH"]
    return variables
