"""The folders of one run: a copy of the book's files for the notebook, and a private one for its kernel's own files.

Copies are real ones, since a notebook may write to them, shared by file systems that can share blocks. Their times of
access lie before anything else, so that the system notes whoever reads them: see `inputs`.
"""

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from d2lbuild.execution.request import ExecutionRequest

if sys.platform != "win32":
    import fcntl

__all__ = ["CopiedFile", "Place", "place_for"]

_PREFIX = "d2l"
_IN_USE = "used"
"""A file that is locked as long as the process lives that made the folders."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """What a file of the book was when it was copied."""

    source: Path
    size: int
    modified: int
    """In nanoseconds; the copy has this time too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens; gone when it ends."""

    private: Path
    """The kernel's connection file, sockets and settings. Its path is short, since paths of sockets must be."""
    book: Path
    """The copy of the book's files."""
    folder: Path
    """The kernel's working folder, in that copy."""
    home: Path
    """The kernel's HOME."""
    files: Mapping[str, CopiedFile] = field(default_factory=dict)
    """What has been copied, by its path below `book`."""

    @property
    def access_log(self) -> Path:
        """Where the kernel's process notes which files are opened: see `watch_hook`."""
        return self.private / "accessed"

    @property
    def log(self) -> Path:
        """What the process writes where no cell catches it."""
        return self.private / "log"


@contextmanager
def place_for(request: ExecutionRequest) -> Iterator[Place]:
    """Make the folders of a run, and remove them afterwards. Raises OSError, with the file, if they cannot be made."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as top, _in_use(Path(top)):
        private, book, home = (Path(top) / name for name in ("k", "book", "home"))
        for folder in (private, book / request.folder, home):
            folder.mkdir(parents=True, exist_ok=True)
        made: set[Path] = set()
        files: dict[str, CopiedFile] = {}
        for name, source in request.files.items():
            target = book / name
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            files[name] = _copy(source, target)
        for name, kept in request.kept.items():
            kept.mkdir(parents=True, exist_ok=True)
            (book / name).parent.mkdir(parents=True, exist_ok=True)
            (book / name).symlink_to(kept, target_is_directory=True)
        yield Place(private, book, book / request.folder, home, files)


def _copy(source: Path, target: Path) -> CopiedFile:
    """Copy a file, with its time of change; the time of access becomes that of no reader."""
    with source.open("rb", buffering=0) as old:
        status = os.fstat(old.fileno())
        try:
            with target.open("xb", buffering=0) as new:
                if not _copy_blocks(old.fileno(), new.fileno(), status.st_size):
                    old.seek(0)
                    new.seek(0)
                    new.truncate()
                    shutil.copyfileobj(old, new, 1 << 20)
        except OSError as error:
            # These calls know no names.
            raise OSError(error.errno, error.strerror, str(target)) from error
    if status.st_mode & 0o111:
        target.chmod(status.st_mode & 0o777 | 0o600)
    os.utime(target, ns=(0, status.st_mtime_ns))
    return CopiedFile(source, status.st_size, status.st_mtime_ns)


def _copy_blocks(old: int, new: int, size: int) -> bool:
    """Let the system copy, which may share the blocks; return False if it cannot for these two files."""
    if sys.platform != "linux":
        return False
    left = size
    try:
        while left > 0:
            copied = os.copy_file_range(old, new, left)
            if copied == 0:
                return False
            left -= copied
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        return False
    return True


@contextmanager
def _in_use(top: Path) -> Iterator[None]:
    """Hold a lock in a folder: the system lets go of it when the process ends, however that happens."""
    if sys.platform == "win32":
        yield
        return
    new = top / f"{_IN_USE}-new"
    with new.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It gets its name only now: who finds it unlocked may remove everything.
        new.rename(top / _IN_USE)
        yield


def _remove_abandoned(parent: Path) -> None:
    """Remove what runs have left of which the process was killed."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith(_PREFIX)]
    for top in found:
        # Without the file it is somebody else's folder, or one that is just being made.
        with contextlib.suppress(OSError), (top / _IN_USE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(top, ignore_errors=True)
