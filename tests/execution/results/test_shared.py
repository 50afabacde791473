import io
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import fsspec
import pytest

from d2lbuild.errors import ConfigError
from d2lbuild.execution.results import shared as shared_module
from d2lbuild.execution.results.cache import ResultCache, entry_name, inputs_name
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.execution.results.shared import SharedCache
from d2lbuild.model import Status
from tests.execution.results.test_cache import files, now, result

PARTS = KeyParts({"code": "aa"})
READ = result(inputs={"x.csv": "d1"})
HERE = now(x_csv="d1")


@pytest.fixture
def memory() -> Iterator[str]:
    """The address of an empty store in memory."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    yield "memory://results"
    store.store.clear()


class Machine:
    """A cache of its own with a shared one, and what was said about that."""

    def __init__(self, folder: Path, url: str, *, writable: bool = False) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.cache = ResultCache(folder, SharedCache(url, writable, self.told.append))


@pytest.fixture(params=["folder", "file", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path, memory: str) -> str:
    folder = tmp_path / "shared"
    return {"folder": str(folder), "file": f"file://{folder}", "memory": memory}[request.param]


def test_one_machine_finds_what_another_has_made(tmp_path: Path, address: str) -> None:
    one = Machine(tmp_path / "one", address, writable=True)
    other = Machine(tmp_path / "other", address)
    assert other.cache.get(PARTS, HERE) is None
    one.cache.put(PARTS, READ)
    assert other.cache.get(PARTS, now(x_csv="d2")) is None
    assert other.cache.get(PARTS, HERE) == READ
    # It is kept here, and found without the other place.
    assert ResultCache(other.folder).get(PARTS, HERE) == READ
    assert one.told == other.told == []


def test_many_are_fetched_at_once(tmp_path: Path, address: str) -> None:
    wanted = [KeyParts({"code": str(number)}) for number in range(30)]
    one = Machine(tmp_path / "one", address, writable=True)
    for parts in wanted[::2]:
        one.cache.put(parts, READ)
    found = Machine(tmp_path / "other", address).cache.find_all(wanted, HERE)
    assert [entry is not None for entry in found] == [True, False] * 15


def test_several_sets_of_files_are_shared(tmp_path: Path, address: str) -> None:
    one = Machine(tmp_path / "one", address, writable=True)
    for name in "abc":
        one.cache.put(PARTS, result(text=name, inputs={name: "d"}))
        one.cache.put(PARTS, result(text=name, inputs={name: "d"}))
    other = Machine(tmp_path / "other", address)
    for name in "abc":
        found = other.cache.get(PARTS, now(**{name: "d"}))
        assert found is not None
        assert found.outputs[0][0]["text"] == name


def test_read_only_is_never_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "one", str(tmp_path / "shared"))
    machine.cache.put(PARTS, READ)
    assert not (tmp_path / "shared").exists()


def test_failures_are_not_shared(tmp_path: Path) -> None:
    Machine(tmp_path / "one", str(tmp_path / "shared"), writable=True).cache.put(PARTS, result(Status.FAILED))
    assert not (tmp_path / "shared").exists()


def test_damage_is_not_taken(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    Machine(tmp_path / "one", str(shared), writable=True).cache.put(PARTS, READ)
    key = PARTS.with_inputs(READ.inputs).key
    path = shared / entry_name("results", key)
    good = path.read_bytes()
    for bad in (good[:-1], good.replace(b'"seconds":1.5', b'"seconds":9.5'), b"", b"<html>404</html>"):
        path.write_bytes(bad)
        other = Machine(tmp_path / "other", str(shared))
        assert other.cache.get(PARTS, HERE) is None
        assert not (tmp_path / "other").exists()
    (shared / inputs_name(PARTS.key, 0)).write_bytes(b"?")
    path.write_bytes(good)
    assert Machine(tmp_path / "other", str(shared)).cache.get(PARTS, HERE) is None


def test_a_failure_that_somebody_puts_there_is_not_taken(tmp_path: Path) -> None:
    local = ResultCache(tmp_path / "one")
    local.put(PARTS, result(Status.FAILED))
    target = tmp_path / "shared" / entry_name("results", PARTS.key)
    target.parent.mkdir(parents=True)
    (tmp_path / "one" / entry_name("failures", PARTS.key)).rename(target)
    assert Machine(tmp_path / "other", str(tmp_path / "shared")).cache.get(PARTS, now()) is None


def test_what_cannot_be_reached_is_told_once(tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path / "one", memory, writable=True)
    asked: list[str] = []

    def unreachable(self: object, path: str, **_: object) -> bytes:
        asked.append(path)
        raise ConnectionError("no route to host\nmore")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", unreachable)
    for _ in range(3):
        assert machine.cache.get(PARTS, HERE) is None
        machine.cache.put(PARTS, READ)
        (machine.folder / entry_name("results", PARTS.with_inputs(READ.inputs).key)).unlink()
    assert machine.told == ["the shared cache memory://results is not used: no route to host"]
    assert len(asked) == 1


def test_what_may_not_be_read_is_absent(tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path / "one", memory)

    def forbidden(self: object, path: str, **_: object) -> bytes:
        raise PermissionError("Access Denied")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", forbidden)
    assert machine.cache.get(PARTS, HERE) is None
    assert machine.cache.get(PARTS, HERE) is None
    assert machine.told == [
        "the shared cache memory://results refuses to be read, at least what it lacks: Access Denied"
    ]


def test_a_full_disk_does_not_end_a_build(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("a file in the way")
    machine = Machine(tmp_path / "one", str(tmp_path / "shared"), writable=True)
    machine.cache.put(PARTS, READ)
    assert len(machine.told) == 1
    assert ResultCache(machine.folder).get(PARTS, HERE) == READ


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(url: str, **_: object) -> object:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    machine = Machine(tmp_path / "one", "s3://bucket/results")
    assert machine.cache.get(PARTS, HERE) is None
    (told,) = machine.told
    assert "d2lbuild[s3]" in told


@pytest.mark.parametrize(("url", "writable"), [("nonsense://x", False), ("https://example.org/x", True)])
def test_addresses_that_cannot_be_are_refused(url: str, writable: bool) -> None:
    with pytest.raises(ConfigError):
        SharedCache(url, writable)


def test_a_password_is_not_told() -> None:
    assert str(SharedCache("https://me:secret@example.org/x")) == "https://example.org/x"


def test_other_protocols_write_whole_files_too(tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_module, "_WHOLE", ())
    Machine(tmp_path / "one", memory, writable=True).cache.put(PARTS, READ)
    assert Machine(tmp_path / "other", memory).cache.get(PARTS, HERE) == READ
    assert not [path for path in fsspec.filesystem("memory").find("/") if path.endswith(".part")]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Refuse, below ``refusing/``, what is not there, as S3 does."""
        if "/refusing/" in self.path and not Path(self.translate_path(self.path)).exists():
            self.send_error(403)
            return None
        return super().send_head()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that has the folder ``shared``."""
    folder = tmp_path / "shared"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(60)


def test_a_plain_web_server_will_do(tmp_path: Path, served: str) -> None:
    """What a cache holds, copied to a web server, is found there."""
    ResultCache(tmp_path / "shared").put(PARTS, READ)
    other = Machine(tmp_path / "other", served)
    assert other.cache.get(KeyParts({"code": "none"}), HERE) is None
    assert other.cache.get(PARTS, HERE) == READ
    assert other.told == []
    assert files(tmp_path / "other") == files(tmp_path / "shared")


def test_a_server_may_refuse_what_it_does_not_have(tmp_path: Path, served: str) -> None:
    ResultCache(tmp_path / "shared" / "refusing").put(PARTS, READ)
    other = Machine(tmp_path / "other", f"{served}/refusing/")
    assert other.cache.get(KeyParts({"code": "none"}), HERE) is None
    assert other.cache.get(PARTS, HERE) == READ
    (told,) = other.told
    assert "403" in told


def test_a_web_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # without listening: nobody else can, and connections are refused
        machine = Machine(tmp_path / "other", f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert machine.cache.get(PARTS, HERE) is None
        assert machine.cache.get(PARTS, HERE) is None
    assert len(machine.told) == 1
