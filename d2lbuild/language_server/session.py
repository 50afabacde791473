"""What the server knows of one book while it is edited: the texts that are not saved, and what is wrong with them.

Two passes find what is wrong. The quick one follows each key: marks, references, the syntax of the section's code. The
whole one is that of `d2lbuild check`, takes a second in a large book, and runs beside; what only it can find stays at
its lines until it has run again.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from d2lbuild.checking.book import check_book
from d2lbuild.checking.kept import kept_findings
from d2lbuild.config import Config, load_config
from d2lbuild.errors import BookError, D2lbuildError
from d2lbuild.language_server.snapshot import (
    Saved,
    Snapshot,
    editions_of,
    saved_names,
    take,
)
from d2lbuild.model import Finding, Section
from d2lbuild.source.book import load_book
from d2lbuild.source.kept import KeptSections
from d2lbuild.source.works import Work, read_works

__all__ = ["Session", "WholePass"]


@dataclass(frozen=True, slots=True)
class WholePass:
    """What the whole pass gave."""

    findings: tuple[Finding, ...]
    lines: Mapping[PurePosixPath, Sequence[str]]
    """The lines of the sections with findings, as they were then."""
    saved: Mapping[str, Sequence[Saved]]
    works: Mapping[str, Work]


class Session:
    """A book that is edited. Raises D2lbuildError if its configuration cannot be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config: Config = load_config(root)
        self.trouble: D2lbuildError | None = None
        """What keeps the book from being read at the moment; then the last good state is answered from."""
        self._unsaved: dict[PurePosixPath, str] = {}
        self._kept = KeptSections(self.config)
        self._kept_beside = KeptSections(self.config)  # the whole pass runs in another thread
        self._known = kept_findings(self.config)
        self._snapshot: Snapshot | None = None
        self._stale = True
        self._whole: WholePass | None = None

    def path_of(self, file: Path) -> PurePosixPath | None:
        """Return the path of a file below the book's root; None if it lies elsewhere."""
        with suppress(ValueError):
            return PurePosixPath(file.resolve().relative_to(self.root.resolve()).as_posix())
        return None

    # --- what happens in the editor ---

    def type(self, path: PurePosixPath, text: str) -> None:
        """Take a text as it is on the screen."""
        self._unsaved[path] = text
        self._stale = True

    def close(self, path: PurePosixPath) -> None:
        """Forget a text: from now on what the file holds counts."""
        self._unsaved.pop(path, None)
        self._stale = True

    def files_changed(self) -> None:
        """Read the book anew, with its configuration."""
        self._stale = True
        try:
            config = load_config(self.root)
        except D2lbuildError as error:
            self.trouble = error
            return
        if config != self.config:
            self.config = config
            self._kept, self._kept_beside = KeptSections(config), KeptSections(config)

    # --- what is known ---

    @property
    def snapshot(self) -> Snapshot | None:
        """The book as it is now; the last one that could be read if it cannot be; None if it never could."""
        if self._stale:
            self._stale = False
            try:
                self._snapshot = take(self.config, self._kept, self._unsaved, self._snapshot)
                self.trouble = None
            except BookError as error:
                self.trouble = error
        return self._snapshot

    def section(self, path: PurePosixPath) -> Section | None:
        """Return the section of a file, if the book has it."""
        return self.snapshot.by_path.get(path) if self.snapshot else None

    def findings(self, path: PurePosixPath) -> list[Finding]:
        """Return what is wrong with a section now."""
        snapshot, section = self.snapshot, self.section(path)
        if snapshot is None or section is None:
            return [one for one in (self._whole.findings if self._whole else ()) if one.span and one.span.path == path]
        quick = list(snapshot.findings(section))
        if self._whole is None or path not in self._whole.lines:
            return quick
        rules = {one.rule for one in quick} | _QUICK
        others = [one for one in self._whole.findings if one.span and one.span.path == path and one.rule not in rules]
        return list(dict.fromkeys([*quick, *moved(others, self._whole.lines[path], snapshot.lines(section))]))

    # --- the whole pass ---

    def whole_pass(self, config: Config, unsaved: Mapping[PurePosixPath, str]) -> WholePass:
        """Find everything; may run in another thread, once at a time, and changes nothing here."""
        book = load_book(config, self._kept_beside, unsaved)
        snapshot = Snapshot(config, book)
        editions = editions_of(snapshot, self._kept_beside)
        findings = check_book(config, self._known, unsaved=unsaved)
        named = {one.span.path for one in findings if one.span}
        lines = {path: snapshot.lines(section) for path, section in snapshot.by_path.items() if path in named}
        return WholePass(findings, lines, saved_names(editions), read_works(config.root, book.bibliography))

    def unsaved(self) -> Mapping[PurePosixPath, str]:
        """Return a copy of the texts that are on screens."""
        return dict(self._unsaved)

    def take_whole(self, found: WholePass) -> set[PurePosixPath]:
        """Take what the whole pass gave; return the files whose findings may be others now."""
        before = {one.span.path for one in (self._whole.findings if self._whole else ()) if one.span}
        self._whole = found
        if self._snapshot:
            self._snapshot = replace(self._snapshot, saved=found.saved, works=found.works)
        return before | {one.span.path for one in found.findings if one.span}


_QUICK = frozenset({"undefined-label", "undefined-citation", "missing-image", "missing-link", "missing-anchor"})
"""Rules whose findings the quick pass has all of, also if it has none."""


def moved(findings: Iterable[Finding], before: Sequence[str], now: Sequence[str]) -> list[Finding]:
    """Return findings of a text that has changed: at the lines that they are in now, without those that were edited."""
    same = next((n for n, (one, other) in enumerate(zip(before, now, strict=False)) if one != other), None)
    if same is None:
        same = min(len(before), len(now))
    behind = 0
    while behind < min(len(before), len(now)) - same and before[-1 - behind] == now[-1 - behind]:
        behind += 1
    shift = len(now) - len(before)
    found = []
    for one in findings:
        span = one.span
        if span is None or span.first <= same:
            found.append(one)
        elif span.first > len(before) - behind:
            found.append(replace(one, span=replace(span, first=span.first + shift, last=span.last + shift)))
    return found
