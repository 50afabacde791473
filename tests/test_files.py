"""Writing files whole, and only where something changes."""

import os
from pathlib import Path

import pytest

from d2lbuild.files import copy_if_changed, write_atomically, write_if_changed


def test_a_file_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "größe.txt"
    write_atomically(path, "eins ß")
    assert path.read_bytes() == "eins ß".encode()
    assert path.stat().st_mode & 0o777 == 0o644

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"two")
    assert [one.name for one in path.parent.iterdir()] == ["größe.txt"]
    assert path.read_bytes() == "eins ß".encode()


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_if_changed(path, "one")
    os.utime(path, ns=(1, 1))
    write_if_changed(path, b"one")
    assert path.stat().st_mtime_ns == 1
    write_if_changed(path, "two")
    assert path.read_text() == "two"


def test_a_copy_is_made_once(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b" / "a"
    source.write_text("one")
    copy_if_changed(source, target)
    inode = target.stat().st_ino
    target.write_text("ONE")
    os.utime(target, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    copy_if_changed(source, target)
    assert (target.read_text(), target.stat().st_ino) == ("ONE", inode)
    source.write_text("three")
    copy_if_changed(source, target)
    assert target.read_text() == "three"
