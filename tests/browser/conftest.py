"""Our chapters as a site, served on loopback, and a real browser to look at it."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildRequest, build, select_frameworks

ROOT = Path(__file__).parents[2]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site of our chapters, all frameworks, nothing executed."""
    config = replace(load_config(ROOT), output=tmp_path_factory.mktemp("site"))
    report = build(config, BuildRequest(select_frameworks(config, ["all"]), execute=False))
    assert report.findings == ()
    return report.outputs["html"].parent


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Return the address under which the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# Not for the whole session: while Playwright is open, no other test of this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium; without one these tests have nothing to run in."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine: `make test` installs it where it may")
    arguments = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=arguments)
        yield running
        running.close()
