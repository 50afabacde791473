"""What has changed in a book since a revision of its Git repository: which files, and the book as it was then."""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from d2lbuild.config import Config, load_config
from d2lbuild.errors import SetupError, UsageError

__all__ = ["book_at", "changed_files", "revision_of"]


def revision_of(root: Path) -> str:
    """Return the commit that a book is at, with a mark if its files differ from it; empty outside of a repository."""
    try:
        commit = _commit(root, "HEAD")
        return f"{commit}-changed" if changed_files(root, commit) else commit
    except (SetupError, UsageError):
        return ""


def changed_files(root: Path, revision: str) -> frozenset[PurePosixPath]:
    """Return the files below `root` that differ from those of a revision, are new, or are gone; relative to `root`.

    Raises UsageError if that is no revision, or no repository, SetupError without Git.
    """
    commit = _commit(root, revision)
    differing = _git(root, "diff", "--name-only", "-z", "--no-renames", "--relative", commit, "--", ".")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    return frozenset(
        PurePosixPath(name.decode(errors="surrogateescape")) for name in (differing + new).split(b"\0") if name
    )


@contextmanager
def book_at(config: Config, revision: str) -> Iterator[Config | None]:
    """Give the configuration of the book as it was, from a copy that is gone afterwards; None if there was no book."""
    commit = _commit(config.root, revision)
    top, inside = _git(config.root, "rev-parse", "--show-toplevel", "--show-prefix").decode().split("\n")[:2]
    tree = f"{commit}:{inside.rstrip('/')}"
    with TemporaryDirectory(prefix="d2lbuild-") as folder:
        try:
            packed = _git(Path(top), "archive", "--format=tar", tree)  # in a folder, it would look for that in the tree
        except UsageError:
            yield None
            return
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        root = Path(folder).resolve()
        source = root / config.source.relative_to(config.root)
        yield replace(load_config(source), name=config.name) if source.is_file() else None


def _commit(root: Path, revision: str) -> str:
    try:
        return (
            _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
            .decode()
            .strip()
        )
    except UsageError as error:
        if not _is_repository(root):
            raise UsageError(
                f"{root} is in no Git repository", hint="what is to be compared with a revision has to be in one"
            ) from None
        hint = "in a shallow clone, fetch it first: git fetch origin main" if not error.hint else error.hint
        raise UsageError(f"unknown revision '{revision}'", hint=hint) from None


def _is_repository(root: Path) -> bool:
    try:
        return bool(_git(root, "rev-parse", "--git-dir"))
    except UsageError:
        return False


def _git(root: Path, *arguments: str) -> bytes:
    program = shutil.which("git")
    if program is None:
        raise SetupError("git is not installed", hint="install it, for example with `apt-get install git`")
    done = subprocess.run([program, "-C", str(root), *arguments], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().split("\n")[0]
        raise UsageError(said or f"git {arguments[0]} failed")
    return done.stdout
