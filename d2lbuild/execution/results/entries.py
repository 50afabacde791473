"""What a result looks like as a file: three lines of JSON, of which a plan reads the first two.

The first line has the version and the digests of the others, the second the key's parts and the result without
outputs, the third the outputs. So an entry says itself whether it is whole and whether its name is right.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from d2lbuild.execution.results.keys import SCHEMA, KeyParts
from d2lbuild.model import ExecutionResult, Failure, Status

__all__ = ["DamagedEntry", "Entry", "OldEntry", "decode", "encode", "open_entry"]

_FIRST = 16384
"""Bytes that usually hold the first two lines."""


class DamagedEntry(ValueError):  # noqa: N818  whether that is an error is up to the reader
    """A file is no entry, or not the one that its name says; the message says why."""


class OldEntry(DamagedEntry):
    """An entry of another version: nothing is wrong with it, but it is of no use."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A result in the cache, of which the outputs have not been read yet."""

    path: Path
    parts: KeyParts
    """All of the key's parts, with the files that the run read."""
    head: ExecutionResult
    """The result without outputs."""
    outputs_digest: str

    def load(self) -> ExecutionResult:
        """Read the outputs too. Raises DamagedEntry, or OSError if the file is gone."""
        line = self.path.read_bytes().split(b"\n", 2)[2]
        return replace(self.head, outputs=_outputs(line, self.outputs_digest))


def encode(parts: KeyParts, result: ExecutionResult) -> bytes:
    """Return a result as its file holds it."""
    fields = asdict(result) | {"status": result.status.value}
    outputs = _json(fields.pop("outputs"))
    head = _json({"parts": dict(parts.parts), "result": fields})
    return b"\n".join([_first_line(SCHEMA, head, _sha256(outputs)), head, outputs])


def open_entry(path: Path) -> Entry:
    """Read an entry up to its outputs. Raises DamagedEntry, or OSError if there is none."""
    with path.open("rb") as file:
        lines = file.read(_FIRST).split(b"\n", 2)
        if len(lines) < 3:
            file.seek(0)
            lines = file.read().split(b"\n", 2)
    return _entry(path, lines)


def decode(path: Path, content: bytes) -> ExecutionResult:
    """Return the result that a file at `path` with this content holds. Raises DamagedEntry."""
    lines = content.split(b"\n", 2)
    entry = _entry(path, lines)
    return replace(entry.head, outputs=_outputs(lines[2], entry.outputs_digest))


def _entry(path: Path, lines: list[bytes]) -> Entry:
    first = _object(lines[0])
    if lines[0].startswith(b'{"schema":1,'):
        raise OldEntry("made by the first version of d2lbuild")
    if len(lines) != 3:
        raise DamagedEntry("cut off")
    if lines[0] != _first_line(first.get("d2lbuild"), lines[1], first.get("outputs")):
        raise DamagedEntry("its description is damaged")
    if first["d2lbuild"] != SCHEMA:
        raise OldEntry("made by another version of d2lbuild")
    try:
        data = _object(lines[1])
        parts = KeyParts({str(name): str(digest) for name, digest in data["parts"].items()})
        head = _result(data["result"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise DamagedEntry(f"its description is none: {error!r}") from None
    if path.stem != parts.key:
        raise DamagedEntry("it belongs to another key")
    return Entry(path, parts, head, str(first["outputs"]))


def _first_line(version: object, head: bytes, outputs: object) -> bytes:
    digest = _sha256(str(version).encode() + b"\n" + head)
    return _json({"d2lbuild": version, "head": digest, "outputs": outputs})


def _outputs(line: bytes, digest: str) -> tuple[tuple[dict[str, Any], ...], ...]:
    if digest != _sha256(line):
        raise DamagedEntry("its outputs are damaged")
    try:
        return tuple(tuple(cell) for cell in json.loads(line))
    except (RecursionError, TypeError, ValueError):
        raise DamagedEntry("its outputs are none") from None


def _result(data: Mapping[str, Any]) -> ExecutionResult:
    fields = dict(data)
    failure = fields.pop("failure")
    return ExecutionResult(
        status=Status(fields.pop("status")),
        outputs=(),
        failure=None if failure is None else Failure(**failure),
        warnings=tuple(fields.pop("warnings")),
        **fields,
    )


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (RecursionError, ValueError):
        data = None
    if not isinstance(data, dict):
        raise DamagedEntry("no JSON object")
    return data


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
