"""Gathers what was built in one folder to be released: files, their digests, the locks that they were made with."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from d2lbuild import __version__
from d2lbuild.config import Config
from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically

__all__ = ["MANIFEST_FILE", "check_is_new", "gather"]

MANIFEST_FILE = "manifest.json"
_SUMS = "SHA256SUMS"


def check_is_new(folder: Path) -> None:
    """Raise UsageError if a release is there already: it does not change."""
    if folder.exists():
        raise UsageError(f"{folder} is there already", hint="raise the book's release, or remove the folder")


def gather(config: Config, files: Mapping[str, Path], folder: Path, revision: str) -> Path:
    """Copy `files`, by the names that they are to have, into a new folder; return its manifest.

    With them go the locks of the frameworks. The folder is there whole or not at all. Raises UsageError if it exists.
    """
    check_is_new(folder)
    locks = {f"locks/{one.name}.txt": one.lock for one in config.frameworks if one.lock and one.lock.is_file()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".release-", dir=folder.parent) as staging:
        place = Path(staging, folder.name)
        sums: dict[str, str] = {}
        for name, source in sorted({**files, **locks}.items()):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / name)
            sums[name] = hashlib.sha256((place / name).read_bytes()).hexdigest()
        write_atomically(place / _SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))
        write_atomically(place / MANIFEST_FILE, _manifest(config, place, sums, revision))
        place.rename(folder)
    return folder / MANIFEST_FILE


def _manifest(config: Config, place: Path, sums: Mapping[str, str], revision: str) -> str:
    found: dict[str, Any] = {
        "book": config.name,
        "title": config.title,
        "release": config.release,
        "revision": revision,
        "d2lbuild": __version__,
        "files": [
            {"name": name, "bytes": (place / name).stat().st_size, "sha256": digest} for name, digest in sums.items()
        ],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
