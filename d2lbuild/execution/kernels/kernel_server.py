"""The process that kernels are forked from; it runs in the Python of a framework's environment.

It is a script that needs the standard library alone, and no new syntax: `kernel_server.py MODULE…` imports modules, and
then forks a kernel for each that is asked for (see `warm.py`, which asks).
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, Dict, NoReturn  # noqa: UP035  Pythons of environments may be old

__all__: list[str] = []

_GLANCE = 1.0
"""Seconds between looks at whether who started this process is still there."""

_LONG = 5.0
"""Seconds that the line which describes a kernel may take."""

_OF_KERNELS = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "psutil",
    "sqlite3",
    "tornado.platform.asyncio",
)
"""What each kernel of IPython imports, most of it before it can run a cell."""

Description = Dict[str, Any]  # noqa: UP006
"""See `kernel_process`."""


def _beside(name: str) -> Any:
    """Load a module that lies beside this file; their folder is not on the path of modules."""
    spec = importlib.util.spec_from_file_location("d2lbuild_" + name, str(Path(__file__).with_name(name + ".py")))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kernel_process = _beside("kernel_process")


def _serve(modules: list[str]) -> Description:
    """Import modules, and fork a kernel for each that is asked for. Returns in those kernels, and nowhere else.

    Standard input is a socket. Each byte on it brings another socket, for one kernel: on that come a line with its
    description and lines with wishes; on it go a line with its process and a line with its exit status. When the socket
    is closed at the other end, the kernel is ended; when standard input is, everything.
    """
    before = dict(os.environ)
    server = _Server()
    problem = _preload(modules)
    # Modules set variables when they are imported: TensorFlow does.
    server.set_by_modules = {name: value for name, value in os.environ.items() if before.get(name) != value}
    server.say(server.control, {"problem": problem})
    if problem:
        sys.exit(1)
    return server.forked()


def _preload(modules: list[str]) -> str:
    """Import what every kernel needs; return why kernels should not be forked from this process."""
    for name in _OF_KERNELS:
        # Versions of IPython differ; what is missed is imported by each kernel.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    before = os.fstat(2).st_size
    for name in modules:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not (name + ".").startswith(error.name + "."):
                return f"import of {name} failed: {error}"
        except BaseException as error:  # modules may raise anything, even SystemExit
            return f"import of {name} failed: {type(error).__name__}: {error}"
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fstat(2).st_size > before:
            # A notebook that imports it shows that text, and in a forked kernel it would not.
            return f"{name} prints when it is imported"
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(number).startswith("/dev/nvidia"):  # noqa: PTH115  Path has it from Python 3.9 on
                return f"importing {', '.join(modules)} opens the GPU"
    for name in list(sys.modules):
        # When it is imported it joins Matplotlib to the kernel, of which there is none yet.
        if name.partition(".")[0] == "matplotlib_inline":
            del sys.modules[name]
    gc.collect()
    # Else the collector would touch, and so copy, every page of every kernel.
    gc.freeze()
    return ""


class _Server:
    """The parent of kernels: one thread, one loop."""

    def __init__(self) -> None:
        self.started_by = os.getppid()
        self.control = socket.socket(fileno=os.dup(0))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self.kernels: dict[int, socket.socket] = {}
        """The socket of each living kernel, by its process."""
        self.received: dict[int, bytes] = {}
        """What has come of a line that is not whole, by the kernel's process."""
        self.set_by_modules: dict[str, str] = {}
        kernel_process.keep_orphans()
        self.wake, self.woken = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self.woken, False)

    def forked(self) -> Description:
        """Serve; return in a kernel."""
        signal.set_wakeup_fd(self.woken)
        signal.signal(signal.SIGCHLD, _awake)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            waiting: list[Any] = [self.control, self.wake, *self.kernels.values()]
            ready = select.select(waiting, [], [], _GLANCE)[0]
            if os.getppid() != self.started_by:
                self.end()
            if self.wake in ready:
                os.read(self.wake, 4096)
            self.bury()
            for pid, link in list(self.kernels.items()):
                if link in ready:
                    self.listen(pid, link)
            if self.control in ready:
                description = self.accept()
                if description is not None:
                    return description

    def accept(self) -> Description | None:
        """Take a wish for a kernel; return what it is to be in that kernel, and None in this process."""
        numbers = array.array("i", [-1])
        try:
            data, extra, _, _ = self.control.recvmsg(1, socket.CMSG_LEN(numbers.itemsize))
        except OSError:
            data, extra = b"", []
        if not data:
            self.end()
        for level, kind, payload in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i", payload[: numbers.itemsize])
        link = socket.socket(fileno=numbers[0])
        link.set_inheritable(False)
        link.settimeout(_LONG)
        received = b""
        try:
            while not received.endswith(b"\n"):
                part = link.recv(1 << 16)
                if not part:
                    raise OSError("closed")
                received += part
        except OSError:
            link.close()
            return None
        return self.fork(link, json.loads(received.decode("utf-8")))

    def fork(self, link: socket.socket, description: Description) -> Description | None:
        """Fork; return the description in the new process, and None in this one."""
        me = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            with warnings.catch_warnings():
                # That libraries have threads is known: their operations have not begun.
                warnings.simplefilter("ignore")
                pid = os.fork()
        except OSError as error:
            self.say(link, {"problem": f"fork failed: {error.strerror or error}"})
            link.close()
            return None
        if pid == 0:
            self.forget(link)
            description["parent"] = me
            description["variables"].update(self.set_by_modules)
            return description
        self.kernels[pid] = link
        self.received[pid] = b""
        self.say(link, {"pid": pid})
        return None

    def forget(self, link: socket.socket) -> None:
        """In a kernel: give up all that belongs to this server, and look newly started."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for one in (self.control, link, *self.kernels.values()):
            one.close()
        os.close(self.wake)
        os.close(self.woken)
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            # Python seeds its own generator anew by itself.
            numpy.random.seed()
        tempfile = sys.modules.get("tempfile")
        if tempfile is not None:
            tempfile.tempdir = None  # type: ignore[attr-defined]

    def listen(self, pid: int, link: socket.socket) -> None:
        """Do what is wished about a kernel."""
        try:
            data = link.recv(4096)
        except OSError:
            data = b""
        if not data:
            kernel_process.end_tree(pid)
            return
        *lines, self.received[pid] = (self.received[pid] + data).split(b"\n")
        for line in lines:
            number = json.loads(line.decode("ascii"))["signal"]
            if number == signal.SIGKILL:
                kernel_process.end_tree(pid)
            else:
                kernel_process.signal_all(pid, number)

    def bury(self) -> None:
        """Tell how kernels have ended, after ending what they have left behind."""
        ended = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self.kernels:
                ended.append((pid, -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)))
        for pid, code in ended:
            self.end_orphans(pid)
            link = self.kernels.pop(pid)
            del self.received[pid]
            self.say(link, {"status": code})
            link.close()

    def end_orphans(self, dead: int) -> None:
        """Kill what a kernel that is dead has started: it is in its group, or has become this process's child."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(dead, signal.SIGKILL)
        kernel_process.end_all(os.getpid(), self.kernels)

    def say(self, link: socket.socket, what: Description) -> None:
        """Send a line, if there is still somebody who wants it."""
        with contextlib.suppress(OSError):
            link.sendall(json.dumps(what).encode("ascii") + b"\n")

    def end(self) -> NoReturn:
        """End all kernels, and this process."""
        for pid in self.kernels:
            kernel_process.end_tree(pid)
        os._exit(0)


def _awake(number: int, frame: Any) -> None:
    """Do nothing: that there is a handler makes the system write to the pipe."""


if __name__ == "__main__":
    # Modules of the environment must not be hidden by those that lie beside this file.
    if sys.path and os.path.realpath(sys.path[0]) == str(Path(__file__).resolve().parent):
        del sys.path[0]
    kernel_process.become(_serve(sys.argv[1:]))
