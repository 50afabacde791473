"""What the preview's web application answers, and to whom."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.serving.application import Events, application, is_own, with_script

HOSTS = frozenset({"127.0.0.1:8000", "localhost:8000"})
Answer = tuple[int, dict[str, str], bytes]


class Site:
    """Stands for the server."""

    def __init__(self, shown: Path) -> None:
        self.events = Events()
        self.shown = shown
        self.asked: list[tuple[str, str]] = []

    def state(self) -> dict[str, Any]:
        return {"problems": []}

    def run(self, section: str, framework: str) -> bool:
        self.asked.append((section, framework))
        return section == "one"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "index.html").write_text("<html><head><title>T</title></head><body>Text</body></html>", encoding="utf-8")
    (shown / "404.html").write_text("<html><head></head><body>Not here</body></html>", encoding="utf-8")
    (shown / "style.css").write_text("b {}", encoding="utf-8")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    return Site(shown)


def ask(
    site: Site, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: bytes = b""
) -> Answer:
    """Ask a new application something."""
    return asyncio.run(_asked(application(site, HOSTS), path, headers or {}, method, body))


async def _asked(app: Any, path: str, headers: Mapping[str, str], method: str, body: bytes) -> Answer:
    given = {"host": "127.0.0.1:8000", **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    sent: list[dict[str, Any]] = []

    asked: list[bytes] = [body]

    async def receive() -> dict[str, Any]:
        if not asked:
            await asyncio.Event().wait()  # nobody goes away
        return {"type": "http.request", "body": asked.pop(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answer = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answer, b"".join(one.get("body", b"") for one in sent[1:])


def test_pages_have_the_script_and_forbid_all_others(site: Site) -> None:
    status, headers, body = ask(site, "/")
    assert status == 200
    assert body.startswith(b'<html><head><script defer src="/_d2lbuild/live.js"></script><title>')
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert b"script" not in (site.shown / "index.html").read_bytes()


def test_other_files_are_as_they_are(site: Site) -> None:
    assert ask(site, "/style.css")[2] == b"b {}"
    assert b"EventSource" in ask(site, "/_d2lbuild/live.js")[2]


def test_what_there_is_not_is_the_page_for_that(site: Site) -> None:
    status, _, body = ask(site, "/nothing.html")
    assert status == 404
    assert b"Not here" in body
    assert b"live.js" in body


@pytest.mark.parametrize("path", ["/../secret.html", "/x/../../secret.html", "//etc/passwd", "/\0", "/style.css/"])
def test_nothing_outside_of_the_site_is_served(site: Site, path: str) -> None:
    status, _, body = ask(site, path)
    assert status == 404
    assert b"secret" not in body


def test_before_there_is_a_site_a_page_waits_for_it(tmp_path: Path) -> None:
    status, _, body = ask(Site(tmp_path / "shown"), "/")
    assert status == 404
    assert b"live.js" in body


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"host": "127.0.0.1:8000"}, True),
        ({"host": "LOCALHOST:8000"}, True),
        ({"host": "localhost:8000", "origin": "http://127.0.0.1:8000"}, True),
        ({}, False),
        ({"host": "127.0.0.1"}, False),
        ({"host": "127.0.0.1:8001"}, False),
        ({"host": "rebound.example.org:8000"}, False),
        ({"host": "localhost:8000", "origin": "http://rebound.example.org:8000"}, False),
        ({"host": "localhost:8000", "origin": "https://localhost:8000"}, False),
        ({"host": "localhost:8000", "origin": "http://localhost:8001"}, False),
        ({"host": "localhost:8000", "origin": "null"}, False),
        ({"host": "localhost:8000", "origin": "http://["}, False),
    ],
)
def test_only_own_pages_are_answered(site: Site, headers: dict[str, str], own: bool) -> None:
    assert is_own(headers, HOSTS) is own
    for path in ("/", "/_d2lbuild/state.json"):
        assert ask(site, path, {"host": "", **headers})[0] == (200 if own else 403)


def test_other_sites_may_lead_to_a_page_but_take_nothing(site: Site) -> None:
    assert ask(site, "/", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})[0] == 200
    assert ask(site, "/", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"})[0] == 403
    path = "/_d2lbuild/state.json"
    assert ask(site, path, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})[0] == 403
    assert ask(site, path, {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"})[0] == 200


def test_a_run_takes_the_token_of_this_process(site: Site) -> None:
    app = application(site, HOSTS)
    kind = {"content-type": "application/json"}

    def post(wish: object, headers: Mapping[str, str] = kind) -> int:
        data = wish if isinstance(wish, bytes) else json.dumps(wish).encode()
        return asyncio.run(_asked(app, "/_d2lbuild/run", headers, "POST", data))[0]

    state = json.loads(asyncio.run(_asked(app, "/_d2lbuild/state.json", {}, "GET", b""))[2])
    wish = {"section": "one", "framework": "jax", "token": state["token"]}
    for refused in ({**wish, "token": "x"}, {"section": "one"}, {**wish, "token": None}, b"{", b"[]", b"x" * 20_000):
        assert post(refused) == 403
    assert post(wish, {"content-type": "text/plain"}) == 403
    assert site.asked == []
    assert post(wish) == 202
    assert post({**wish, "section": "two"}) == 404
    assert site.asked == [("one", "jax"), ("two", "jax")]
    assert ask(site, "/_d2lbuild/run")[0] == 404
    assert post({**wish, "token": json.loads(ask(site, "/_d2lbuild/state.json")[2])["token"]}) == 403


def test_events_are_told_to_all_who_listen_and_end() -> None:
    async def listen() -> list[bytes]:
        events = Events()
        stream = events.listen()
        found = [await anext(stream)]
        events.tell({"changed": ["a"]})
        found.append(await anext(stream))
        events.close()
        found += [one async for one in stream]
        found += [one async for one in events.listen()]
        return found

    first, second, *rest = asyncio.run(listen())
    assert first == b"retry: 500\ndata: {}\n\n"
    assert second == b'data: {"changed": ["a"]}\n\n'
    assert rest == [first]


def test_a_page_without_a_head_has_the_script_too() -> None:
    assert with_script(b"<p>Text") == b'<script defer src="/_d2lbuild/live.js"></script><p>Text'
