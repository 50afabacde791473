"""Taking a cache elsewhere: into a folder or an archive, and from there into another cache.

Nothing that comes in is trusted: names must be those of a cache's files, links are refused, and every file is checked
before it is taken. Failures stay where they happened.
"""

import contextlib
import gzip
import io
import lzma
import re
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from d2lbuild.errors import SetupError, UsageError
from d2lbuild.execution.results.cache import ResultCache, read_inputs, writing
from d2lbuild.execution.results.history import History, read_record
from d2lbuild.execution.results.upkeep import OnStep, check_file, silent
from d2lbuild.files import write_atomically

__all__ = ["Imported", "export_cache", "import_cache", "is_archive"]

MOST_BYTES = 256 * 1024 * 1024
"""The largest single file that is taken."""
_MOST_HEADER = 64 * 1024
"""The longest that an archive may say of a file; `tarfile` reads all of it at once."""

_EXPORTED = ("results", "inputs", "texts", "history")

_DIGEST = "[0-9a-f]{64}"
_STEP = r"[\w~%-][\w.~%-]*"
_NAME = re.compile(
    rf"results/[0-9a-f]{{2}}/{_DIGEST}\.json|inputs/[0-9a-f]{{2}}/{_DIGEST}/\d{{1,2}}\.json|"
    rf"texts/[0-9a-f]{{2}}/{_DIGEST}|history(?:/{_STEP}){{2,12}}/{_STEP}\.json",
    re.ASCII,
)

_SUFFIXES = (".tar.zst", ".tar.gz", ".tgz", ".zip")


def is_archive(path: Path) -> bool:
    """Whether a path is to be an archive rather than a folder."""
    return path.name.endswith(_SUFFIXES)


# --- out ---


def export_cache(home: Path, target: Path, *, current: bool = False, on_step: OnStep = silent) -> int:
    """Write the results of a cache, and what is known about them, into an archive or a folder; return how many files.

    `current` leaves out results that are not those of the last run of a notebook. A folder is added to.
    """
    names = _names(home, current=current)
    with _writing_to(target), _sink(target) as write:
        for done, name in enumerate(names, 1):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                write(name, (home / name).read_bytes())
            on_step(done, len(names))
    return len(names)


def _names(home: Path, *, current: bool) -> list[str]:
    names = [
        path.relative_to(home).as_posix()
        for kind in _EXPORTED
        for path in (home / kind).rglob("*")
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]
    if current:
        records = [record for book in History.books(home) for _, _, record in History(home, book).records()]
        keys = {record.key for record in records}
        names = [name for name in names if not name.startswith("results/") or PurePosixPath(name).stem in keys]
    return sorted(name for name in names if _NAME.fullmatch(name))


Write = Callable[[str, bytes], None]


@contextlib.contextmanager
def _sink(target: Path) -> Iterator[Write]:
    if not is_archive(target):
        target.mkdir(parents=True, exist_ok=True)
        yield lambda name, content: write_atomically(target / name, content)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=".", delete=False) as file:
        temporary = Path(file.name)
        try:
            with _archive(target, file) as write:
                yield write
            file.close()
            temporary.chmod(0o644)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _archive(target: Path, file: IO[bytes]) -> Iterator[Write]:
    if target.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            yield lambda name, content: archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        return
    with contextlib.ExitStack() as stack:
        if target.name.endswith(".zst"):
            stream = stack.enter_context(_zstandard().ZstdCompressor(10).stream_writer(file, closefd=False))
            tar = stack.enter_context(tarfile.open(fileobj=stream, mode="w|"))
        else:
            tar = stack.enter_context(tarfile.open(fileobj=file, mode="w:gz", compresslevel=6))

        def write(name: str, content: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(content))

        yield write


# --- in ---


@dataclass(slots=True)
class Imported:
    """What became of the files that were offered."""

    taken: int = 0
    known: int = 0
    """Those that were there already."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Name and reason."""


def import_cache(home: Path, source: Path, *, on_step: OnStep = silent) -> Imported:
    """Take what an archive or a folder holds into a cache, each file only if it is whole and what it says it is.

    UsageError if `source` is neither. `on_step` gets 0 for a total that is not known.
    """
    found = Imported()
    # Of what is no archive, `zipfile` says whatever it meets.
    broken = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error, OSError)
    unreadable: tuple[type[Exception], ...] = (*broken, ValueError, RuntimeError, *_zstandard_errors())
    try:
        for done, (name, content) in enumerate(_members(source), 1):
            _offer(home, name, content, found)
            on_step(done, 0)
    except unreadable as error:
        if isinstance(error, FileNotFoundError):
            raise UsageError(f"{source} does not exist") from None
        raise UsageError(f"{source} cannot be read: {error}", hint=f"{found.taken} files were taken before") from None
    return found


def _offer(home: Path, name: str, content: bytes | str, found: Imported) -> None:
    if isinstance(content, str):
        found.refused.append((name, content))
    elif not _NAME.fullmatch(name):
        found.refused.append((name, "it is no file of a cache"))
    else:
        try:
            check_file(name, content)
            new = _merge(home, name, content)
        except ValueError as error:
            found.refused.append((name, str(error)))
        else:
            found.taken += new
            found.known += not new


def _merge(home: Path, name: str, content: bytes) -> bool:
    """Add a checked file; return whether it was new."""
    path = home / name
    with writing(home):
        if name.startswith("inputs/"):
            base = path.parent.name
            return ResultCache(home).add_inputs(base, read_inputs(content, base) or [])
        if path.exists() and not (name.startswith("history/") and _newer(content, path)):
            return False
        write_atomically(path, content)
    return True


def _newer(content: bytes, path: Path) -> bool:
    try:
        return read_record(content).finished > read_record(path.read_bytes()).finished
    except ValueError:
        return True


def _members(source: Path) -> Iterator[tuple[str, bytes | str]]:
    """Yield names with what the files hold, or with the reason why that is not even looked at."""
    if source.is_dir():
        yield from _of_folder(source)
    elif source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            yield from _of_zip(archive)
    elif source.name.endswith(".zst"):
        with source.open("rb") as file, _zstandard().ZstdDecompressor().stream_reader(file) as stream:
            yield from _of_tar(stream)
    else:
        with gzip.open(source) as stream:
            yield from _of_tar(stream)


def _of_folder(source: Path) -> Iterator[tuple[str, bytes | str]]:
    for kind in _EXPORTED:
        top = source / kind
        for path in [top] if top.is_symlink() else sorted(top.rglob("*")):
            name = path.relative_to(source).as_posix()
            if path.is_symlink():
                yield name, "it is a link"
            elif path.is_file() and not path.name.startswith("."):
                yield name, path.read_bytes() if path.stat().st_size <= MOST_BYTES else "it is too large"


def _of_zip(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes | str]]:
    for member in archive.infolist():
        if member.is_dir():
            continue
        if (member.external_attr >> 28) == 0o12:
            yield member.filename, "it is a link"
        elif member.file_size > MOST_BYTES:
            yield member.filename, "it is too large"
        else:
            yield member.filename, archive.read(member)


class _Watched:
    """A stream that knows what it ended with: tarfile takes one that is cut off between members for whole."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._tail = b""

    def read(self, size: int) -> bytes:
        data: bytes = self._stream.read(size)
        self._tail = (self._tail + data)[-1024:]
        return data

    def check_end(self) -> None:
        while self.read(1 << 16):
            pass
        if self._tail.strip(b"\0"):
            raise tarfile.ReadError("it is cut off")


_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
"""What is said of the file that follows."""


class _ShortHeader(tarfile.TarInfo):
    """What an archive says of a file, unless that is longer than anything of a cache."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _HEADERS and found.size > _MOST_HEADER:
            raise tarfile.ReadError("it says too much of a file")
        return found


def _of_tar(stream: Any) -> Iterator[tuple[str, bytes | str]]:
    watched: Any = _Watched(stream)
    with tarfile.open(fileobj=watched, mode="r|", tarinfo=_ShortHeader) as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isreg():
                yield member.name, "it is a link" if member.islnk() or member.issym() else "it is no plain file"
            elif member.size > MOST_BYTES:
                yield member.name, "it is too large"
            else:
                file = archive.extractfile(member)
                assert file is not None
                yield member.name, file.read()
    watched.check_end()


# --- zstandard ---


def _zstandard() -> Any:
    try:
        import zstandard  # noqa: PLC0415  only for archives of this kind
    except ImportError:
        raise SetupError(
            "archives that end in .tar.zst need the package zstandard",
            hint="`pip install 'd2lbuild[zstd]'`, or choose a name that ends in .tar.gz",
        ) from None
    return zstandard


def _zstandard_errors() -> tuple[type[Exception], ...]:
    with contextlib.suppress(SetupError):
        return (_zstandard().ZstdError,)
    return ()


@contextlib.contextmanager
def _writing_to(target: Path) -> Iterator[None]:
    """Say which place cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot write {target}: {reason}", hint="choose another place") from error
