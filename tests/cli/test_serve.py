import importlib.util
import socket
from pathlib import Path

import pytest
from filelock import FileLock

from d2lbuild.errors import SetupError
from d2lbuild.serving.server import LOOPBACK, listening_socket
from tests.cli.conftest import Run


def test_what_is_not_installed_is_said_with_the_command(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("d2lbuild.extras.find_spec", lambda name: None if name == "watchfiles" else find(name))
    told = run("serve")
    assert told.code == 3
    assert "the preview needs watchfiles" in told.err
    assert 'pip install "d2lbuild[serve]"' in told.err
    monkeypatch.setattr("d2lbuild.extras.find_spec", lambda name: None if name == "furo" else find(name))
    told = run("serve")
    assert told.code == 3
    assert "the preview needs furo" in told.err


def test_one_preview_of_a_book_at_a_time(run: Run, book: Path) -> None:
    (book / "_build").mkdir(exist_ok=True)
    with FileLock(book / "_build" / "serve.lock"):
        told = run("serve")
    assert told.code == 2
    assert "another preview" in told.err


def test_what_there_is_not(run: Run, book: Path) -> None:
    assert run("serve", "--framework", "torche").code == 2
    assert run("serve", "--port", "99999").code == 2


def test_the_next_port_is_taken_where_one_is_not_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with listening_socket(port) as found:
            assert found.getsockname()[0] == LOOPBACK
            assert found.getsockname()[1] > port


def test_no_port_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("d2lbuild.serving.server._TRIES", 1)
    with socket.create_server((LOOPBACK, 0)) as other, pytest.raises(SetupError, match="no port"):
        listening_socket(other.getsockname()[1])
