"""Collects everything that is wrong with a configuration, so that all of it can be reported at once."""

import difflib
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from d2lbuild.errors import ConfigError
from d2lbuild.model import Finding, Severity, Span

__all__ = ["Problems", "UnreadableError", "inside", "nearest", "place_of", "read_text"]

_NOWHERE = Span(PurePosixPath(), 0, 0)
_MOST_BYTES = 1_000_000
"""Of a file that people write; reading one that is made to be long would take for ever."""


class UnreadableError(Exception):
    """A file that cannot be read at all; its finding has been collected."""


@dataclass(slots=True)
class Problems:
    """The findings of one reading of the configuration, in the order in which they were met."""

    findings: list[Finding] = field(default_factory=list)

    def error(self, rule: str, message: str, span: Span | None, hint: str = "") -> None:
        """Note something that keeps the book from being built."""
        self.findings.append(Finding(rule, message, span, Severity.ERROR, hint))

    def warn(self, rule: str, message: str, span: Span | None, hint: str = "") -> None:
        """Note something that is left out or ignored."""
        self.findings.append(Finding(rule, message, span, Severity.WARNING, hint))

    def note(self, rule: str, message: str, span: Span | None, hint: str = "") -> None:
        """Note something that a reader may want to know."""
        self.findings.append(Finding(rule, message, span, Severity.NOTE, hint))

    def raise_errors(self, source: str) -> None:
        """Raise a ConfigError with all findings if one of them is an error."""
        errors = sum(finding.severity is Severity.ERROR for finding in self.findings)
        if errors:
            count = "one problem" if errors == 1 else f"{errors} problems"
            raise ConfigError(f"{source}: {count} in the configuration", findings=self.in_order())

    def in_order(self) -> tuple[Finding, ...]:
        """Return the findings by file and line."""
        return tuple(sorted(self.findings, key=lambda finding: finding.span or _NOWHERE))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of the `known` names, or all of them if none is near."""
    known = list(known)
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{lowered[close[0]]}`?"
    return f"known are {', '.join(sorted(known))}" if known else ""


def inside(path: str) -> PurePosixPath | None:
    """Return `path` in normal form, or None if it is not a path below the folder it is relative to."""
    normal = posixpath.normpath(path)
    if (
        not path.strip()
        or "\\" in path
        or "\0" in path
        or normal.startswith(("/", "~"))
        or normal.split("/")[0] == ".."
    ):
        return None
    return PurePosixPath(normal)


def place_of(path: Path, root: Path) -> PurePosixPath:
    """Return how messages name `path`: relative to the book's root, or absolute if it lies elsewhere."""
    return PurePosixPath(path.relative_to(root) if path.is_relative_to(root) else path)


def read_text(path: Path, place: PurePosixPath, problems: Problems) -> str:
    """Return the text of a file with plain newlines; UnreadableError if it cannot be had."""
    try:
        data = path.read_bytes()
    except OSError as error:
        problems.error("unreadable", f"cannot be read: {error.strerror}", Span(place, 1, 1))
        raise UnreadableError from error
    if len(data) > _MOST_BYTES:
        problems.error("unreadable", f"is too long: {len(data):,} bytes", Span(place, 1, 1))
        raise UnreadableError
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here"
        problems.error("encoding", message, Span(place, line, line), "save the file as UTF-8")
        raise UnreadableError from error
