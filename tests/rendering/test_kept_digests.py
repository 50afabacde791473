"""Digests of files, kept from build to build."""

import os
import pickle
import time
from hashlib import sha256
from pathlib import Path

import pytest

from d2lbuild.rendering.kept_digests import digest_of_file, kept_digests


def _write(path: Path, text: str, *, age: int) -> None:
    """Write a file that was changed `age` seconds ago."""
    path.write_text(text, "utf-8")
    then = path.stat().st_mtime_ns - age * 10**9
    os.utime(path, ns=(then, then))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute pass."""
    now = time.time_ns
    monkeypatch.setattr("d2lbuild.rendering.kept_digests.time.time_ns", lambda: now() + 60 * 10**9)


@pytest.mark.usefixtures("later")
def test_a_file_is_read_once_while_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, memory = tmp_path / "one.txt", tmp_path / "work" / "digests.pickle"
    _write(file, "one", age=60)
    read: list[Path] = []
    original = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        read.append(path)
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    for _ in range(3):
        with kept_digests(memory):
            assert digest_of_file(file) == sha256(b"one").hexdigest()
    assert read.count(file) == 1
    _write(file, "two", age=60)  # as long as before, and as old
    with kept_digests(memory):
        assert digest_of_file(file) == sha256(b"two").hexdigest()


def test_what_was_changed_a_moment_ago_is_read_again(tmp_path: Path) -> None:
    """Two changes within one tick of the file system's clock leave the same times."""
    file, memory = tmp_path / "one.txt", tmp_path / "digests.pickle"
    _write(file, "one", age=60)  # its second time, which nobody can set, is now
    with kept_digests(memory):
        digest_of_file(file)
    assert not memory.exists() or pickle.loads(memory.read_bytes()) == {}


def test_without_a_file_there_is_no_digest(tmp_path: Path) -> None:
    (tmp_path / "damaged.pickle").write_bytes(b"nothing")
    with kept_digests(tmp_path / "damaged.pickle"):
        assert digest_of_file(tmp_path / "none.txt") == ""
