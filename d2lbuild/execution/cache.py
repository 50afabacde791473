"""Results of notebooks by the digest of what they depend on, and what was last known of each notebook.

Every entry is a file that is there whole or not at all, so any number of builds may share a cache. Books share it too:
a key says everything. Failures of cells are kept beside the results: they are shown until something changes.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from d2lbuild.errors import SetupError
from d2lbuild.execution.keys import SCHEMA, KeyParts
from d2lbuild.files import write_atomically
from d2lbuild.model import ExecutionResult, Failure, Status

__all__ = ["History", "HistoryRecord", "ResultCache"]


@dataclass(frozen=True, slots=True)
class ResultCache:
    """A content store of results below a folder."""

    folder: Path

    def get(self, key: str) -> ExecutionResult | None:
        """Return the result of a key: DONE, or FAILED if a cell raised when it was last run."""
        for kind in ("failures", "results"):
            path = self._path(kind, key)
            data = _read(path)
            if data is None:
                continue
            try:
                return _result(data)
            except (KeyError, TypeError, ValueError):
                _discard(path)
        return None

    def put(self, key: str, parts: KeyParts, result: ExecutionResult) -> None:
        """Keep a result. Only what the notebook itself did is kept: a timeout or a dead kernel may not happen again."""
        if result.status not in (Status.DONE, Status.FAILED):
            return
        data = {
            "schema": SCHEMA,
            "parts": dict(parts.parts),
            "result": asdict(result) | {"status": result.status.value},
        }
        failed = result.status is Status.FAILED
        _write(self._path("failures" if failed else "results", key), data)
        if not failed:
            _discard(self._path("failures", key))

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / kind / key[:2] / f"{key}.json"


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """What is known of the last run of a notebook."""

    parts: Mapping[str, str]
    """The parts of the key that it had."""
    seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """The last run of each notebook of a book: why it runs again, and how long that may take."""

    folder: Path
    """The cache's folder."""
    book: str
    """What tells this book from others: its name."""

    def get(self, section: str, framework: str) -> HistoryRecord | None:
        """Return what is known of a notebook."""
        path = self._path(section, framework)
        data = _read(path)
        if data is None:
            return None
        try:
            return HistoryRecord(
                {str(name): str(digest) for name, digest in data["parts"].items()}, float(data["seconds"])
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            _discard(path)
            return None

    def put(self, section: str, framework: str, parts: KeyParts, seconds: float) -> None:
        """Note that a notebook was run."""
        _write(self._path(section, framework), {"parts": dict(parts.parts), "seconds": seconds})

    def _path(self, section: str, framework: str) -> Path:
        book = quote(self.book, safe="").replace(".", "%2E")
        return self.folder / "history" / book / framework / f"{quote(section)}.json"


def _result(data: Mapping[str, Any]) -> ExecutionResult:
    if data["schema"] != SCHEMA:
        raise ValueError("another schema")
    fields = dict(data["result"])
    failure = fields.pop("failure")
    outputs = tuple(tuple(cell) for cell in fields.pop("outputs"))
    return ExecutionResult(
        status=Status(fields.pop("status")),
        outputs=outputs,
        failure=None if failure is None else Failure(**failure),
        **fields,
    )


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a file holds; None without one, and without a damaged one, which is removed."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError:
        return None
    except ValueError:
        data = None
    if isinstance(data, dict):
        return data
    _discard(path)
    return None


def _discard(path: Path) -> None:
    # A cache that cannot be written is still good to read.
    with contextlib.suppress(OSError):
        path.unlink()


def _write(path: Path, data: Mapping[str, Any]) -> None:
    text = json.dumps(data, separators=(",", ":"))
    try:
        write_atomically(path, text)
    except OSError as error:
        raise SetupError(
            f"cannot write the cache: {error.filename or path}: {error.strerror or error}",
            hint="set D2LBUILD_CACHE to a folder that can be written",
        ) from error
