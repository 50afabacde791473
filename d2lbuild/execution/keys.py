"""The cache key of a notebook: a digest of everything that its outputs depend on, and of nothing else.

Prose is not in it, nor are limits such as timeouts. The digests of the parts are kept, so that a plan can say which one
changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.execution.request import CodeCell

__all__ = ["KeyParts", "file_digests", "key_parts"]

SCHEMA = 1
"""Raised when results of the same key would come out differently, or are stored in another form."""


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What a key is made of: ``{"code": …, "library:train": …, "data:data/x.csv": …}``, each with its digest."""

    parts: Mapping[str, str]

    @property
    def key(self) -> str:
        """The key itself, SHA-256 in hexadecimal."""
        return _digest(dict(self.parts))

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
    variables: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
) -> KeyParts:
    """Return the parts of a notebook's key.

    `library` holds the digests of the saved statements that the notebook uses, directly or not, by name;
    `environment` is the environment's digest, `device` its class (``cpu``, ``gpu``), `variables` the framework's
    environment variables, and `data` the digests of the declared files by path.
    """
    parts = {
        "schema": str(SCHEMA),
        "framework": framework,
        "code": _digest([[cell.source, sorted(cell.execution_tags)] for cell in cells]),
        "environment": environment,
        "device": device,
        "variables": _digest(dict(variables or {})),
    }
    parts |= {f"library:{name}": digest for name, digest in library.items()}
    parts |= {f"data:{path}": digest for path, digest in (data or {}).items()}
    return KeyParts(parts)


def file_digests(root: Path, patterns: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of all files below `root` that match one of the glob `patterns`, by relative path."""
    paths = sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    digests = {}
    for path in paths:
        with path.open("rb") as file:
            digests[path.relative_to(root).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
