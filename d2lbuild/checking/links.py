"""Links to other sites: each address is asked for once, a few at a time, and answers are remembered for a while.

A site that does not answer, or not to programs, says nothing about its page; only a page that it does not have is an
error.
"""

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from itertools import chain, zip_longest
from pathlib import Path
from typing import IO
from urllib.parse import quote, urldefrag, urlsplit

from d2lbuild import __version__
from d2lbuild.checking.files import found
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding, Span

__all__ = ["Answer", "Limits", "ask_all", "check_links"]

_WEEK = 7 * 24 * 3600.0
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Limits:
    """How sites are asked."""

    timeout: float = 15.0
    """Seconds until an answer begins."""
    at_once: int = 16
    """How many are asked at the same time."""
    a_host: int = 2
    """How many of one host."""
    tries: int = 3
    """How often one is asked that is busy."""
    pause: float = 2.0
    """Seconds before it is asked again, unless it says otherwise; twice as long each time."""
    longest_pause: float = 20.0
    kept: float = _WEEK
    """Seconds for which it is remembered that a page is there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of an address."""

    there: bool
    problem: str = ""
    """Why it is not there, or not known to be."""
    gone: bool = False
    """Whether its site says that there is no such page."""


def check_links(links: Iterable[tuple[str, Span]], memory: Path, limits: Limits | None = None) -> Iterator[Finding]:
    """Yield the links that lead nowhere. `memory` is the file that remembers the pages that are there."""
    links = list(links)
    answers = ask_all(dict.fromkeys(urldefrag(address)[0] for address, _ in links), memory, limits or Limits())
    for address, span in links:
        answer = answers[urldefrag(address)[0]]
        if answer.gone:
            yield found("broken-link", f"'{address}' is not there: {answer.problem}", span, "find its new address")
        elif not answer.there:
            yield found("unreachable-link", f"'{address}' could not be looked at: {answer.problem}", span)


def ask_all(addresses: Iterable[str], memory: Path, limits: Limits) -> dict[str, Answer]:
    """Return what is known of each address; what is not remembered is asked for."""
    now = time.time()
    known = {address: at for address, at in _remembered(memory).items() if now - limits.kept < at <= now}
    wanted = list(dict.fromkeys(addresses))
    answers = {address: Answer(True) for address in wanted if address in known}
    rest = _by_turns([address for address in wanted if address not in known])
    hosts: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(limits.a_host))
    for address in rest:
        hosts[_host(address)]  # made here, where no other thread is
    if rest:
        with ThreadPoolExecutor(min(limits.at_once, len(rest))) as pool:
            asked = pool.map(lambda address: _asked(address, hosts[_host(address)], limits), rest)
            answers |= dict(zip(rest, asked, strict=True))
        known |= {address: now for address in rest if answers[address].there}
        with contextlib.suppress(OSError):  # a folder that cannot be written costs time, nothing else
            write_atomically(memory, json.dumps(known, indent=0, sort_keys=True))
    return answers


def _remembered(memory: Path) -> Mapping[str, float]:
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
        return {str(address): float(at) for address, at in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _by_turns(addresses: Sequence[str]) -> list[str]:
    """Return the addresses so that those of one host stand far apart: nobody waits for one that is slow."""
    hosts: dict[str, list[str]] = {}
    for address in addresses:
        hosts.setdefault(_host(address), []).append(address)
    return [address for address in chain.from_iterable(zip_longest(*hosts.values())) if address is not None]


def _asked(address: str, host: threading.Semaphore, limits: Limits) -> Answer:
    pause = limits.pause
    answer = Answer(False, "it was not asked")
    for turn in range(limits.tries):
        with host:
            answer, wait = _ask(address, limits)
        if wait is None or turn + 1 == limits.tries:
            break
        time.sleep(min(wait or pause, limits.longest_pause))
        pause *= 2
    return answer


def _ask(address: str, limits: Limits) -> tuple[Answer, float | None]:
    """Ask once, for the head and, if that is refused, for the page; return also how long to wait if it is busy."""
    answer, wait = Answer(False), None
    for method in ("HEAD", "GET"):
        answer, wait = _request(method, address, limits)
        if answer.there or wait is not None:
            break
    return answer, wait


def _request(method: str, address: str, limits: Limits) -> tuple[Answer, float | None]:
    try:
        request = urllib.request.Request(  # noqa: S310 - only http and https are collected
            quote(address, safe="%/:=&?~#+!$,;'@()*[]"), method=method, headers=_HEADERS
        )
        with _OPENER.open(request, timeout=limits.timeout):
            return Answer(True), None
    except urllib.error.HTTPError as error:
        error.close()
        told = f"{error.code} {error.reason}".strip()
        if error.code in _BUSY:
            return Answer(False, told), _wait(error.headers)
        return Answer(False, told, gone=error.code in _GONE), None
    except urllib.error.URLError as error:
        return Answer(False, str(error.reason)), None
    except TimeoutError:
        return Answer(False, "it did not answer in time"), None
    except (OSError, HTTPException) as error:
        return Answer(False, str(error) or type(error).__name__), None
    except ValueError as error:  # it is no address
        return Answer(False, str(error), gone=True), None


def _wait(headers: Message) -> float:
    """Return the seconds after which a site wants to be asked again; 0 if it does not say."""
    told = headers.get("Retry-After", "") if headers else ""
    return float(told) if told.isascii() and told.isdigit() else 0.0


_HEADERS = {"User-Agent": f"Mozilla/5.0 (compatible; d2lbuild/{__version__})", "Accept": "*/*"}


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Keeps asking for the head only where a site leads elsewhere."""

    def redirect_request(  # noqa: PLR0917 - as the standard library has it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        made = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        if made is not None:
            made.method = req.get_method()
        return made


_OPENER = urllib.request.build_opener(_Redirects)
