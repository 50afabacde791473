"""Writing files: whole or not at all, also on network disks, and only where something changes."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

__all__ = ["copy_if_changed", "write_atomically", "write_if_changed"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that readers see all of it or none; its folder is made if need be. Text becomes UTF-8."""
    # Several processes and threads, on several machines, may write the same file.
    temporary = path.with_name(f".{uuid4().hex}")
    try:
        try:
            descriptor = os.open(temporary, _NEW, 0o644)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(temporary, _NEW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_bytes(content))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_if_changed(path: Path, content: str | bytes) -> None:
    """Write a file unless it holds this already: what reads files by time or by content then does little."""
    if not path.is_file() or path.read_bytes() != _bytes(content):
        write_atomically(path, content)


def copy_if_changed(source: Path, target: Path) -> None:
    """Copy a file unless its copy has the same size and time."""
    if target.is_file():
        there, here = target.stat(), source.stat()
        if (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
