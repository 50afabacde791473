"""The folders of one run: a copy of the book's files for the notebook, and a private one for its kernel's own files."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.execution.request import ExecutionRequest

__all__ = ["Place", "place_for"]


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
    """Make the folders of a run, and remove them afterwards. Raises OSError if they cannot be made."""
    with tempfile.TemporaryDirectory(prefix="d2l", ignore_cleanup_errors=True) as top:
        private, book, home = (Path(top) / name for name in ("k", "book", "home"))
        for folder in (private, book / request.folder, home):
            folder.mkdir(parents=True, exist_ok=True)
        for name, source in request.files.items():
            target = book / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        for name, kept in request.kept.items():
            kept.mkdir(parents=True, exist_ok=True)
            (book / name).parent.mkdir(parents=True, exist_ok=True)
            (book / name).symlink_to(kept, target_is_directory=True)
        yield Place(private, book, book / request.folder, home)
