"""An editing session: the program that shows the notebook, and a look at both files twice a second."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from d2lbuild.editing.sync import EditedSection, Synced
from d2lbuild.errors import D2lbuildError, UsageError

__all__ = ["PROGRAMS", "found_program", "keep_in_step", "start"]

PROGRAMS = ("lab", "vscode", "none")
"""What can show a notebook; with ``none`` the author opens it."""
_GLANCE = 0.5
"""Seconds between looks at the files."""


def found_program(path: str | None = None) -> str:
    """Return what this machine can show a notebook in."""
    if shutil.which("jupyter-lab", path=path):
        return "lab"
    return "vscode" if shutil.which("code", path=path) else "none"


def start(program: str, notebook: Path, folder: Path, jupyter: Path) -> subprocess.Popen[bytes] | None:
    """Open a notebook; `jupyter` is a folder of kernels for that program alone. UsageError if it is not installed."""
    if program == "none":
        return None
    name = "jupyter-lab" if program == "lab" else "code"
    command = shutil.which(name)
    if command is None:
        hint = "`pip install jupyterlab`" if program == "lab" else "install Visual Studio Code, and its command `code`"
        raise UsageError(f"`{name}` is not on the PATH", hint=f"{hint}, or add --with none")
    if program == "vscode":
        return subprocess.Popen([command, str(notebook)])
    arguments = [command, f"--ServerApp.root_dir={folder}", str(notebook)]
    return subprocess.Popen(arguments, env=_with_kernels(os.environ, jupyter))


def _with_kernels(environ: Mapping[str, str], jupyter: Path) -> dict[str, str]:
    places = [str(jupyter), *filter(None, [environ.get("JUPYTER_PATH")])]
    return {**environ, "JUPYTER_PATH": os.pathsep.join(places)}


def keep_in_step(
    edited: EditedSection,
    on_sync: Callable[[Synced], None],
    on_error: Callable[[D2lbuildError], None],
    ended: Callable[[], bool],
) -> None:
    """Sync whenever one of the two files has changed, until the session has `ended`; what is wrong is told, once."""
    seen: object = None
    while True:
        last = ended()
        now = _state(edited)
        if now != seen:
            seen = now
            try:
                on_sync(edited.sync())
            except D2lbuildError as error:
                on_error(error)
        if last:
            return
        time.sleep(_GLANCE)


def _state(edited: EditedSection) -> tuple[tuple[int, int] | None, ...]:
    return tuple(_times(path) for path in (edited.notebook, edited.source))


def _times(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
