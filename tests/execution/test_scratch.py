import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import place_for

MakeRequest = Callable[..., ExecutionRequest]


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def written(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_copy_is_a_copy(make_request: MakeRequest, tmp_path: Path, parent: Path) -> None:
    image, program = written(tmp_path / "img" / "a.png", bytes(5_000_000)), written(tmp_path / "run.sh", b"")
    program.chmod(0o555)
    os.utime(image, ns=(10**18, 10**18))
    with place_for(make_request(files={"img/a.png": image, "chapter/x/run.sh": program})) as place:
        copy = place.book / "img" / "a.png"
        assert copy.read_bytes() == bytes(5_000_000)
        assert copy.stat().st_mtime_ns == 10**18
        copy.write_bytes(b"changed")
        mode = (place.book / "chapter" / "x" / "run.sh").stat().st_mode
        assert stat.S_IMODE(mode) == 0o755
        assert place.folder == place.book / "chapter"
        assert place.home.is_dir()
        assert (place.files["img/a.png"].size, place.files["img/a.png"].modified) == (5_000_000, 10**18)
    assert image.read_bytes() == bytes(5_000_000)
    assert list(parent.iterdir()) == []


def test_kept_folders_outlive_the_run(make_request: MakeRequest, tmp_path: Path, parent: Path) -> None:
    kept = tmp_path / "kept" / "data"
    for expected in (False, True):
        with place_for(make_request(kept={"data": kept})) as place:
            file = place.book / "data" / "x"
            assert file.exists() is expected
            file.touch()
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOSYS, errno.EINVAL])
def test_systems_that_cannot_copy_by_themselves(
    make_request: MakeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    with place_for(make_request(files={"a": written(tmp_path / "a")})) as place:
        assert (place.book / "a").read_bytes() == b"content"


def test_a_copy_that_stops_half_way_is_made_again(
    make_request: MakeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(old: int, new: int, count: int) -> int:
        return os.write(new, os.read(old, 3)) if os.lseek(new, 0, os.SEEK_CUR) == 0 else 0

    monkeypatch.setattr(os, "copy_file_range", some, raising=False)
    with place_for(make_request(files={"a": written(tmp_path / "a")})) as place:
        assert (place.book / "a").read_bytes() == b"content"


def test_a_full_disk_names_the_file(
    make_request: MakeRequest, tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    monkeypatch.setattr("shutil.copyfileobj", refuse)
    request = make_request(files={"img/a": written(tmp_path / "a")})
    with pytest.raises(OSError, match="No space left") as caught, place_for(request):
        pass
    assert Path(caught.value.filename).parts[-3:] == ("book", "img", "a")
    assert list(parent.iterdir()) == []


def test_a_file_that_has_gone_is_named(make_request: MakeRequest, tmp_path: Path, parent: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"), place_for(make_request(files={"a": tmp_path / "gone"})):
        pass
    assert list(parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_what_a_killed_build_has_left_goes_with_the_next_run(
    make_request: MakeRequest, tmp_path: Path, parent: Path
) -> None:
    code = """
import os, sys, tempfile
from pathlib import Path, PurePosixPath
from d2lbuild.execution.request import ExecutionRequest, KernelCommand
from d2lbuild.execution.scratch import place_for
tempfile.tempdir = sys.argv[1]
request = ExecutionRequest("a", "b", (), KernelCommand(Path("python")), Path("lib"), PurePosixPath("."))
with place_for(request) as place:
    (place.book / "big").write_text("big")
    if sys.argv[2] == "die":
        os._exit(1)
    print(flush=True)
    sys.stdin.read()
"""
    stranger = written(parent / "d2lstranger" / "file")
    subprocess.run([sys.executable, "-c", code, str(parent), "die"], check=False)
    command = [sys.executable, "-c", code, str(parent), "live"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout is not None
        living.stdout.readline()
        (used,) = [path for path in parent.iterdir() if path != stranger.parent]
        with place_for(make_request()) as place:
            assert set(parent.iterdir()) == {stranger.parent, used, place.private.parent}
            assert (used / "book" / "big").exists()
        living.communicate()
    assert list(parent.iterdir()) == [stranger.parent]
