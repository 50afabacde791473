"""Links to other sites, asked for at a server of our own."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.checking.book import check_book
from d2lbuild.checking.links import Limits, ask_all, check_links
from d2lbuild.config import load_config
from d2lbuild.model import Severity, Span
from tests.books import INDEX, write_book

LIMITS = Limits(timeout=5, pause=0.01, longest_pause=0.02)
SPAN = Span(PurePosixPath("one.md"), 3, 3, 5)


@dataclass
class Site:
    """A server, and what it was asked."""

    address: str
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    most: int = 0
    """How many were served at the same time."""


@pytest.fixture
def site() -> Iterator[Site]:
    """Run a server; its paths are the codes that it answers with."""
    found = Site("")
    lock, running = threading.Lock(), Counter[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            with lock:
                found.asked[self.command, self.path] += 1
                running["now"] += 1
                found.most = max(found.most, running["now"])
            name = self.path.strip("/").partition("-")
            code = int(name[0])
            if name[2] == "head" and self.command == "GET":
                code = 200
            if name[2] == "busy":
                code = 503 if found.asked[self.command, self.path] < 3 else 200
            if name[2].startswith("slow"):
                threading.Event().wait(0.05)
            with lock:
                running["now"] -= 1  # who has an answer may ask the next one at once
            if name[2] != "dead":
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "/404" if name[2] == "gone" else "/200")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("200", ""),
        ("200#place", ""),
        ("405-head", ""),
        ("403-head", ""),
        ("404-head", ""),
        ("302", ""),
        ("503-busy", ""),
        ("404", "broken-link"),
        ("410", "broken-link"),
        ("302-gone", "broken-link"),
        ("403", "unreachable-link"),
        ("429", "unreachable-link"),
        ("500", "unreachable-link"),
        ("200-dead", "unreachable-link"),
    ],
)
def test_answers(site: Site, tmp_path: Path, path: str, rule: str) -> None:
    address = f"{site.address}/{path}"
    found = list(check_links([(address, SPAN)], tmp_path / "links.json", LIMITS))
    assert [one.rule for one in found] == ([rule] if rule else [])
    for one in found:
        assert one.span == SPAN
        assert f"'{address}'" in one.message
        assert one.severity is (Severity.ERROR if rule == "broken-link" else Severity.WARNING)


def test_who_is_busy_is_asked_three_times(site: Site, tmp_path: Path) -> None:
    list(check_links([(f"{site.address}/429", SPAN)], tmp_path / "links.json", LIMITS))
    assert sum(site.asked.values()) == 3


def test_nobody_there(tmp_path: Path) -> None:
    (one,) = check_links([("http://127.0.0.1:1/", SPAN)], tmp_path / "links.json", LIMITS)
    assert one.rule == "unreachable-link"


@pytest.mark.parametrize("address", ["http://[", "http://", "http://a b\x00/"])
def test_no_address(tmp_path: Path, address: str) -> None:
    (one,) = check_links([(address, SPAN)], tmp_path / "links.json", LIMITS)
    assert one.rule in {"broken-link", "unreachable-link"}


def test_good_answers_are_remembered_for_a_while(site: Site, tmp_path: Path) -> None:
    memory = tmp_path / "cache" / "links.json"
    links = [f"{site.address}/200", f"{site.address}/404"]
    ask_all(links, memory, LIMITS)
    site.asked.clear()
    answers = ask_all(links, memory, LIMITS)
    assert {path for _, path in site.asked} == {"/404"}
    assert [answers[link].there for link in links] == [True, False]
    memory.write_text(json.dumps({links[0]: time.time() - LIMITS.kept - 1}), encoding="utf-8")
    ask_all(links, memory, LIMITS)
    assert ("HEAD", "/200") in site.asked
    memory.write_text("damaged", encoding="utf-8")
    assert ask_all(links[:1], memory, LIMITS)[links[0]].there


def test_a_host_is_not_overrun(site: Site, tmp_path: Path) -> None:
    links = [f"{site.address}/200-slow{number}" for number in range(12)]
    assert all(answer.there for answer in ask_all(links, tmp_path / "links.json", LIMITS).values())
    assert 1 <= site.most <= LIMITS.a_host
    site.most = 0
    ask_all(links, tmp_path / "other.json", replace(LIMITS, a_host=1))
    assert site.most == 1


def test_of_a_book(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    there, gone = f"{site.address}/200", f"{site.address}/404"
    chapter = f"# One\n\nA [link]({there}), one [more]({gone}#x), <{gone}>, `<{gone}>`.\n\n```\n<{gone}>\n```\n"
    chapter += f"\nBare {site.address}/200, (http://localhost:1/x), https://www.example.org/a and {there}.\n"
    chapter += f"\n<!-- d2lbuild: ignore broken-link -->\nIgnored: [link]({gone}).\n"
    config = load_config(write_book(tmp_path / "book", {"index.md": INDEX, "one.md": chapter, "two.md": "# Two\n"}))
    assert not site.asked
    assert check_book(config) == ()
    assert not site.asked
    found = check_book(config, links=True)
    assert [(one.rule, one.span and one.span.first) for one in found] == [("broken-link", 3)] * 2
    assert site.asked == {("HEAD", "/200"): 1, ("HEAD", "/404"): 1, ("GET", "/404"): 1}


def test_a_site_that_takes_too_long(site: Site, tmp_path: Path) -> None:
    link = f"{site.address}/200-slow"
    answer = ask_all([link], tmp_path / "links.json", replace(LIMITS, timeout=0.01, tries=1))[link]
    assert not answer.there
    assert not answer.gone


def test_nobody_is_asked_again_who_is_remembered(site: Site, tmp_path: Path) -> None:
    link, memory = f"{site.address}/200", tmp_path / "links.json"
    ask_all([link], memory, LIMITS)
    before = memory.stat()
    site.asked.clear()
    assert ask_all([link], memory, LIMITS)[link].there
    assert not site.asked
    assert memory.stat().st_mtime_ns == before.st_mtime_ns
