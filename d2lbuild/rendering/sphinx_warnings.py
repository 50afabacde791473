"""Sphinx's warnings as findings at the chapter's lines."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx
from sphinx.util import logging as sphinx_logging

from d2lbuild.model import Finding, Severity, Span
from d2lbuild.rendering.sources.page_notebook import LinePositions

__all__ = ["RULE_OF_WARNING", "PlacedWarning", "WarningCollector", "findings_of", "in_order"]

RULE_OF_WARNING = {
    "bibtex.key_not_found": "undefined-citation",
    "image.not_readable": "missing-image",
    "ref.numref": "undefined-label",
    "ref.ref": "undefined-label",
    "ref.eq": "undefined-label",
    "d2l.raw": "missing-file",
    "d2l.remote": "fetched-from-elsewhere",
    "d2l.name": "undefined-name",
    "d2l.formula": "formula-not-converted",
    "d2l.image": "unknown-image",
    "d2l.elsewhere": "remote-image",
}
"""The rule of each kind of warning; all others are `rendering`."""
_NO_TRANSLATION = re.compile(r'Language "[\w-]+" not supported: Docutils-generated text')
"""Docutils says this once a process, wherever that happens to be reading; the book can do nothing about it."""
_MARKER = re.compile(r"\s*\[[a-z_-]+(\.[a-z_-]+)?\]\s*$")


@dataclass(frozen=True, slots=True)
class PlacedWarning:
    """A warning as Sphinx gave it: the page, and the position in its notebook."""

    page: str
    position: int
    kind: str
    message: str


class WarningCollector(logging.Handler):
    """Takes Sphinx's warnings in place of the terminal."""

    def __init__(self, app: Sphinx) -> None:
        super().__init__(logging.WARNING)
        self._app = app
        self.warnings: list[PlacedWarning] = []
        self.addFilter(sphinx_logging.WarningSuppressor(app))
        self.addFilter(sphinx_logging.WarningLogRecordTranslator(app))
        self.addFilter(sphinx_logging.OnceFilter())

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one warning."""
        if _NO_TRANSLATION.search(logging.LogRecord.getMessage(record)):
            return
        location = str(getattr(record, "location", "") or "")
        path, _, line = location.rpartition(":")
        if not line.isdigit():
            path, line = location.removesuffix(":"), "0"
        kind = ".".join(part for part in (getattr(record, "type", ""), getattr(record, "subtype", "")) if part)
        message = _MARKER.sub("", logging.LogRecord.getMessage(record).strip())
        page = self._page(path)
        self.warnings.append(PlacedWarning(page, int(line), kind, message))

    def _page(self, path: str) -> str:
        try:
            name = Path(path).resolve().relative_to(Path(self._app.srcdir))
        except ValueError:
            return ""
        return name.with_suffix("").as_posix()


def findings_of(
    warnings: Sequence[PlacedWarning], sources: Mapping[str, PurePosixPath], positions: Mapping[str, LinePositions]
) -> list[Finding]:
    """Say each warning in terms of the chapters."""
    return [_finding(warning, sources, positions) for warning in warnings]


def _finding(
    warning: PlacedWarning, sources: Mapping[str, PurePosixPath], positions: Mapping[str, LinePositions]
) -> Finding:
    span = None
    if warning.page in positions:
        line = positions[warning.page].chapter_line(warning.position) or 1
        path = positions[warning.page].chapter(warning.position) or sources.get(warning.page)
        span = Span(path, line, line) if path else None
    message = warning.message.split("\n")[0].rstrip(":")
    if message[:1].isupper() and not message[:2].isupper():
        message = message[0].lower() + message[1:]
    return Finding(RULE_OF_WARNING.get(warning.kind, "rendering"), message.rstrip("."), span, Severity.WARNING)


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sort by place, each finding once (a piece that stands in two tabs is read once, but written twice)."""
    places = sorted(
        dict.fromkeys(findings), key=lambda found: (str(found.span.path), found.span.first) if found.span else ("", 0)
    )
    return tuple(places)
