"""The cache key of a notebook: a digest of everything that its outputs depend on, and of nothing else.

Prose is not in it, nor are limits such as timeouts. What is known before a run makes the *base*; the files that the run
was found to read are added to it. The digests of the parts are kept, so that a plan can say which one changed.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from d2lbuild.execution.request import CodeCell

__all__ = ["ABSENT", "DigestOf", "FileDigests", "KeyParts", "file_digests", "key_parts", "names_digest"]

SCHEMA = 2
"""Raised when results of the same key would come out differently, or are stored in another form."""

ABSENT = "absent"
"""Stands for the digest of a file that is not there: a notebook may depend on that, too."""

UNREADABLE = "unreadable"

DigestOf = Callable[[str], str]
"""Returns the present digest of a file that a notebook was found to read."""


@dataclass(frozen=True)
class KeyParts:
    """What a key is made of: ``{"code": …, "library:train": …, "file:img/x.png": …}``, each with its digest."""

    parts: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What stands behind some of the digests, for people: the code, the variables."""

    @cached_property
    def key(self) -> str:
        """The key itself, SHA-256 in hexadecimal."""
        return _digest(dict(self.parts))

    @property
    def base(self) -> "KeyParts":
        """The parts that are known before a run."""
        return KeyParts({name: digest for name, digest in self.parts.items() if not name.startswith("file:")})

    @property
    def inputs(self) -> dict[str, str]:
        """The files that the run was found to read, with their digests."""
        return {name[5:]: digest for name, digest in self.parts.items() if name.startswith("file:")}

    def with_inputs(self, inputs: Mapping[str, str]) -> "KeyParts":
        """Add files that a run was found to read."""
        if not inputs:
            return self
        return KeyParts({**self.parts, **{f"file:{path}": digest for path, digest in inputs.items()}}, self.texts)

    def with_present(self, paths: Iterable[str], digest_of: DigestOf) -> "KeyParts":
        """Add files that an earlier run was found to read, as they are now."""
        return self.with_inputs({path: digest_of(path) for path in paths})

    def changes(self, earlier: Mapping[str, str]) -> dict[str, list[str]]:
        """Return what differs from `earlier` parts: for each kind of part the names, sorted."""
        changed: dict[str, list[str]] = {}
        for name in sorted({*self.parts, *earlier}):
            if self.parts.get(name) != earlier.get(name):
                kind, _, detail = name.partition(":")
                changed.setdefault(kind, []).append(detail)
        return changed


def key_parts(
    *,
    framework: str,
    cells: Sequence[CodeCell],
    library: Mapping[str, str],
    environment: str,
    device: str = "cpu",
    kernel: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    passed: Iterable[str] = (),
    data: Mapping[str, str] | None = None,
) -> KeyParts:
    """Return the parts of a notebook's key that are known before it runs.

    `library` holds the digests of the saved statements that the notebook uses, directly or not, by name;
    `environment` is the environment's digest, `device` its class (``cpu``, ``gpu``), `kernel` the command of a kernel
    other than IPython's, `variables` the framework's environment variables, `passed` the names of the user's
    (not their values: they hold credentials), and `data` the digests of the declared files by path.
    """
    variables = variables or {}
    passed = sorted(set(passed))
    parts = {
        "schema": str(SCHEMA),
        "framework": framework,
        "code": _digest([[cell.source, sorted(cell.execution_tags)] for cell in cells]),
        "environment": environment,
        "device": device,
        "variables": _digest([dict(variables), passed]),
    }
    if kernel:
        parts["kernel"] = _digest(list(kernel))
    parts |= {f"library:{name}": digest for name, digest in library.items()}
    parts |= {f"data:{path}": digest for path, digest in (data or {}).items()}
    texts = {
        "code": "\n\n".join(_cell_text(number, cell) for number, cell in enumerate(cells, 1)) + "\n",
        "variables": "".join(f"{name}={variables[name]}\n" for name in sorted(variables))
        + "".join(f"{name}: as the user has it\n" for name in passed),
        "kernel": " ".join(kernel) + "\n",
    }
    return KeyParts(parts, {name: text for name, text in texts.items() if name in parts})


def _cell_text(number: int, cell: CodeCell) -> str:
    tags = "".join(f" [{tag}]" for tag in sorted(cell.execution_tags))
    return f"--- code cell {number}{tags} ---\n{cell.source}"


# --- files ---


def file_digests(root: Path, patterns: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of all files below `root` that match one of the glob `patterns`, by relative path."""
    paths = sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    return {path.relative_to(root).as_posix(): _file_digest(path) for path in paths}


class FileDigests:
    """Says what the files that notebooks read hold now: SHA-256, `ABSENT`, or for ``folder/`` a digest of its names.

    Paths are relative to the sources' folder, or absolute for files outside of the book. `files` are the book's files
    by such paths, as a run gets copies of them: with them, nothing else below `root` counts, since no run sees it;
    `kept` are the folders that stay between runs, which show up in listings. A file is read again only if its size or
    time has changed. Threads may share one.
    """

    def __init__(self, root: Path, files: Mapping[str, Path] | None = None, kept: Collection[str] = ()) -> None:
        self._root = root
        self._files = files
        self._known: dict[Path, tuple[tuple[int, int, int], str]] = {}
        self._names: dict[str, set[str]] = {}
        for name in (*(files or {}), *kept):
            child = PurePosixPath(name)
            for folder in child.parents:
                self._names.setdefault(folder.as_posix(), set()).add(child.name)
                child = folder

    def __call__(self, path: str) -> str:
        """Return the present digest of a file, or of the names in a folder."""
        if path.endswith("/"):
            return self._of_folder(path)
        file = self._place(path)
        if file is None:
            return ABSENT
        try:
            state = file.stat()
            stamp = (state.st_size, state.st_mtime_ns, state.st_ino)
            known = self._known.get(file)
            if known is None or known[0] != stamp:
                known = self._known[file] = (stamp, _file_digest(file))
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except OSError:
            return UNREADABLE
        return known[1]

    def size(self, path: str) -> int | None:
        """Return how many bytes a file has now; None for a folder, and where there is none."""
        file = None if path.endswith("/") else self._place(path)
        try:
            return None if file is None else file.stat().st_size
        except OSError:
            return None

    def _place(self, path: str) -> Path | None:
        if Path(path).is_absolute():
            return Path(path)
        return self._root / path if self._files is None else self._files.get(path)

    def _of_folder(self, path: str) -> str:
        if Path(path).is_absolute() or self._files is None:
            try:
                return names_digest(one.name for one in (self._root / path).iterdir())
            except (FileNotFoundError, NotADirectoryError):
                return ABSENT
            except OSError:
                return UNREADABLE
        names = self._names.get(PurePosixPath(path).as_posix())
        return ABSENT if names is None else names_digest(names)


def names_digest(names: Iterable[str]) -> str:
    """Return the digest that stands for what a folder holds: of the names alone, in any order."""
    return _digest(sorted(names))


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
