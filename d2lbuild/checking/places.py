"""Columns for findings that know only their line: where what they name stands on it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from d2lbuild.model import Finding

__all__ = ["with_columns"]

_NAMED = re.compile(r"'([^'\n]+)'|`([^`\n]+)`")
_LINE_END = re.compile(r"\r\n|\r|\n")


def with_columns(findings: Iterable[Finding], data: Mapping[PurePosixPath, bytes]) -> Iterator[Finding]:
    """Yield the findings, those in one of the files with a column: of what the message names, or where the line begins.

    A notebook's text was made from its JSON: its columns are found anew, on the line of the file.
    """
    lines: dict[PurePosixPath, list[str]] = {}
    for finding in findings:
        span = finding.span
        if span is None or span.path not in data or (span.column and span.path.suffix != ".ipynb"):
            yield finding
            continue
        if span.path not in lines:
            lines[span.path] = _LINE_END.split(data[span.path].decode("utf-8", errors="replace"))
        line = lines[span.path][span.first - 1] if span.first <= len(lines[span.path]) else ""
        yield replace(finding, span=replace(span, column=_column(finding, line)))


def _column(finding: Finding, line: str) -> int:
    for match in _NAMED.finditer(finding.message):
        name = match[1] or match[2]
        if at := _find(name, line):
            return at
    return len(line) - len(line.lstrip()) + 1


def _find(name: str, line: str) -> int:
    """Return the column of a name, preferably as a whole word; 0 if it is not there."""
    if match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line):
        return match.start() + 1
    return line.find(name) + 1
