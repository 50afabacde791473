"""Notes which files a kernel opens, in the kernel itself.

Standard library alone: it is loaded from its file into the Python of any environment. The log begins with what the hook
is to look at (see `inputs.prepare`); then comes a line of JSON for each kind of access to a path, when it first
happens. The log is opened for each line: a kernel may be killed, and its children close what they like.
"""

# Modules open thousands of files, and strings are faster than paths.
# ruff: noqa: PTH100, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import sys
from types import FrameType
from typing import Any

__all__ = ["install"]

_WRITING = os.O_WRONLY | os.O_RDWR
_ANEW = os.O_TRUNC | os.O_EXCL
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)

_LISTED = ("os.listdir", "os.scandir")
_CHANGED = {
    "os.mkdir": ((0, 2, "write"),),
    "os.remove": ((0, 1, "delete"),),
    "os.rename": ((0, 2, "delete"), (1, 3, "write")),
    "os.rmdir": ((0, 1, "delete"),),
    "os.link": ((1, 3, "write"),),
    "os.symlink": ((1, 2, "write"),),
}
"""Events that change files: which arguments are paths, which the open folders that these start from, and the kind."""

_SEARCHERS = frozenset(
    {"_frozen_importlib_external", "importlib", "importlib_metadata", "pkg_resources", "pkgutil", "zipimport"}
)
"""Packages that list the folders of ``sys.path``, and so the working folder, whatever a cell does."""

_MAX_LINES = 50_000


def install(log: str) -> None:
    """Note from now on, in this process and those forked from it, which files are opened."""
    watch = _Watch(log)
    book, skipped = watch.book, watch.skipped
    listed, changed = _LISTED, _CHANGED
    opened, listing, change = watch.opened, watch.listed, watch.changed

    def hook(event: str, args: tuple[Any, ...]) -> None:
        try:
            if event == "open":
                path, _, flags = args
                usual = path.__class__ is str and not flags & _WRITING and path.startswith(skipped) and ".." not in path
                # The usual case: a module, a library, a font.
                if not usual or path.startswith(book):
                    opened(path, flags)
            elif event in listed:
                listing(args[0], sys._getframe(1))
            elif event in changed:
                change(event, args)
        except Exception:  # noqa: S110  whatever a cell opens, and however: watching must not disturb it
            pass

    sys.addaudithook(hook)


class _Watch:
    """Writes down what matters."""

    def __init__(self, log: str) -> None:
        with open(log, encoding="utf-8") as file:
            scope = json.loads(file.readline())
        own = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, os.path.dirname(os.__file__)}
        self.log = log
        self.book = tuple(os.path.join(folder, "") for folder in scope["book"])
        """The beginnings of paths that always matter."""
        self.skipped = tuple(os.path.join(folder, "") for folder in sorted(own | set(scope["skipped"])))
        """The beginnings of paths that do not matter otherwise."""
        self._seen: set[tuple[str, str]] = set()

    def opened(self, path: Any, flags: int) -> None:
        # A number stands for a file that is open already.
        if isinstance(path, int):
            return
        full = os.path.abspath(os.fsdecode(path))
        if full == self.log:
            return
        if not (flags & _WRITING and flags & _ANEW) and self._matters(full):
            self._note("read", full)
        if flags & _WRITING:
            self._note("write", full)

    def listed(self, path: Any, caller: FrameType) -> None:
        if isinstance(path, int) or str(caller.f_globals.get("__name__")).partition(".")[0] in _SEARCHERS:
            return
        full = os.path.abspath("." if path is None else os.fsdecode(path))
        if self._matters(os.path.join(full, "")):
            self._note("list", full)

    def changed(self, event: str, args: tuple[Any, ...]) -> None:
        for index, start, kind in _CHANGED[event]:
            if args[start] < 0:
                full = os.path.abspath(os.fsdecode(args[index]))
                # Folders are often made, and files removed, in case they are not there or are.
                if event == "os.rename" or os.path.lexists(full) == (kind == "delete"):
                    self._note(kind, full)

    def _matters(self, path: str) -> bool:
        return path.startswith(self.book) or not path.startswith(self.skipped)

    def _note(self, kind: str, path: str) -> None:
        if (kind, path) in self._seen or len(self._seen) > _MAX_LINES:
            return
        self._seen.add((kind, path))
        line = ["full", ""] if len(self._seen) > _MAX_LINES else [kind, path]
        file = os.open(self.log, _APPEND)
        try:
            os.write(file, (json.dumps(line) + "\n").encode("ascii"))
        finally:
            os.close(file)
