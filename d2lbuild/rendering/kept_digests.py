"""Digests of files that are as they were when they were last read: a build asks for hundreds, and reads the others.

A file counts as the same if its size, its number and both its times are. Where it was changed within the last seconds
before it was read, another change might have the same times; such a file is read again by the next build.
"""

import hashlib
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from d2lbuild.files import write_atomically

__all__ = ["digest_of_file", "kept_digests"]

_SETTLED = 3_000_000_000
"""Nanoseconds; file systems note times in steps of up to two seconds."""

Facts = tuple[int, int, int, int]
_known: dict[str, tuple[Facts, str]] = {}
_asked: dict[str, tuple[Facts, str]] = {}


def digest_of_file(path: Path) -> str:
    """Return a digest of a file's content; empty if there is no such file."""
    name = str(path)
    try:
        status = os.stat(name)  # noqa: PTH116 - of hundreds of files
        facts = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        known = _known.get(name)
        if known is None or known[0] != facts:
            begun = time.time_ns()
            known = (facts, hashlib.sha256(path.read_bytes()).hexdigest())
            if begun - max(facts[:2]) < _SETTLED:
                return known[1]
            _known[name] = known
    except OSError:
        return ""
    _asked[name] = known
    return known[1]


@contextmanager
def kept_digests(file: Path) -> Iterator[None]:
    """Know inside of this what an earlier build has left in a file; leave there what the next one may know."""
    before: object
    try:
        before = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    except Exception:  # not there, or damaged
        before = None
    _asked.clear()
    _known.clear()
    if isinstance(before, dict):
        _known.update(before)
    yield
    if _asked != before:
        write_atomically(file, pickle.dumps(_asked))
