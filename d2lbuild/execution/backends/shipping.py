"""What travels to another machine with a notebook, and how it is laid out there: by content, never by path.

Files are named by their SHA-256, so that a machine fetches only what it does not have. Everything lies in the cache
folder of that machine's user, and may be removed from it while nothing runs.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from d2lbuild.config.types import Aliases, Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments.environments import sync
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.files import write_atomically

__all__ = ["Recipe", "Tree", "pack", "pack_folder", "pack_framework", "packed", "unpack"]

_NOWHERE = Path("elsewhere")
"""Stands for paths that mean nothing on another machine."""

Contents = Mapping[str, bytes]
"""Files by the digest of their content."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by their paths, as digests."""

    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """The digest of all of it."""
        lines = "".join(f"{digest} {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a machine makes the environment of a framework."""

    framework: Framework
    """Without paths of this machine."""
    lock: str | None
    """The text of its lock."""
    gpu_lock: str | None


# --- here -----------------------------------------------------------------------------------------------------------


def pack(files: Mapping[str, Path]) -> tuple[Tree, Contents]:
    """Read files. Raises OSError."""
    contents: dict[str, bytes] = {}
    names: dict[str, str] = {}
    for name, path in files.items():
        content = path.read_bytes()
        names[name] = hashlib.sha256(content).hexdigest()
        contents[names[name]] = content
    return Tree(names), contents


def pack_folder(folder: Path) -> tuple[Tree, Contents]:
    """Read all files of a folder, but for what Python compiles from them; a missing folder has none."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return pack({path.relative_to(folder).as_posix(): path for path in found})


def pack_framework(framework: Framework) -> Recipe:
    """Return what another machine has to know of a framework. Raises OSError."""
    texts = [
        lock.read_text("utf-8") if lock and lock.is_file() else None for lock in (framework.lock, framework.gpu_lock)
    ]
    # Its notebooks are made already: aliases and the library's header stay here.
    bare = replace(
        framework,
        aliases=Aliases(),
        header=None,
        requirements=None,
        gpu_requirements=None,
        lock=None,
        gpu_lock=None,
    )
    return Recipe(bare, *texts)


def packed(request: ExecutionRequest) -> ExecutionRequest:
    """Return a request without the paths of this machine; folders that stay between runs become names."""
    kept = {name: Path(hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]) for name, folder in request.kept.items()}
    return replace(
        request,
        files={},
        library=_NOWHERE,
        kept=kept,
        downloads=None if request.downloads is None else Path(request.downloads.name),
    )


# --- there ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came with a request."""

    request: ExecutionRequest
    recipe: Recipe | None
    """None: the environment is at the same path on every machine."""
    files: Tree
    library: Tree


def unpack(
    delivery: Delivery,
    fetch: Callable[[Tree], Contents],
    home: Path,
    on_environment: Callable[[str], None] = lambda _: None,
) -> ExecutionRequest:
    """Lay out what came with a request below `home`, and return the request with the paths of this machine.

    `fetch` returns the contents of a tree; it is asked only if some are not here yet. SetupError if the environment
    cannot be made, OSError if nothing can be written.
    """
    request, recipe = delivery.request, delivery.recipe
    top = home / "cluster"
    downloads = None if request.downloads is None else top / "downloads" / request.downloads
    told = replace(
        request,
        files=_blobs(delivery.files, fetch, top / "files"),
        library=_folder(delivery.library, fetch, top),
        kept={name: top / "kept" / folder for name, folder in request.kept.items()},
        downloads=downloads,
    )
    if downloads is not None:
        downloads.mkdir(parents=True, exist_ok=True)
    if recipe is None:
        return told
    framework = _with_locks(recipe, top / "locks")
    device = "gpu" if request.gpus else "cpu"
    environment = sync(framework, home, on_environment, device=device, packages=request.needs.packages)
    return replace(
        told,
        kernel=replace(request.kernel, python=environment.python),
        versions=environment.versions(framework.packages),
    )


def _blobs(tree: Tree, fetch: Callable[[Tree], Contents], folder: Path) -> dict[str, Path]:
    """Return where each file of a tree lies."""
    paths = {digest: folder / digest[:2] / digest for digest in tree.files.values()}
    missing = [digest for digest, path in paths.items() if not path.exists()]
    if missing:
        contents = fetch(tree)
        for digest in missing:
            write_atomically(paths[digest], contents[digest])
    return {name: paths[digest] for name, digest in tree.files.items()}


def _folder(tree: Tree, fetch: Callable[[Tree], Contents], top: Path) -> Path:
    """Return a folder that holds a tree."""
    folder = top / "libraries" / tree.digest
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".", ignore_cleanup_errors=True) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        for name, path in _blobs(tree, fetch, top / "files").items():
            target = made / PurePosixPath(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        try:
            made.rename(folder)
        except OSError:
            # Another notebook on this machine was faster.
            if not folder.is_dir():
                raise
    return folder


def _with_locks(recipe: Recipe, folder: Path) -> Framework:
    paths: list[Path | None] = []
    for text in (recipe.lock, recipe.gpu_lock):
        path = None
        if text is not None:
            path = folder / hashlib.sha256(text.encode()).hexdigest() / "requirements.txt"
            if not path.exists():
                write_atomically(path, text)
        paths.append(path)
    framework = recipe.framework
    if framework.interpreter is not None and not framework.interpreter.exists():
        raise SetupError(
            f"the interpreter of the framework {framework.name}, {framework.interpreter}, is not on this machine",
            hint="remove `interpreter` from its framework.toml, so that each machine makes the environment itself",
        )
    return replace(framework, lock=paths[0], gpu_lock=paths[1])
