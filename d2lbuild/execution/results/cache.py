"""Results of notebooks by the digest of what they depend on.

Every entry is a file that is there whole or not at all, so any number of builds may share a cache. Books share it too:
a key says everything. What a notebook reads is known only after a run, so a look-up has two steps: `inputs/BASE/N.json`
are the sets of files that runs with these base parts were found to read; each set, with what those files hold now,
makes a key. Failures of cells are kept apart: they are shown until something changes, and never served as good.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.errors import SetupError
from d2lbuild.execution.results.entries import DamagedEntry, Entry, decode, encode, open_entry
from d2lbuild.execution.results.keys import DigestOf, KeyParts
from d2lbuild.execution.results.shared import SharedCache
from d2lbuild.files import write_atomically
from d2lbuild.model import ExecutionResult, Status

__all__ = ["ResultCache", "discard", "encode_inputs", "entry_name", "inputs_name", "read_inputs", "writing"]

MOST_SETS = 16
"""Sets of files for one base. A notebook that reads files with names made up anew must not fill the cache."""

_PARALLEL = 16
"""Requests to a shared cache at the same time."""


@dataclass(frozen=True, slots=True)
class ResultCache:
    """A store of results below a folder, and perhaps a second one that is shared."""

    folder: Path
    shared: SharedCache | None = None

    def get(self, parts: KeyParts, digest_of: DigestOf) -> ExecutionResult | None:
        """Return the newest result for these base parts and the files as they are: DONE, or FAILED."""
        while entry := self.find(parts, digest_of):
            try:
                return entry.load()
            except DamagedEntry:
                discard(entry.path)
            except OSError:
                return None
        return None

    def find(self, parts: KeyParts, digest_of: DigestOf) -> Entry | None:
        """Return the same without its outputs."""
        found = self._local(parts, digest_of)
        return found if found is not None or self.shared is None else self._fetch(parts, digest_of)

    def find_all(self, wanted: Sequence[KeyParts], digest_of: DigestOf) -> list[Entry | None]:
        """Return the entries of several notebooks; what is only in the shared cache is fetched at the same time."""
        found = [self._local(parts, digest_of) for parts in wanted]
        missing = [number for number, entry in enumerate(found) if entry is None]
        if self.shared is not None and missing:
            with ThreadPoolExecutor(_PARALLEL) as threads:
                fetched = threads.map(lambda number: self._fetch(wanted[number], digest_of), missing)
                for number, entry in zip(missing, fetched, strict=True):
                    found[number] = entry
        return found

    def put(self, parts: KeyParts, result: ExecutionResult) -> None:
        """Keep a result, with the files that it was found to read.

        Only what the notebook itself did is kept: a timeout or a dead kernel may not happen again.
        """
        if result.status not in (Status.DONE, Status.FAILED):
            return
        final = parts.with_inputs(result.inputs)
        done = result.status is Status.DONE
        content = encode(final, result)
        with writing(self.folder):
            write_atomically(self.folder / entry_name("results" if done else "failures", final.key), content)
            self.add_inputs(parts.key, result.inputs)
        if not done:
            return
        for key in {final.key, *self._keys_within(parts, result)}:
            discard(self.folder / entry_name("failures", key))
        if self.shared is not None:
            self._share(self.shared, parts.key, entry_name("results", final.key), content, sorted(result.inputs))

    def share(self, parts: KeyParts, entry: Entry) -> None:
        """Put a result of this cache into the shared one, with the files that it was found to read."""
        assert self.shared is not None
        name = entry_name("results", entry.parts.key)
        self._share(self.shared, parts.key, name, entry.path.read_bytes(), sorted(entry.parts.inputs))

    # --- one step: from base parts to keys ---

    def add_inputs(self, base: str, paths: Iterable[str]) -> bool:
        """Note that a run was found to read these files, unless that is known; return whether it was not."""
        wanted = sorted(paths)
        content = encode_inputs(base, wanted)
        for number in range(MOST_SETS if wanted else 0):
            path = self.folder / inputs_name(base, number)
            if _write_new(path, content):
                return True
            known = _inputs_of(path, base)
            if known == wanted:
                return False
            if known is None or number == MOST_SETS - 1:
                write_atomically(path, content)
                return True
        return False

    def known_inputs(self, base: str) -> frozenset[str]:
        """Return the files that any run with these base parts was found to read."""
        return frozenset(path for paths in self._sets(base) for path in paths)

    def _sets(self, base: str) -> Iterator[list[str]]:
        yield []
        for number in range(MOST_SETS):
            path = self.folder / inputs_name(base, number)
            paths = _inputs_of(path, base)
            if paths is not None:
                yield paths
            elif not path.exists():
                return

    def _keys(self, parts: KeyParts, digest_of: DigestOf) -> Iterator[str]:
        for paths in self._sets(parts.key):
            yield parts.with_present(paths, digest_of).key

    def _keys_within(self, parts: KeyParts, result: ExecutionResult) -> Iterator[str]:
        """Yield the keys of runs that ended earlier: those that read some of the same files."""
        for paths in self._sets(parts.key):
            if result.inputs.keys() >= set(paths):
                yield parts.with_inputs({path: result.inputs[path] for path in paths}).key

    # --- the other: from a key to its entry ---

    def _local(self, parts: KeyParts, digest_of: DigestOf) -> Entry | None:
        found = []
        for key in self._keys(parts, digest_of):
            for kind in ("results", "failures"):
                path = self.folder / entry_name(kind, key)
                try:
                    found.append(open_entry(path))
                except DamagedEntry:
                    discard(path)
                except OSError:
                    continue
        # Of a failure and a result that ended in the same second, the failure may have been the later one.
        return max(found, key=lambda entry: (entry.head.finished, entry.head.status is Status.FAILED), default=None)

    def _fetch(self, parts: KeyParts, digest_of: DigestOf) -> Entry | None:
        assert self.shared is not None
        paths: list[str] | None = []
        number = 0
        while paths is not None:
            key = parts.with_present(paths, digest_of).key
            entry = self._take(self.shared, key, parts.key, paths)
            if entry is not None:
                return entry
            paths = None
            while paths is None and number < MOST_SETS:
                content = self.shared.read(inputs_name(parts.key, number))
                number += 1
                if content is None:
                    return None
                paths = read_inputs(content, parts.key)
        return None

    def _take(self, shared: SharedCache, key: str, base: str, paths: Sequence[str]) -> Entry | None:
        """Copy an entry out of the shared cache, if it has a good one."""
        name = entry_name("results", key)
        path = self.folder / name
        content = shared.read(name)
        if content is None:
            return None
        try:
            if decode(path, content).status is not Status.DONE:
                return None
        except DamagedEntry:
            return None
        with writing(self.folder):
            write_atomically(path, content)
            self.add_inputs(base, paths)
        with contextlib.suppress(DamagedEntry, OSError):
            return open_entry(path)
        return None

    def _share(self, shared: SharedCache, base: str, name: str, content: bytes, paths: list[str]) -> None:
        shared.write(name, content)
        for number in range(MOST_SETS if paths and shared.writable else 0):
            slot = inputs_name(base, number)
            there = shared.read(slot)
            known = None if there is None else read_inputs(there, base)
            if known == paths:
                return
            if known is None or number == MOST_SETS - 1:
                shared.write(slot, encode_inputs(base, paths))
                return


def entry_name(kind: str, key: str) -> str:
    """Return the name of an entry below a cache; `kind` is ``results`` or ``failures``."""
    return f"{kind}/{key[:2]}/{key}.json"


def inputs_name(base: str, number: int) -> str:
    """Return the name of a set of files that a run was found to read."""
    return f"inputs/{base[:2]}/{base}/{number}.json"


def encode_inputs(base: str, paths: Sequence[str]) -> bytes:
    """Return such a set as its file holds it."""
    digest = hashlib.sha256(json.dumps([base, *paths]).encode()).hexdigest()
    return json.dumps({"base": base, "paths": list(paths), "digest": digest}, indent=0).encode()


def read_inputs(content: bytes, base: str) -> list[str] | None:
    """Return the files of a set; None if it is damaged, or one of another base."""
    try:
        paths = json.loads(content)["paths"]
        return paths if content == encode_inputs(base, paths) else None
    except (KeyError, RecursionError, TypeError, ValueError):
        return None


def _inputs_of(path: Path, base: str) -> list[str] | None:
    try:
        return read_inputs(path.read_bytes(), base)
    except OSError:
        return None


def discard(path: Path) -> None:
    """Remove a file if that is possible: a cache that cannot be written is still good to read."""
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say what to do if the cache cannot be written."""
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"cannot write the cache: {error.filename or folder}: {error.strerror or error}",
            hint="set D2LBUILD_CACHE to a folder that can be written",
        ) from error


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file whole unless there is one, whoever else tries to; return whether it was written."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".") as file:
        file.write(content)
        file.flush()
        Path(file.name).chmod(0o644)
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
        except OSError:
            # Some disks have no links. Then a set may be lost to another, which costs a run.
            write_atomically(path, content)
    return True
