"""Places to publish at: a folder, a branch of a Git repository, an address that fsspec understands.

Each can say what it holds, and take changes as a whole, or nearly so: a branch gets one commit; a folder gets all new
files beside the old ones first, which are then renamed at once; elsewhere files come before what leads to them.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from d2lbuild.errors import SetupError, UsageError
from d2lbuild.files import write_atomically
from d2lbuild.publishing.manifest import BEGUN, MANIFEST

__all__ = ["Branch", "Folder", "Place", "Remote", "digest", "place_of"]


class Place(Protocol):
    """Somewhere to publish at."""

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None if there is none."""

    def publish(self, write: Mapping[str, Path], remove: Sequence[str], begun: str, manifest: str) -> None:
        """Copy files to names, in order, remove others, write the manifest; meanwhile, `begun` lies there too."""


def place_of(target: str, root: Path) -> Place:
    """Return the place that an address names: ``branch:NAME``, ``s3://…``, or a folder."""
    if target.startswith("branch:"):
        return Branch(root, target.removeprefix("branch:"))
    if urlsplit(target).scheme and "://" in target:
        return Remote(target)
    return Folder(Path(target).expanduser().absolute())


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file", hint="name a folder")
        self.path = path

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None if there is none."""
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def publish(self, write: Mapping[str, Path], remove: Sequence[str], begun: str, manifest: str) -> None:
        """Copy all files beside the old ones, then rename them; a copy that breaks off has changed nothing."""
        for folder in {self.path / parent for name in (*write, *remove) for parent in PurePosixPath(name).parents}:
            if folder != self.path and folder.is_symlink():
                raise UsageError(f"{folder} is a link: what lies behind it was not published by d2lbuild")
        self.path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".d2lbuild-", dir=self.path) as staging:
            for number, source in enumerate(write.values()):
                shutil.copyfile(source, Path(staging, str(number)))
            write_atomically(self.path / BEGUN, begun)
            for number, name in enumerate(write):
                target = self.path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                Path(staging, str(number)).replace(target)
        for name in remove:
            (self.path / name).unlink(missing_ok=True)
            self._prune((self.path / name).parent)
        write_atomically(self.path / MANIFEST, manifest)
        (self.path / BEGUN).unlink(missing_ok=True)

    def _prune(self, folder: Path) -> None:
        while folder != self.path and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


class Branch:
    """A branch of the book's repository, which no working tree has to show."""

    def __init__(self, root: Path, name: str) -> None:
        program = shutil.which("git")
        if program is None:
            raise SetupError("git is not installed", hint="install it, for example with `apt-get install git`")
        self._command = [program, "-C", str(root)]
        self.name = name
        self._git("check-ref-format", "--branch", name)
        current = self._try("symbolic-ref", "--quiet", "--short", "HEAD")
        if current is not None and current.decode().strip() == name:
            raise UsageError(
                f"{name} is the branch of the book itself", hint="name another one, such as branch:gh-pages"
            )
        self._ref = f"refs/heads/{name}"
        self._commit = (self._try("rev-parse", "--verify", "--quiet", self._ref) or b"").decode().strip()

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None if there is none."""
        return self._try("cat-file", "blob", f"{self._commit}:{name}") if self._commit else None

    def publish(
        self,
        write: Mapping[str, Path],
        remove: Sequence[str],
        begun: str,  # noqa: ARG002 - a branch never holds a part of a commit
        manifest: str,
    ) -> None:
        """Add one commit to the branch, made without a working tree."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            if self._commit:
                self._git("read-tree", self._commit, more=index)
            note = Path(folder, "manifest")
            note.write_text(manifest, "utf-8")
            paths = [*map(str, write.values()), str(note)]
            blobs = (
                self._git("hash-object", "-w", "--no-filters", "--stdin-paths", text="\n".join(paths)).decode().split()
            )
            lines = [f"100644 {blob}\t{name}" for blob, name in zip(blobs, [*write, MANIFEST], strict=True)]
            lines += [f"0 {'0' * 40}\t{name}" for name in remove]
            self._git("update-index", "-z", "--index-info", more=index, text="\0".join(lines) + "\0")
            tree = self._git("write-tree", more=index).decode().strip()
        parents = ["-p", self._commit] if self._commit else []
        commit = self._git("commit-tree", tree, *parents, "-m", f"Publish: {len(write)} files").decode().strip()
        # If somebody else has moved the branch meanwhile, this fails and nothing is lost.
        self._git("update-ref", self._ref, commit, self._commit or "0" * 40)
        self._commit = commit

    def push(self, remote: str) -> None:
        """Send the branch to a remote repository."""
        self._git("push", "--quiet", remote, self._ref)

    def _try(self, *arguments: str) -> bytes | None:
        done = subprocess.run([*self._command, *arguments], capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def _git(self, *arguments: str, more: Mapping[str, str] | None = None, text: str = "") -> bytes:
        done = subprocess.run(
            [*self._command, *arguments], input=text.encode(), capture_output=True, check=False,
            env={**os.environ, **(more or {})},
        )  # fmt: skip
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().split("\n")[0]
            raise UsageError(f"git {arguments[0]} failed: {said}")
        return done.stdout


class Remote:
    """A folder behind an address, such as a bucket."""

    def __init__(self, address: str) -> None:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - slow to import

        try:
            self._files, self._folder = url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise SetupError(
                f"{address} cannot be reached: {error}", hint='pip install "d2lbuild[s3]" for s3://'
            ) from error

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None if there is none."""
        try:
            return bytes(self._files.cat_file(self._address(name)))
        except FileNotFoundError:
            return None

    def publish(self, write: Mapping[str, Path], remove: Sequence[str], begun: str, manifest: str) -> None:
        """Send files in order, so that nothing leads to what is not there yet; then remove what nothing leads to."""
        self._put(BEGUN, begun.encode())
        for name, source in write.items():
            self._put(name, source.read_bytes())
        for name in remove:
            try:
                self._files.rm_file(self._address(name))
            except FileNotFoundError:
                continue
        self._put(MANIFEST, manifest.encode())
        self._files.rm_file(self._address(BEGUN))

    def _put(self, name: str, content: bytes) -> None:
        address = self._address(name)
        self._files.makedirs(address.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(address, content)

    def _address(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"


def digest(content: bytes | None) -> str | None:
    """Return the SHA-256 of what a file holds."""
    return None if content is None else hashlib.sha256(content).hexdigest()
