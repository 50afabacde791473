"""Files that are written only when they change, so that what reads them by time or by content does little."""

import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["copy_if_changed", "write_if_changed"]


def write_if_changed(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; leave one alone that holds these bytes."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)


def copy_if_changed(source: Path, target: Path) -> None:
    """Copy a file unless its copy has the same size and time."""
    if target.is_file():
        there, here = target.stat(), source.stat()
        if (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
