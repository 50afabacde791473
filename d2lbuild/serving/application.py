"""The web application: the website with a script that follows changes, events, and the wish to run a section.

It answers nobody but this machine's own browser at its own address: a page from elsewhere, or a foreign name that leads
here, is refused.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Events", "Preview", "application", "is_own", "with_script"]

OWN = "/_d2lbuild"
_STATIC = Path(__file__).parent / "static"
_SCRIPT = b'<script defer src="/_d2lbuild/live.js"></script>'
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "script-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_BEAT = 20.0
"""Seconds after which a page that hears nothing hears that the server is there."""
_MOST_BYTES = 10_000
_NOTHING_YET = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>d2lbuild</title></head>
<body><article><p>There is no website yet.</p></article></body></html>
"""


class Events:
    """What is told to all pages that listen."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    def tell(self, event: Mapping[str, Any]) -> None:
        """Tell all pages something."""
        for one in self._listeners:
            one.put_nowait(json.dumps(event))

    def close(self) -> None:
        """Let all pages go."""
        self._closed = True
        for one in self._listeners:
            one.put_nowait(None)

    async def listen(self) -> AsyncIterator[bytes]:
        """Yield what is told from now on, as server-sent events."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield b"retry: 500\ndata: {}\n\n"
            while not self._closed:
                try:
                    text = await asyncio.wait_for(queue.get(), _BEAT)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if text is None:
                    return
                yield f"data: {text}\n\n".encode()
        finally:
            self._listeners.discard(queue)


class Preview(Protocol):
    """What the application asks the server."""

    events: Events

    @property
    def shown(self) -> Path:
        """The folder of the website."""

    def state(self) -> dict[str, Any]:
        """Return what pages may know."""

    def run(self, section: str, framework: str) -> bool:
        """Run a section; return False if there is no such."""


def application(preview: Preview, hosts: frozenset[str]) -> ASGIApp:
    """Return the application; `hosts` are the names, with the port, that it answers to."""
    token = secrets.token_urlsafe(24)

    async def own_file(request: Request) -> Response:
        return FileResponse(_STATIC / request.url.path.rpartition("/")[2], headers=_HEADERS)

    async def state(_request: Request) -> Response:
        return JSONResponse({**preview.state(), "token": token}, headers=_HEADERS)

    async def events(_request: Request) -> Response:
        return StreamingResponse(preview.events.listen(), media_type="text/event-stream", headers=_HEADERS)

    async def run(request: Request) -> Response:
        wish = await _wish(request)
        if wish is None or not secrets.compare_digest(str(wish.get("token")).encode(), token.encode()):
            return _refusal("this does not come from a page of the preview")
        if not preview.run(str(wish.get("section")), str(wish.get("framework"))):
            return PlainTextResponse("there is no such section with code\n", 404, headers=_HEADERS)
        return JSONResponse({}, 202, headers=_HEADERS)

    async def page(request: Request) -> Response:
        return _file(preview.shown, request.path_params["path"])

    routes = [
        Route(f"{OWN}/live.js", own_file),
        Route(f"{OWN}/state.json", state),
        Route(f"{OWN}/events", events),
        Route(f"{OWN}/run", run, methods=["POST"]),
        Route("/{path:path}", page),
    ]
    return _guarded(Starlette(routes=routes), hosts)


async def _wish(request: Request) -> dict[str, Any] | None:
    """Return what a page asks for; None if it is nothing that a page of ours would send."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _MOST_BYTES:
            return None
    try:
        wish = json.loads(data)
    except ValueError:
        return None
    return wish if isinstance(wish, dict) else None


def _file(folder: Path, name: str) -> Response:
    path = folder / (f"{name}index.html" if not name or name.endswith("/") else name)
    root = folder.resolve()
    status = 200
    if "\0" in name or not path.resolve().is_relative_to(root) or not path.is_file():
        path, status = folder / "404.html", 404
    if path.suffix != ".html":
        kind = guess_type(path.name)[0] or "application/octet-stream"
        return FileResponse(path, status, media_type=kind, headers=_HEADERS)
    try:
        content = path.read_bytes()
    except OSError:
        content = _NOTHING_YET
    return Response(with_script(content), status, media_type="text/html", headers=_HEADERS)


def with_script(page: bytes) -> bytes:
    """Return a page with the script that follows changes, as the first that it has."""
    before, head, after = page.partition(b"<head>")
    return before + head + _SCRIPT + after if head else _SCRIPT + page


# --- who may ask ---


def is_own(headers: Mapping[str, str], hosts: frozenset[str]) -> bool:
    """Whether a request names us as its host, and comes from our own pages or from no page."""
    if headers.get("host", "").lower() not in hosts:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        place = urlsplit(origin.lower())
    except ValueError:
        return False
    return place.scheme == "http" and place.netloc in hosts


def _guarded(app: ASGIApp, hosts: frozenset[str]) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            if not is_own(request.headers, hosts) or _is_taken_elsewhere(request):
                await _refusal("this preview answers its own pages only")(scope, receive, send)
                return
        await app(scope, receive, send)

    return guarded


def _is_taken_elsewhere(request: Request) -> bool:
    """Whether a page of another site asks for something that is for our pages alone."""
    from_elsewhere = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    return from_elsewhere and (request.headers.get("sec-fetch-mode") != "navigate" or OWN in request.url.path)


def _refusal(why: str) -> Response:
    return PlainTextResponse(f"{why}\n", 403, headers=_HEADERS)
