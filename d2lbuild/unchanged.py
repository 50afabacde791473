"""Whether a command has anything to do: a record of the files it read and wrote, compared by size and time.

It is only a short cut. Where any of them differs, or anything is odd, the command runs and looks at contents.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Facts", "Record", "facts_of", "look_up", "note"]

Facts = dict[str, list[int] | None]


@dataclass(frozen=True, slots=True)
class Record:
    """What a command said when it last ran."""

    out: tuple[str, ...]
    """The lines for stdout."""
    messages: tuple[str, ...]
    """The lines for stderr."""
    code: int


def look_up(folder: Path, command: Sequence[str]) -> Record | None:
    """Return what a command said here, if all files that it read and wrote are as it left them; otherwise None.

    The command is given by the arguments of the program.
    """
    try:
        data = json.loads(_file(folder, command).read_text(encoding="utf-8"))
        if data["files"] != facts_of(data["files"]):
            return None
        return Record(tuple(data["out"]), tuple(data["messages"]), int(data["code"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note(folder: Path, command: Sequence[str], facts: Facts, record: Record) -> None:
    """Remember what `command` said, and the files and folders that this depends on, as they are now."""
    from d2lbuild.files import write_atomically  # noqa: PLC0415 - looking up is to be quick

    data = {"files": facts, "out": record.out, "messages": record.messages, "code": record.code}
    write_atomically(_file(folder, command), json.dumps(data))


def _file(folder: Path, command: Sequence[str]) -> Path:
    # Arguments mean something else in another folder, for another user, with other GPUs in sight, and in another
    # version of this program.
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
    whole = [str(Path.cwd()), os.path.expanduser("~"), __file__, gpus, *command]  # noqa: PTH111 - this one never fails
    name = hashlib.sha256("\0".join(whole).encode(errors="surrogateescape")).hexdigest()[:16]
    return folder / "unchanged" / f"{name}.json"


def facts_of(files: Iterable[str | Path]) -> Facts:
    """Return time, size and number of each file or folder; None for one that is not there.

    A folder with a separator at its end never is as it was: nobody has looked at what changes in it.
    """
    facts: Facts = {}
    for file in files:
        try:
            status = os.stat(file)  # noqa: PTH116 - of thousands of files
        except OSError:
            facts[str(file)] = None
        else:
            whole = [status.st_mtime_ns, status.st_size, status.st_ino]
            facts[str(file)] = [time.time_ns()] if str(file).endswith(os.sep) else whole
    return facts
