"""The preview answers its own pages only, and publishing touches nothing of others."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.errors import UsageError
from d2lbuild.publishing.places import Folder
from d2lbuild.publishing.publish import publish
from d2lbuild.serving.application import application
from tests.publishing.test_publish import write
from tests.serving.test_application import HOSTS, Site, ask


@pytest.fixture
def site(tmp_path: Path) -> Site:
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "404.html").write_text("<html><head></head><body>Not here</body></html>", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (shown / "link.txt").symlink_to(tmp_path / "secret.txt")
    (shown / "folder").symlink_to(tmp_path, target_is_directory=True)
    return Site(shown)


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/..\\secret.txt", "/.%2e/secret.txt"),
        *("/link.txt", "/folder/secret.txt", "//secret.txt", "/./../secret.txt", "/\u2025/secret.txt"),
    ],
)
def test_no_path_and_no_link_leads_out_of_the_site(site: Site, path: str) -> None:
    status, _, body = ask(site, path)
    assert status == 404
    assert b"secret" not in body


def test_nobody_gets_a_websocket(site: Site) -> None:
    """A browser asks for one from any page without asking us first."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    async def connect() -> None:
        await application(site, HOSTS)(scope, receive, send)

    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/_d2lbuild/events",
        "headers": [(b"host", b"127.0.0.1:8000")],
    }
    scope |= {"query_string": b"", "subprotocols": [], "scheme": "ws"}
    asyncio.run(connect())
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000.evil.example", "127.0.0.1:8000@evil.example", "0.0.0.0:8000", "[::1]:8000"]
)
def test_names_that_look_like_ours_are_refused(site: Site, host: str) -> None:
    assert ask(site, "/", {"host": host})[0] == 403


def test_publishing_goes_through_no_link(tmp_path: Path) -> None:
    """A link at the place was made by somebody else: what lies behind it is not ours."""
    source = write(tmp_path / "site", {"index.html": "1", "img/a.svg": "2"})
    target, precious = tmp_path / "www", write(tmp_path / "precious", {"a.svg": "2", "b.svg": "3"})
    publish(source, Folder(target))
    for path in (target / "img").iterdir():
        path.unlink()
    (target / "img").rmdir()
    (target / "img").symlink_to(precious, target_is_directory=True)
    for files in ({"index.html": "1", "img/a.svg": "new"}, {"index.html": "1"}):
        write(source, files)
        with pytest.raises(UsageError, match="link"):
            publish(source, Folder(target))
    assert {path.name: path.read_text("utf-8") for path in precious.iterdir()} == {"a.svg": "2", "b.svg": "3"}


def test_a_file_that_is_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    source = write(tmp_path / "site", {"index.html": "1"})
    target, precious = tmp_path / "www", tmp_path / "precious.html"
    publish(source, Folder(target))
    precious.write_text("precious", "utf-8")
    (target / "index.html").unlink()
    (target / "index.html").symlink_to(precious)
    write(source, {"index.html": "2"})
    publish(source, Folder(target))
    assert precious.read_text("utf-8") == "precious"
    assert not (target / "index.html").is_symlink()
