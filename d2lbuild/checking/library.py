"""What is wrong with a framework's library, found again only when saved code changes, wherever in its file that stands.

The library is made from notebooks whose lines are numbered by their saved code alone; findings get real lines later.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from d2lbuild.checking.section import CheckedSection
from d2lbuild.config import Config, Framework
from d2lbuild.edition.library import extract
from d2lbuild.edition.library_checks import LibraryNames, check_library
from d2lbuild.model import Finding, Frameworks, Label, LabelKind, Notebook, Section, Span

__all__ = ["CheckedLibrary", "SavedCode", "check_saved", "saved_code", "saved_key"]

_OPEN, _SHUT = "\ue000", "\ue001"
"""Stand around the id of a section in a path of such a notebook; they are characters of no language."""
_PLACE = re.compile(rf"{_OPEN}(?P<section>[^{_SHUT}]*){_SHUT}:(?P<line>\d+)")


@dataclass(frozen=True)
class CheckedLibrary:
    """What is wrong with a library, and its names."""

    key: str
    findings: tuple[Finding, ...]
    names: LibraryNames | None
    """None where they are not known."""

    def placed(self, saved: Mapping[str, "SavedCode"]) -> Iterator[Finding]:
        """Yield the findings with the lines where the code stands now."""
        for finding in self.findings:
            span = finding.span
            yield replace(
                finding,
                message=_with_lines(finding.message, saved),
                hint=_with_lines(finding.hint, saved),
                span=_real(span, saved) if span else None,
            )


@dataclass(frozen=True, slots=True)
class SavedCode:
    """The saved code of one section for a framework."""

    path: PurePosixPath
    notebook: Notebook
    """Its path and lines are made up."""
    lines: tuple[int, ...]
    """For each line of saved code its line in the file."""


def saved_code(sections: Sequence[CheckedSection], framework: str) -> dict[str, SavedCode]:
    """Return, by section, what a framework's library is made from."""
    found = {}
    for one in sections:
        notebook = one.notebooks.get(framework)
        if notebook and notebook.saved:
            found[one.section.id] = _renumbered(one, framework)
    return found


def _renumbered(one: CheckedSection, framework: str) -> SavedCode:
    path = PurePosixPath(f"{_OPEN}{one.section.id}{_SHUT}")
    lines: list[int] = []
    cells = []
    for cell in one.notebooks[framework].saved:
        numbers = range(2 * len(lines) + 2, 2 * (len(lines) + len(cell.lines)) + 2, 2)
        lines += cell.lines
        span = Span(path, numbers[0], numbers[-1])
        cells.append(replace(cell, span=span, lines=tuple(numbers)))
    section = Section(one.section.id, path, (), "", labels=tuple(_labels(one.section.labels, path, lines)))
    return SavedCode(one.section.path, Notebook(section, framework, tuple(cells)), tuple(lines))


def _labels(labels: Sequence[Label], path: PurePosixPath, lines: Sequence[int]) -> Iterator[Label]:
    for label in labels:
        if label.kind is LabelKind.SECTION:
            at = 2 * sum(line <= label.span.first for line in lines) + 1
            yield Label(label.name, label.kind, Span(path, at, at), label.frameworks)


def saved_key(config: Config, framework: Framework, saved: Mapping[str, SavedCode]) -> str:
    """Return what tells a framework's library from all others."""
    digest = hashlib.sha256(repr((framework, config.library.package)).encode(errors="replace"))
    for one in saved.values():
        labels = [(label.name, label.span.first, _named(label.frameworks)) for label in one.notebook.section.labels]
        sources = [(cell.source, len(cell.lines)) for cell in one.notebook.cells]
        digest.update(repr((one.notebook.section.id, labels, sources)).encode(errors="replace"))
    return digest.hexdigest()


def check_saved(config: Config, framework: Framework, saved: Mapping[str, SavedCode], key: str) -> CheckedLibrary:
    """Make a framework's library, and look at it."""
    notebooks = [one.notebook for one in saved.values()]
    library = extract(notebooks, framework, package=config.library.package, title=config.title)
    findings, names = check_library(library)
    return CheckedLibrary(key, (*library.findings, *findings), names)


def _named(frameworks: Frameworks) -> Sequence[str] | None:
    return None if frameworks is None else sorted(frameworks)


def _real(span: Span, saved: Mapping[str, SavedCode]) -> Span:
    name = str(span.path)
    if not name.startswith(_OPEN):
        return span
    one = saved[name.strip(_OPEN + _SHUT)]
    return Span(one.path, _line(one, span.first), _line(one, span.last))


def _line(one: SavedCode, made_up: int) -> int:
    return one.lines[min(max(made_up // 2 - 1, 0), len(one.lines) - 1)]


def _with_lines(text: str, saved: Mapping[str, SavedCode]) -> str:
    def place(match: re.Match[str]) -> str:
        one = saved[match["section"]]
        return f"{one.path}:{_line(one, int(match['line']))}"

    return _PLACE.sub(place, text) if _OPEN in text else text
