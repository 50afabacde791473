"""Sphinx's warnings as findings at the chapter's lines, kept from one incremental build to the next.

Sphinx warns about a page only when it reads or writes it; a page that is not built again keeps what was found before.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx
from sphinx.util import logging as sphinx_logging
from sphinx.util.build_phase import BuildPhase

from d2lbuild.model import Finding, Severity, Span
from d2lbuild.rendering.page_notebook import LinePositions

__all__ = ["PlacedWarning", "WarningCollector", "findings_of"]

_RULES = {
    "bibtex.key_not_found": "undefined-citation",
    "image.not_readable": "missing-image",
    "ref.numref": "undefined-label",
    "ref.ref": "undefined-label",
    "ref.eq": "undefined-label",
    "d2l.raw": "missing-file",
    "d2l.name": "undefined-name",
}
_NO_TRANSLATION = re.compile(r'Language "[\w-]+" not supported: Docutils-generated text')
"""Docutils says this once a process, wherever that happens to be reading; the book can do nothing about it."""
_MARKER = re.compile(r"\s*\[[a-z_-]+(\.[a-z_-]+)?\]\s*$")


@dataclass(frozen=True, slots=True)
class PlacedWarning:
    """A warning as Sphinx gave it: the page, the position in its notebook, and whether it came from reading it."""

    page: str
    position: int
    kind: str
    message: str
    reading: bool


class WarningCollector(logging.Handler):
    """Takes Sphinx's warnings in place of the terminal."""

    def __init__(self, app: Sphinx) -> None:
        super().__init__(logging.WARNING)
        self._app = app
        self.warnings: list[PlacedWarning] = []
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.addFilter(sphinx_logging.WarningSuppressor(app))
        self.addFilter(sphinx_logging.WarningLogRecordTranslator(app))
        self.addFilter(sphinx_logging.OnceFilter())
        app.connect("env-before-read-docs", lambda _app, _env, names: self.read.update(names))
        app.connect("doctree-resolved", lambda _app, _tree, name: self.written.add(name))

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
        reading = self._app.phase in {BuildPhase.INITIALIZATION, BuildPhase.READING}
        self.warnings.append(PlacedWarning(page, int(line), kind, message, reading))

    def _page(self, path: str) -> str:
        try:
            name = Path(path).resolve().relative_to(Path(self._app.srcdir))
        except ValueError:
            return ""
        return name.with_suffix("").as_posix()

    def keep(
        self,
        store: Path,
        findings: Mapping[PlacedWarning, Finding],
        pages: Iterable[str],
        more: Sequence[tuple[str, Finding]],
    ) -> list[Finding]:
        """Add what earlier builds found on pages that this one left alone, and remember it all in `store`.

        `more` are findings of other makers, by page; they replace all that was known of these pages from reading.
        """
        known = set(pages)
        now = [(warning.page, warning.reading, findings[warning]) for warning in self.warnings]
        now += [(page, True, finding) for page, finding in more]
        self.read.update(page for page, _ in more)
        for page, reading, finding in _load(store):
            renewed = self.read if reading else self.written | self.read
            if page in known and page not in renewed:
                now.append((page, reading, finding))
        store.write_text(json.dumps([_dump(*item) for item in now]), encoding="utf-8")
        return [finding for _, _, finding in now]


def findings_of(
    warnings: Sequence[PlacedWarning], sources: Mapping[str, PurePosixPath], positions: Mapping[str, LinePositions]
) -> dict[PlacedWarning, Finding]:
    """Say each warning in terms of the chapters."""
    return {warning: _finding(warning, sources, positions) for warning in warnings}


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
    return Finding(_RULES.get(warning.kind, "rendering"), message.rstrip("."), span, Severity.WARNING)


def _dump(page: str, reading: bool, finding: Finding) -> list[object]:
    place = [str(finding.span.path), finding.span.first] if finding.span else None
    return [page, reading, finding.rule, finding.message, place]


def _load(store: Path) -> list[tuple[str, bool, Finding]]:
    try:
        items = json.loads(store.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [
        (page, reading, Finding(rule, message, _span(place), Severity.WARNING))
        for page, reading, rule, message, place in items
    ]


def _span(place: tuple[str, int] | None) -> Span | None:
    return Span(PurePosixPath(place[0]), place[1], place[1]) if place else None
