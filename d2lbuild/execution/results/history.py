"""What was last known of each notebook of a book: why it runs again, and how long that may take.

The texts behind the digests (code, locks of environments, functions of the library) are kept once each, by digest, so
that what changed can be shown. They are for people: nothing is lost with them but explanations.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from d2lbuild.execution.home import history_folder
from d2lbuild.execution.results.cache import discard, writing
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.files import write_atomically
from d2lbuild.model import ExecutionResult, Status

__all__ = ["History", "HistoryRecord", "read_record", "read_text", "text_name"]

_ENDED_BY_ITSELF = (Status.DONE, Status.FAILED)
_MOST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """What is known of the last run of a notebook."""

    parts: Mapping[str, str]
    """All parts of the key that it had, with the files that it read."""
    seconds: float
    """How long it took, or until it was ended."""
    status: Status = Status.DONE
    finished: str = ""
    """UTC, ISO 8601, to the second."""
    message: str = ""
    """Why it did not come to its end."""
    expected: float | None = None
    """How long the last run took that ended by itself."""
    memory: int | None = None
    device: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of the files among the parts."""

    @property
    def key(self) -> str:
        """The key that a result of that run has."""
        return KeyParts(self.parts).key


@dataclass(frozen=True, slots=True)
class History:
    """The last run of each notebook of a book."""

    folder: Path
    """The cache's folder."""
    book: str
    """What tells this book from others: its name."""

    def get(self, section: str, framework: str) -> HistoryRecord | None:
        """Return what is known of a notebook."""
        path = self._path(section, framework)
        try:
            return read_record(path.read_bytes())
        except OSError:
            return None
        except ValueError:
            discard(path)
            return None

    def put(
        self,
        section: str,
        framework: str,
        parts: KeyParts,
        result: ExecutionResult,
        *,
        details: Mapping[str, str] | None = None,
        size_of: Callable[[str], int | None] = lambda _: None,
    ) -> None:
        """Note how a notebook's run ended; one that was skipped was not run.

        `parts` are those that were known before it, `details` the texts behind them beside those that they bring, and
        `size_of` says how large a file is that it read.
        """
        if result.status is Status.SKIPPED:
            return
        before = self.get(section, framework)
        final = parts.with_inputs(result.inputs)
        by_itself = result.status in _ENDED_BY_ITSELF
        record = HistoryRecord(
            parts=final.parts,
            seconds=result.seconds,
            status=result.status,
            finished=result.finished,
            message="" if result.failure is None else result.failure.message[:_MOST_MESSAGE],
            expected=result.seconds if by_itself else before.expected if before else None,
            memory=result.memory,
            device=result.device,
            sizes={path: size for path in final.inputs if (size := size_of(path)) is not None},
        )
        text = json.dumps(asdict(record) | {"status": record.status.value}, separators=(",", ":"))
        with writing(self.folder):
            for name, detail in {**parts.texts, **(details or {})}.items():
                if name in parts.parts:
                    self._keep(parts.parts[name], detail)
            write_atomically(self._path(section, framework), text)

    def text(self, digest: str) -> str | None:
        """Return the text behind the digest of a part; None if it was not kept."""
        if not digest.isalnum():
            return None  # made up: it may lead elsewhere
        path = self.folder / text_name(digest)
        try:
            return read_text(path.read_bytes())
        except OSError:
            return None
        except ValueError:
            discard(path)
            return None

    def records(self) -> Iterator[tuple[str, str, HistoryRecord]]:
        """Yield what is known of all notebooks of this book: section, framework, record."""
        top = history_folder(self.folder, self.book)
        for path in sorted(top.rglob("*.json")):
            framework, *section = path.relative_to(top).with_suffix("").parts
            name = unquote("/".join(section))
            record = self.get(name, framework)
            if record is not None:
                yield name, framework, record

    @staticmethod
    def books(folder: Path) -> list[str]:
        """Return the books that a cache knows."""
        return sorted(unquote(path.name) for path in (folder / "history").glob("*") if path.is_dir())

    def _path(self, section: str, framework: str) -> Path:
        return history_folder(self.folder, self.book) / framework / f"{quote(section)}.json"

    def _keep(self, digest: str, text: str) -> None:
        path = self.folder / text_name(digest)
        if not path.exists():
            content = text.encode(errors="replace")
            write_atomically(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def text_name(digest: str) -> str:
    """Return the name below a cache of the text behind a digest."""
    return f"texts/{digest[:2]}/{digest}"


def read_text(content: bytes) -> str:
    """Return the text that such a file holds. Raises ValueError if it is damaged."""
    digest, _, text = content.partition(b"\n")
    if digest.decode("ascii") != hashlib.sha256(text).hexdigest():
        raise ValueError("damaged")
    return text.decode()


def read_record(content: bytes) -> HistoryRecord:
    """Return the record that a file holds, of an earlier version too. Raises ValueError if it is damaged."""
    try:
        data = json.loads(content)
        parts = {str(name): str(digest) for name, digest in data["parts"].items()}
        seconds = float(data["seconds"])
        expected = data.get("expected", seconds)
        memory = data.get("memory")
        return HistoryRecord(
            parts=parts,
            seconds=seconds,
            status=Status(data.get("status", Status.DONE.value)),
            finished=str(data.get("finished", "")),
            message=str(data.get("message", "")),
            expected=None if expected is None else float(expected),
            memory=None if memory is None else int(memory),
            device=str(data.get("device", "")),
            sizes={str(path): int(size) for path, size in data.get("sizes", {}).items()},
        )
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"damaged: {error!r}") from None
