"""Which files of a book count, and which of them have changed: names, sizes and times, whatever a watcher says.

What builds write, hidden files, and what editors leave beside a file while they save it, never count.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from d2lbuild.config import config_files
from d2lbuild.rendering.sources.book_files import files_of_book

__all__ = ["changed_files", "files_now", "is_source_name"]

Facts = tuple[int, int, int, int]

_HIDDEN = (".", "#", "~")
_OF_EDITORS = ("~", ".swp", ".swx", ".tmp", ".bak", ".orig", ".pyc", ".crdownload", ".part", "___jb_tmp___", "4913")
"""Ends of the names of what editors write beside a file, and take away again."""


def is_source_name(name: str) -> bool:
    """Whether a file or folder of this name may belong to a book."""
    return bool(name) and not name.startswith(_HIDDEN) and not name.endswith(_OF_EDITORS) and name != "__pycache__"


def files_now(root: Path, output: Path) -> dict[str, Facts]:
    """Return all files of a book with what tells that each is as it was."""
    found: dict[str, Facts] = {}
    for name in (*files_of_book(root, output), *map(str, config_files(root))):
        if name in found or not is_source_name(os.path.basename(name)):  # noqa: PTH119 - of hundreds of files
            continue
        try:
            status = os.stat(name)  # noqa: PTH116 - of hundreds of files
        except OSError:
            continue
        if not _is_folder(status):
            found[name] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return found


def _is_folder(status: os.stat_result) -> bool:
    return status.st_mode & 0o170000 == 0o040000


def changed_files(before: Mapping[str, Facts], now: Mapping[str, Facts]) -> list[str]:
    """Return the files that are new, gone, or not as they were."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
