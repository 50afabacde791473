"""What lies at a place because we put it there, and what has to be done so that it holds another folder.

The manifest is a file at the place itself: names and SHA-256. Nothing is removed or replaced that it does not name.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "BEGUN",
    "MANIFEST",
    "Changes",
    "changes_to",
    "digests_of",
    "files_of_ours",
    "manifest_text",
    "read_manifest",
]

MANIFEST = ".d2lbuild-manifest.json"
BEGUN = f"{MANIFEST}.begun"
"""The manifest that will be, while files are being written: it says what may be there if that breaks off."""
_PAGES = (".html", ".xml", ".json", ".txt", ".js")
"""What leads to other files comes after them; the first page comes last."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be done, in this order."""

    write: tuple[str, ...]
    remove: tuple[str, ...]
    same: int
    foreign: tuple[str, ...]
    """Files that are there with other content and that we have not put there: they are in the way."""

    def __bool__(self) -> bool:
        return bool(self.write or self.remove)


def digests_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of all files below a folder, by their names; hidden ones are left out, but `.nojekyll`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/")) and name != ".nojekyll"
        if path.is_file() and not hidden:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def changes_to(wanted: Mapping[str, str], known: Mapping[str, str], there: Callable[[str], str | None]) -> Changes:
    """Return what makes a place that has `known` files hold the `wanted` ones; `there` says what a file holds now.

    Of files that we have put there the manifest is believed.
    """
    write = [name for name, digest in wanted.items() if known.get(name) != digest]
    foreign = []
    done = set()
    for name in write:
        if name not in known and (found := there(name)) is not None:
            if found == wanted[name]:
                done.add(name)  # it is ours from now on
            else:
                foreign.append(name)
    write = sorted((name for name in write if name not in done), key=_rank)
    remove = tuple(sorted(known.keys() - wanted.keys()))
    return Changes(tuple(write), remove, len(wanted) - len(write), tuple(foreign))


def _rank(name: str) -> tuple[bool, bool, str]:
    return name == "index.html", name.endswith(_PAGES), name


def manifest_text(digests: Mapping[str, str]) -> str:
    """Return the manifest as its file holds it."""
    return json.dumps({"files": dict(sorted(digests.items()))}, indent=0, separators=(",", ":")) + "\n"


def read_manifest(content: bytes | None) -> dict[str, str]:
    """Return the files that a manifest names; none where there is no manifest, or a damaged one."""
    try:
        files = json.loads(content or b"{}")["files"]
        return {str(name): str(digest) for name, digest in files.items() if _is_inside(str(name))}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}


def files_of_ours(manifest: bytes | None, begun: bytes | None) -> dict[str, str]:
    """Return what we have put at a place; the digest is empty where a write that broke off may have changed it."""
    found = read_manifest(manifest)
    return found | {name: "" for name, digest in read_manifest(begun).items() if found.get(name) != digest}


def _is_inside(name: str) -> bool:
    """Whether a name leads nowhere else: whoever can write the place can write its manifest."""
    return bool(name) and not name.startswith("/") and "\\" not in name and ".." not in name.split("/")
