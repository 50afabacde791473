"""What a link or an image of a chapter names: a section, a place in it, a file of the book, or something elsewhere.

The check, the pages and the notebooks ask the same function, so that a link means the same to all of them.
"""

import os
import posixpath
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from d2lbuild.model import Section

__all__ = [
    "SUFFIXES",
    "Link",
    "anchor_key",
    "find_link",
    "is_file",
    "is_inside",
    "is_remote",
    "resolve_path",
    "unique_key",
]

SUFFIXES = (".md", ".ipynb")
"""The kinds of source files, in the order in which they are looked for."""
_OF_PAGES = (*SUFFIXES, ".html", "")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a relative link leads."""

    section: str = ""
    """The id of the section; empty if it leads to none."""
    fragment: str = ""
    """The place in the section: what stands behind ``#``."""
    file: Path | None = None
    """The file of the book, there or not, if it leads to no section; None if it would lie outside of the book."""


def find_link(target: str, section: Section, sections: Container[str], root: Path) -> Link:
    """Return where `target`, which is not remote, leads from `section`.

    A section may be named by its source or by its page, ``page.md``, ``page.ipynb`` or ``page.html``, a chapter by its
    folder. What begins with ``/`` is seen from the folder of the root section, a file from the book's.
    """
    path, _, fragment = target.partition("#")
    path, fragment = unquote(path.partition("?")[0]), unquote(fragment)
    if not path:
        return Link(section.id, fragment)
    base = PurePosixPath(section.id).parent
    name = posixpath.normpath(path.lstrip("/") if path.startswith("/") else str(base / path))
    for suffix in _OF_PAGES:
        for page in (name.removesuffix(suffix), posixpath.normpath(f"{name}/index")):
            if name.endswith(suffix) and page in sections:
                return Link(page, fragment)
    return Link(file=resolve_path(root, section.path, path))


def is_remote(target: str) -> bool:
    """Whether an address names something outside of the book's files."""
    if ":" not in target and not target.startswith("//"):
        return False
    try:
        return bool(urlsplit(target).scheme) or target.startswith("//")
    except ValueError:  # no address at all, such as `http://[`
        return False


def is_file(file: Path) -> bool:
    """Whether a file is there; names that no file can have are not."""
    return os.path.isfile(file)  # noqa: PTH113 - `Path.is_file` raises for names that are too long


def resolve_path(root: Path, section: PurePosixPath, target: str) -> Path | None:
    """Return the file that `target` names, seen from `section`; None if it lies outside of `root`.

    A target that begins with ``/`` is relative to the root. Symbolic links that lead out of the book count as outside.
    """
    path = unquote(target)
    start = "" if path.startswith("/") else section.parent
    file = Path(os.path.normpath(f"{root}/{start}/{path.lstrip('/')}"))
    return file if is_inside(file, root) else None


def is_inside(file: Path, root: Path) -> bool:
    """Whether a file lies below a folder, symbolic links followed."""
    if _is_plainly_inside(str(file), str(root)):
        return True
    try:
        real, top = os.path.realpath(file), _real(root)
    except ValueError:  # a NUL character: there can be no such file
        return False
    return real == top or real.startswith(os.path.join(top, ""))  # noqa: PTH118 - Path takes several times as long


def _is_plainly_inside(file: str, root: str) -> bool:
    """Whether a path goes on from that of a folder, without links: most do, and links take long to follow."""
    if not file.startswith(root + os.sep):
        return False
    place, parts = root, file[len(root) + 1 :].split(os.sep)  # noqa: PTH206 - of thousands of paths
    if ".." in parts or "\0" in file:
        return False
    for part in parts:
        place = f"{place}{os.sep}{part}"
        if os.path.islink(place):  # noqa: PTH114 - of thousands of paths
            return False
    return True


@cache
def _real(root: Path) -> str:
    return os.path.realpath(root)


def anchor_key(text: str) -> str:
    """Return what all spellings of a place have in common: its letters and digits.

    Sites make different fragments of one title: ``what-s-new``, ``whats-new``, ``What%27s-new``.
    """
    return "".join(character for character in text.casefold() if character.isalnum())


def unique_key(text: str, taken: Iterable[str]) -> str:
    """Return the key of a title, numbered as in fragments if an earlier title of the page has the same."""
    key, number = anchor_key(text), 0
    known = set(taken)
    while f"{key}{number or ''}" in known:
        number += 1
    return f"{key}{number or ''}"
