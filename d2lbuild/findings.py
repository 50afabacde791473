"""Findings of several stages put together: each with a place, in reading order, once."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from d2lbuild.config import Config
from d2lbuild.model import Finding, Section, Span

__all__ = ["in_order", "placed"]


def placed(config: Config, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Give a place to what has none: an alias stands somewhere in the configuration."""
    source = PurePosixPath(config.source.relative_to(config.root).as_posix())
    return (one if one.span else replace(one, span=Span(source, 1, 1)) for one in findings)


def in_order(sections: Iterable[Section], findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return each finding once, in the order in which a reader comes across its place."""
    order = {section.path: n for n, section in enumerate(sections)}

    def place(finding: Finding) -> tuple[int, int, int]:
        span = finding.span
        return (order.get(span.path, -1), span.first, span.column) if span else (-1, 0, 0)

    return tuple(sorted(dict.fromkeys(findings), key=place))
