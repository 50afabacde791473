"""What sections refer to, looked up: labels, works, images, links."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from d2lbuild.config import Config
from d2lbuild.model import Finding, Label, LabelKind, Reference, Section, Severity, Span
from d2lbuild.source.links import SUFFIXES, anchor_key, find_link, is_file, is_remote, resolve_path

__all__ = ["Checker"]

_BIBTEX_ENTRY = re.compile(
    r"^\s*@\s*(?!comment|string|preamble)\w+\s*[{(]\s*([^,\s}]+)\s*,", re.IGNORECASE | re.MULTILINE
)
_CITATIONS = frozenset({"cite", "citet", "citep"})


@dataclass(slots=True)
class Checker:
    """Looks up everything that sections name."""

    config: Config
    sections: Mapping[str, Section]
    labels: Mapping[str, Label]
    bibliography: list[PurePosixPath] = field(default_factory=list)
    """The BibTeX files that were found; `check` fills it."""
    citations: set[str] = field(default_factory=set)
    """The keys of their works."""
    _anchors: dict[str, frozenset[str]] = field(default_factory=dict)
    """By section, see `anchors`."""

    def check(self) -> Iterator[Finding]:
        """Yield what is wrong."""
        yield from self._bibliography()
        for section in self.sections.values():
            for reference in section.references:
                if reference.role in _CITATIONS:
                    yield from self._citation(reference)
                elif reference.role == "link":
                    yield from self._link(section, reference)
                elif reference.role in {"numref", "ref", "eqref"}:
                    yield from self._reference(reference)
            for image in section.images:
                yield from self._image(section, image.target, image.span)

    def _bibliography(self) -> Iterator[Finding]:
        """Read the keys of the bibliography's files; yield what is wrong with them."""
        root = self.config.root
        files: dict[Path, Span | None] = {root / file: None for file in self.config.bibliography}
        for section in self.sections.values():
            for mark in section.bibliographies:
                beside = resolve_path(root, section.path, mark.target)
                file = beside if beside and is_file(beside) else resolve_path(root, section.path, f"/{mark.target}")
                files.setdefault(file or root / PurePosixPath(mark.target).name, mark.span)
        for file, span in files.items():
            if is_file(file):
                self.bibliography.append(PurePosixPath(os.path.relpath(file, root)))
                self.citations |= set(_BIBTEX_ENTRY.findall(file.read_text(encoding="utf-8", errors="replace")))
            elif not any(known.name == file.name and is_file(known) for known in files):
                place = span or Span(PurePosixPath(self.config.source.name), 1, 1)
                yield Finding("missing-bibliography", f"the bibliography '{file.name}' does not exist", place)

    def _reference(self, reference: Reference) -> Iterator[Finding]:
        label = self.labels.get(reference.target)
        if label is None:
            near = get_close_matches(reference.target, self.labels, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "no label has this name"
            yield Finding("undefined-label", f"undefined label '{reference.target}'", reference.span, hint=hint)
        elif reference.role == "eqref" and label.kind is not LabelKind.EQUATION:
            message = (
                f"`:eqref:` needs an equation, but '{label.name}' ({label.span}) is of the kind {label.kind.value}"
            )
            yield Finding("wrong-reference", message, reference.span, hint="use `:numref:`")
        elif reference.role == "numref" and label.kind is LabelKind.EQUATION:
            message = f"`:numref:` refers to the equation '{label.name}'"
            yield Finding("wrong-reference", message, reference.span, Severity.WARNING, "use `:eqref:`")

    def _citation(self, reference: Reference) -> Iterator[Finding]:
        if reference.target not in self.citations:
            near = get_close_matches(reference.target, self.citations, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "add the work to the bibliography"
            yield Finding("undefined-citation", f"undefined citation '{reference.target}'", reference.span, hint=hint)

    # --- links and images ---

    def _link(self, section: Section, reference: Reference) -> Iterator[Finding]:
        target, span = reference.target, reference.span
        if is_remote(target) or not target:
            return
        link = find_link(target, section, self.sections, self.config.root)
        if not link.section:
            path = target.partition("#")[0]
            # What looks like no section may be a slip of another kind: `see f[i](x)`, or `www.example.org`.
            severity = Severity.ERROR if path.endswith((*SUFFIXES, ".html")) else Severity.WARNING
            yield from _missing("missing-link", "link's target", path, link.file, span, severity)
        elif link.fragment and anchor_key(link.fragment) not in self.anchors(link.section):
            there = "this section" if link.section == section.id else str(self.sections[link.section].path)
            message = f"{there} has no heading or label '{link.fragment}'"
            yield Finding("missing-anchor", message, span, Severity.WARNING, "the link leads to the page's beginning")

    def anchors(self, name: str) -> frozenset[str]:
        """Return the keys of the places of a section that a link can lead to: its labels and headings."""
        if name not in self._anchors:
            section = self.sections[name]
            self._anchors[name] = frozenset([*section.anchors, *(anchor_key(label.name) for label in section.labels)])
        return self._anchors[name]

    def _image(self, section: Section, target: str, span: Span) -> Iterator[Finding]:
        if is_remote(target):
            message = f"the image '{target}' lies elsewhere"
            hint = "keep a copy in the book: pages and PDFs work without the network"
            yield Finding("remote-image", message, span, Severity.WARNING, hint)
        else:
            yield from _missing(
                "missing-image", "image", target, resolve_path(self.config.root, section.path, target), span
            )


def _missing(  # noqa: PLR0917 - the parts of one finding
    rule: str, what: str, target: str, file: Path | None, span: Span, severity: Severity = Severity.ERROR
) -> Iterator[Finding]:
    """Report a file of the book that is not there; None is one that would lie outside of the book."""
    if file is None:
        yield Finding(rule, f"the {what} '{target}' leads out of the book", span, severity, hint="keep the file inside")
    elif not is_file(file):
        names: list[str] = []
        with contextlib.suppress(OSError):  # there is no such folder, or there cannot be
            names = [other.name for other in file.parent.iterdir()]
        near = get_close_matches(file.name, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else ""
        yield Finding(rule, f"the {what} '{target}' does not exist", span, severity, hint=hint)
