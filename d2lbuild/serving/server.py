"""The preview's own process: it serves, watches, and has others build and run. Ctrl-C ends all of it."""

import asyncio
import signal
import socket
import time
import webbrowser
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import uvicorn

from d2lbuild.config import Config
from d2lbuild.errors import SetupError
from d2lbuild.serving.application import Events, application
from d2lbuild.serving.children import Child, start
from d2lbuild.serving.engine import PLACE, Preview
from d2lbuild.serving.running import Run, Runs
from d2lbuild.serving.state import Problem
from d2lbuild.serving.watching import changes
from d2lbuild.wording import count

__all__ = ["LOOPBACK", "PreviewServer", "listening_socket"]

LOOPBACK = "127.0.0.1"
_MODULE = "d2lbuild.serving.builder_process"
_TRIES = 50
"""Ports that are tried after one that is taken."""
_SOON = 5.0
"""Seconds within which a process that builds must not end again and again."""


def listening_socket(port: int) -> socket.socket:
    """Return a socket on loopback at `port`, or at the next one that is free; 0 stands for any."""
    for number in [port] if port == 0 else range(port, min(port + _TRIES, 65536)):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((LOOPBACK, number))
            found.listen()
        except OSError:
            found.close()
            continue
        return found
    raise SetupError(f"no port from {port} on is free", hint="choose another one with --port")


class _Server(uvicorn.Server):
    """Leaves signals to us, so that the exit code is ours, too."""

    @contextmanager
    def capture_signals(self) -> Any:
        yield


class PreviewServer:
    """Serves the preview of one book; `tell` is given lines for the terminal."""

    def __init__(
        self, preview: Preview, config: Config, *, run: bool, tell: Callable[[str], None], opens: bool = False
    ) -> None:
        self.events = Events()
        self.shown = config.output / PLACE / "shown"
        self._preview, self._config, self._tell = preview, config, tell
        self._runs_by_itself, self._opens = run, opens
        self._state: dict[str, Any] = {"error": "", "hint": "", "problems": [], "stale": {}}
        self._updates = 0
        self._busy = self._settled = False
        self._builder: Child | None = None
        self._told: set[str] = set()
        self._ready = asyncio.Event()
        self._runs = Runs(str(preview.book), str(preview.output or "-"), self._told_of_runs, self._run_ended)

    async def serve(self, listening: socket.socket, wanted: int) -> None:
        """Serve until SIGINT or SIGTERM; when this returns, all that was started has ended.

        `wanted` is the port that the user has asked for.
        """
        _on_end(self._end)
        port = listening.getsockname()[1]
        if wanted not in {0, port}:
            self._tell(f"port {wanted} is taken by another program; this one uses {port}")
        hosts = frozenset(f"{name}:{port}" for name in (LOOPBACK, "localhost"))
        hosts |= {LOOPBACK, "localhost"} if port == 80 else frozenset()
        app = application(self, hosts)
        settings = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", ws="none")
        self._server = _Server(settings)
        address = f"http://{LOOPBACK}:{port}/"
        tasks = [
            asyncio.create_task(work)
            for work in (self._build(), self._watch(), self._runs.work(), self._welcome(address))
        ]
        serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        try:
            await asyncio.wait([serving, *tasks[:3]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._end()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(serving, *tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _end(self) -> None:
        self.events.close()
        self._server.should_exit = True

    # --- what the application asks ---

    def state(self) -> dict[str, Any]:
        """Return what pages may know."""
        return {
            **self._state,
            "updates": self._updates,
            "busy": self._busy,
            "settled": self._settled,
            "runs": self._runs.as_json(),
        }

    def run(self, section: str, framework: str) -> bool:
        """Run a section; return False if there is no such with code whose outputs are missing."""
        if framework not in self._state["stale"].get(section, {}):
            return False
        self._runs.ask(section, framework)
        return True

    # --- building ---

    async def _build(self) -> None:
        """Have the book built; a process that crashes is begun again when there is something to look at."""
        preview = self._preview
        arguments = (str(preview.book), ",".join(preview.frameworks), str(preview.output or "-"))
        while True:
            begun = time.monotonic()
            self._builder = builder = await start(_MODULE, *arguments)
            builder.send({"force": True})
            try:
                async for line in builder.lines():
                    self._hear(line)
            finally:
                self._builder = None
                await builder.end()
            self._state = {**self._state, "error": "the process that builds has ended early; it begins again"}
            self._report_state()
            await asyncio.sleep(0 if time.monotonic() - begun > _SOON else _SOON)

    async def _watch(self) -> None:
        async for _ in changes(self._config.root, self._config.output, self._tell):
            if self._builder is not None:
                self._builder.send({"look": True})

    def _hear(self, line: dict[str, Any]) -> None:
        self._busy = bool(line.get("busy"))
        self._settled = bool(line.get("settled"))
        update = line.get("update")
        if early := line.get("early"):
            self.events.tell({"changed": early})
        if update is None:
            return
        self._updates += 1
        self._state = update["state"]
        self.events.tell({"changed": update["changed"], "updates": self._updates})
        self._report(update)
        self._report_state()
        self._ready.set()
        if self._runs_by_itself:
            for section in update["edited"]:
                for framework in self._state["stale"].get(section, {}):
                    self._runs.ask(section, framework)

    # --- running ---

    def _told_of_runs(self) -> None:
        self.events.tell({"runs": self._runs.as_json()})

    async def _run_ended(self, run: Run) -> None:
        what = f"{run.section} ({run.framework})"
        self._tell(f"ran {what}" if run.status == "done" else f"{what}: {run.text}")
        if self._builder is not None:
            self._builder.send({"force": True})

    # --- the terminal ---

    async def _welcome(self, address: str) -> None:
        await self._ready.wait()
        self._tell(f"serving on {address} (Ctrl-C ends it)")
        if self._opens:
            await asyncio.to_thread(webbrowser.open, address)

    def _report(self, update: dict[str, Any]) -> None:
        files = update["files"]
        if not files or update["state"]["error"]:
            return
        names = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        what = "the book" if self._updates == 1 else names
        pages = count(sum(name.endswith(".html") for name in update["changed"]), "page")
        self._tell(f"{time.strftime('%H:%M:%S')}  {what}: {pages} in {update['seconds']:.2f} s")

    def _report_state(self) -> None:
        """Tell what is wrong now and was not before."""
        state = self._state
        problems = [str(Problem(**one)) for one in state["problems"]]
        if state["error"]:
            problems.insert(0, f"error: {state['error']}" + (f" ({state['hint']})" if state["hint"] else ""))
        for line in problems:
            if line not in self._told:
                self._tell(line)
        if self._told and not problems:
            self._tell("nothing is wrong")
        self._told = set(problems)


def _on_end(end: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # not on this system
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
