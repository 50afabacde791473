"""The process of a kernel; it runs in the Python of a framework's environment.

It is a script that needs the standard library alone, and no new syntax: `kernel_process.py FILE` becomes the kernel
that the JSON in FILE describes. Forked processes (`kernel_server.py`) become kernels in the same way, so that notebooks
cannot tell the difference.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Container, Dict, NoReturn  # noqa: UP035  Pythons of environments may be old

if sys.platform != "win32":
    import socket

__all__ = ["become", "descendants", "end_all", "end_tree", "keep_orphans", "leave_network", "signal_all"]

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_KILLED_FIRST = "500"
"""When memory runs out the system should end a kernel, and not the build: 1000 is the most."""

_LONG = 5.0
"""Seconds that killed processes may take to go."""

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


# --- becoming a kernel ----------------------------------------------------------------------------------------------


def become(description: Description) -> NoReturn:
    """Take on the surroundings of a kernel, and run it until it ends."""
    if sys.platform != "win32":
        if os.getsid(0) != os.getpid():
            os.setsid()
        _redirect(description["log"])
        if not description["network"]:
            problem = leave_network()
            if problem:
                with open(description["notes"], "a", encoding="utf-8") as file:  # noqa: PTH123
                    file.write(f"the notebook has a network in spite of the sandbox: {problem}\n")
        # Last: a change of what the process may do makes the system forget it.
        _bind_to(description["parent"])
    os.environ.clear()
    os.environ.update(description["variables"])
    os.chdir(description["folder"])
    # From here on every kernel has the same frames below it.
    _run(description)


def _redirect(log: str) -> None:
    """Write to the log from now on, and read nothing."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    end = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for old, new in ((nothing, 0), (end, 1), (end, 2)):
        os.dup2(old, new)
    os.close(nothing)
    os.close(end)


def _bind_to(parent: int) -> None:
    """End with the process that wants this one."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None)
    libc.prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    keep_orphans()
    if os.getppid() != parent:
        os._exit(1)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(_KILLED_FIRST)
    except OSError:
        pass


def keep_orphans() -> None:
    """Let no descendant get away: those of children that have ended become children of this process. Linux only."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def leave_network() -> str | None:
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
        end_all(os.getpid())
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
    signal_all(pid, signal.SIGSTOP)
    end_all(pid)
    signal_all(pid, signal.SIGKILL)


def signal_all(pid: int, number: int) -> None:
    """Signal a kernel and its group; it may not have one yet, or not be there any more."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def end_all(pid: int, spared: Container[int] = ()) -> None:
    """Kill the descendants of a process that is a subreaper, and wait until they are gone."""
    deadline = time.monotonic() + _LONG
    while time.monotonic() < deadline:
        victims = descendants(pid, spared)
        if not victims:
            return
        for one in victims:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        time.sleep(0.002)


if __name__ == "__main__":
    # Modules of the environment must not be hidden by those that lie beside this file.
    if sys.path and os.path.realpath(sys.path[0]) == str(Path(__file__).resolve().parent):
        del sys.path[0]
    become(json.loads(Path(sys.argv[1]).read_text("utf-8")))
