"""The process of a kernel, and the one that kernels are forked from; both run in the Python of an environment.

It is a script that needs the standard library alone, and no new syntax: `kernel_process.py run FILE` becomes the kernel
that the JSON in FILE describes, `kernel_process.py serve MODULE…` imports modules and forks kernels (see `warm.py`).
Both become kernels in the same way, so that notebooks cannot tell the difference.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Container, Dict, NoReturn  # noqa: UP035  Pythons of environments may be old

if sys.platform != "win32":
    import select
    import socket

__all__ = ["descendants", "end_tree"]

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_KILLED_FIRST = "500"
"""When memory runs out the system should end a kernel, and not the build: 1000 is the most."""

_GLANCE = 1.0
"""Seconds between looks at whether who started this process is still there."""

_LONG = 5.0
"""Seconds that killed processes may take to go."""

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
"""What a kernel is to be:

connection_file  Jupyter's, which exists
command          of a kernel that is not IPython's; null
folder           the working folder
variables        all environment variables
library          comes first on the path of modules; null
log              receives what is written where no cell catches it
watch            the log of accesses: see `watch_hook`; null
network          false for none
notes            a file for what could not be done, a line each
parent           the process that must live on
"""


def main() -> None:
    """Become a kernel; where there is a server, in each of the processes that it forks."""
    if sys.argv[1] == "serve":
        description = _serve(sys.argv[2:])
    else:
        with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123
            description = json.load(file)
    _become(description)
    # From here on every kernel has the same frames below it.
    _run(description)


# --- becoming a kernel ----------------------------------------------------------------------------------------------


def _become(description: Description) -> None:
    """Take on the surroundings of a kernel."""
    if sys.platform != "win32":
        if os.getsid(0) != os.getpid():
            os.setsid()
        _redirect(description["log"])
        _bind_to(description["parent"])
        if not description["network"]:
            problem = _leave_network()
            if problem:
                with open(description["notes"], "a", encoding="utf-8") as file:  # noqa: PTH123
                    file.write(f"the notebook has a network in spite of the sandbox: {problem}\n")
    os.environ.clear()
    os.environ.update(description["variables"])
    os.chdir(description["folder"])


def _redirect(log: str) -> None:
    """Write to the log from now on, and read nothing."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    end = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for old, new in ((nothing, 0), (end, 1), (end, 2)):
        os.dup2(old, new)
    os.close(nothing)
    os.close(end)


def _bind_to(parent: int) -> None:
    """End with the process that wants this one, and let no descendant get away."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None)
    libc.prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(_KILLED_FIRST)
    except OSError:
        pass


def _leave_network() -> str | None:
    """Move to a network of this process's own, with nothing but itself; return why that cannot be done."""
    if sys.platform != "linux":
        return "only Linux can take it away"
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    # Root may do it as it is; others become root in a space of users of their own.
    kinds = _CLONE_NEWNET if user == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    if libc.unshare(kinds) != 0:
        if user == 0 and libc.unshare(_CLONE_NEWNET | _CLONE_NEWUSER) == 0:
            kinds |= _CLONE_NEWUSER
        else:
            return f"this system does not allow it ({os.strerror(ctypes.get_errno())})"
    try:
        if kinds & _CLONE_NEWUSER:
            for name, line in (
                ("setgroups", "deny"),
                ("uid_map", f"{user} {user} 1"),
                ("gid_map", f"{group} {group} 1"),
            ):
                with open("/proc/self/" + name, "w", encoding="ascii") as file:  # noqa: PTH123
                    file.write(line)
        _raise_loopback()
    except OSError as error:
        return f"there is none, not even to itself ({error})"
    return None


def _raise_loopback() -> None:
    """Let processes of the kernel talk to each other."""
    import fcntl  # noqa: PLC0415
    import struct  # noqa: PLC0415

    set_flags, up_and_running = 0x8914, 0x1 | 0x40
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one.fileno(), set_flags, struct.pack("16sh14x", b"lo", up_and_running))


def _run(description: Description) -> NoReturn:
    """Run the kernel until it ends."""
    command = description["command"]
    if command:
        try:
            os.execvpe(command[0], command, description["variables"])  # noqa: S606
        except OSError as error:
            sys.exit(f"{command[0]} cannot be run: {error.strerror or error}")
    library = description["library"]
    if library:
        # `import` in a cell finds the generated package first, whatever lies in the working folder.
        sys.path[:] = [library] + [path for path in sys.path if path != library]
        sys.path_importer_cache.pop(library, None)
    import ipykernel.kernelapp  # noqa: PLC0415

    launcher = Path(ipykernel.__file__).parent.with_name("ipykernel_launcher.py")
    sys.argv[:] = [str(launcher), "-f", description["connection_file"]]
    # A kernel that the system ends with its parent need not look after it every second.
    parent = 1 if sys.platform == "linux" else description["parent"]
    app: Any = ipykernel.kernelapp.IPKernelApp.instance(parent_handle=parent)
    app.initialize([*sys.argv[1:], "--HistoryManager.hist_file=:memory:"])
    if description["watch"]:
        _load_watch_hook().install(description["watch"])
    status = 0
    try:
        app.start()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    # What it would close the system closes too, and it waits for threads that may wait for each other.
    atexit.unregister(app.close)
    _finish(status)


def _load_watch_hook() -> Any:
    """Load the module beside this file; its folder is not on the path of modules."""
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    spec = spec_from_file_location("d2lbuild_watch_hook", str(Path(__file__).with_name("watch_hook.py")))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _finish(status: int) -> NoReturn:
    """End with the clean-up that code has asked for, but without taking all modules apart: that is slow."""
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: S110  whatever it was, this is the end
        pass
    if sys.platform == "linux":
        _end_all(os.getpid())
    os._exit(status)


# --- ending processes -----------------------------------------------------------------------------------------------


def descendants(pid: int, spared: Container[int] = ()) -> list[int]:
    """Return the living processes that a process has started, directly or not, without the `spared` and theirs.

    Linux only: empty elsewhere.
    """
    children: dict[int, list[int]] = {}
    zombies = set()
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208  much faster
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(name))
            if fields[0] in (b"Z", b"X"):
                zombies.add(int(name))
    found = []
    waiting = [pid]
    while waiting:
        mine = [one for one in children.get(waiting.pop(), []) if one not in spared]
        found += mine
        waiting += mine
    return [one for one in found if one not in zombies]


def end_tree(pid: int) -> None:
    """Kill a kernel that has not been waited for, with its group and all descendants.

    It is stopped first: as a subreaper it keeps all that it has started, and it can start nothing new.
    """
    _signal(pid, signal.SIGSTOP)
    _end_all(pid)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    """Signal a kernel and its group; it may not have one yet, or not be there any more."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _end_all(pid: int, spared: Container[int] = ()) -> None:
    """Kill the descendants of a process that is a subreaper, and wait until they are gone."""
    import time  # noqa: PLC0415

    deadline = time.monotonic() + _LONG
    while time.monotonic() < deadline:
        victims = descendants(pid, spared)
        if not victims:
            return
        for one in victims:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        time.sleep(0.002)


# --- forking kernels ------------------------------------------------------------------------------------------------


def _serve(modules: list[str]) -> Description:
    """Import modules, and fork a kernel for each that is asked for. Returns in those kernels, and nowhere else.

    Standard input is a socket. Each byte on it brings another socket, for one kernel: on that come a line with its
    description and lines with wishes; on it go a line with its process and a line with its exit status. When the socket
    is closed at the other end, the kernel is ended; when standard input is, everything.
    """
    server = _Server()
    problem = _preload(modules)
    server.say(server.control, {"problem": problem})
    if problem:
        sys.exit(1)
    return server.forked()


def _preload(modules: list[str]) -> str:
    """Import what every kernel needs; return why kernels should not be forked from this process."""
    import gc  # noqa: PLC0415
    import importlib  # noqa: PLC0415

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
        if sys.platform == "linux":
            import ctypes  # noqa: PLC0415

            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
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
        import array  # noqa: PLC0415

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
        import warnings  # noqa: PLC0415

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
            end_tree(pid)
            return
        *lines, self.received[pid] = (self.received[pid] + data).split(b"\n")
        for line in lines:
            number = json.loads(line.decode("ascii"))["signal"]
            if number == signal.SIGKILL:
                end_tree(pid)
            else:
                _signal(pid, number)

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
        _end_all(os.getpid(), self.kernels)

    def say(self, link: socket.socket, what: Description) -> None:
        """Send a line, if there is still somebody who wants it."""
        with contextlib.suppress(OSError):
            link.sendall(json.dumps(what).encode("ascii") + b"\n")

    def end(self) -> NoReturn:
        """End all kernels, and this process."""
        for pid in self.kernels:
            end_tree(pid)
        os._exit(0)


def _awake(number: int, frame: Any) -> None:
    """Do nothing: that there is a handler makes the system write to the pipe."""


if __name__ == "__main__":
    # Modules of the environment must not be hidden by those that lie beside this file.
    if sys.path and os.path.realpath(sys.path[0]) == str(Path(__file__).resolve().parent):
        del sys.path[0]
    main()
