"""What has changed since a notebook was last run: for each input, from what to what."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from d2lbuild.execution.plan import NotebookToRun
from d2lbuild.execution.results.history import History, HistoryRecord
from d2lbuild.execution.results.keys import ABSENT, UNREADABLE, FileDigests, KeyParts

__all__ = ["Change", "Explanation", "explain", "packages_of"]

_WORDS = {
    "schema": "how d2lbuild runs notebooks",
    "code": "code of the notebook",
    "library": "library",
    "environment": "packages",
    "device": "device",
    "variables": "environment variables",
    "kernel": "command of the kernel",
    "framework": "framework",
    "data": "declared file",
    "file": "file that it read",
}
_PLAIN = ("schema", "framework", "device")
"""Parts that are words, not digests."""

_REQUIREMENT = re.compile(r"([\w.+-]+(?:\[[^\]]*\])?)\s*==\s*(\S+)(.*)")


@dataclass(frozen=True, slots=True)
class Change:
    """One input that is not what it was."""

    what: str
    """``code of the notebook``, ``library: train``, ``file that it read: img/x.png``, …"""
    before: str
    """What it was, in a few words; empty if it is new."""
    after: str
    """What it is; empty if it is gone."""
    lines: tuple[str, ...] = ()
    """The difference as lines of a unified diff, or of versions: ``torch 2.12.0 -> 2.13.0``."""
    note: str = ""
    """Why there are no such lines."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a notebook differs from its last run."""

    notebook: NotebookToRun
    record: HistoryRecord | None
    """The last run; None if nothing is known of one."""
    changes: tuple[Change, ...]


def explain(notebook: NotebookToRun, history: History, digests: FileDigests) -> Explanation:
    """Compare a notebook with its last run, whatever the cache has."""
    record = history.get(notebook.section, notebook.framework)
    if record is None:
        return Explanation(notebook, None, ())
    now = notebook.parts.with_present(KeyParts(record.parts).inputs, digests)
    names = [f"{kind}:{name}" if name else kind for kind, found in now.changes(record.parts).items() for name in found]
    texts = {**notebook.parts.texts, **notebook.details()} if names else {}
    comparison = _Comparison(record, now, history, texts, digests)
    # The header of the library is the part `library:`, whose name is empty.
    known = {*record.parts, *now.parts}
    changes = (comparison.change(name if name in known else f"{name}:") for name in names)
    return Explanation(notebook, record, tuple(changes))


@dataclass(frozen=True, slots=True)
class _Comparison:
    record: HistoryRecord
    now: KeyParts
    history: History
    texts: Mapping[str, str]
    digests: FileDigests

    def change(self, part: str) -> Change:
        kind, colon, name = part.partition(":")
        what = _WORDS.get(kind, kind) + (f": {name or 'its header'}" if colon else "")
        before, after = self.record.parts.get(part), self.now.parts.get(part)
        if kind in _PLAIN:
            return Change(what, before or "", after or "")
        if kind in ("file", "data"):
            sizes = (self.record.sizes.get(name), self.digests.size(name) if kind == "file" else None)
            return Change(what, _file(before, sizes[0]), _file(after, sizes[1]))
        old = self.history.text(before) if before else ""
        new = self.texts.get(part) if after else ""
        if old is None or new is None:
            return Change(what, _short(before), _short(after), note="what it was is not kept")
        compare = _versions if kind == "environment" else _diff
        return Change(what, _short(before), _short(after), tuple(compare(old, new)))


def _short(digest: str | None) -> str:
    if digest is None:
        return ""
    return digest if digest in (ABSENT, UNREADABLE) else digest[:12]


def _file(digest: str | None, size: int | None) -> str:
    return _short(digest) + (f", {size:,} bytes" if size is not None and digest not in (None, ABSENT) else "")


def _diff(old: str, new: str) -> Iterator[str]:
    if not old or not new:
        return iter(f"{'-' if old else '+'}{line}" for line in (old or new).splitlines())
    return difflib.unified_diff(old.splitlines(), new.splitlines(), "then", "now", lineterm="", n=2)


def _versions(old: str, new: str) -> Iterator[str]:
    """Compare lists of packages: by name where lines are exact requirements, by line where they are not."""
    before, after = packages_of(old), packages_of(new)
    for name in sorted({*before, *after}):
        then, now = before.get(name), after.get(name)
        if then != now:
            yield f"{name} {then} -> {now}" if then and now else f"+{name} {now}" if now else f"-{name} {then}"


def packages_of(text: str) -> dict[str, str]:
    """Return the packages that the text of an environment or a lock names, with their versions as written."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _REQUIREMENT.fullmatch(line.strip())
        name, version = (match[1], match[2] + match[3]) if match else _words(line)
        if name:
            # A lock may name one package several times, with markers.
            found[name] = f"{found[name]}, {version}" if name in found else version
    return found


def _words(line: str) -> tuple[str, str]:
    name, _, rest = line.strip().partition(" ")
    return ("", "") if name.startswith("#") else (name, rest or "(any)")
