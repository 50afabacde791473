"""The whole book: its contents followed from the root, and every label, reference, image and citation placed."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from glob import glob
from pathlib import Path, PurePosixPath
from typing import Protocol

from d2lbuild.config import Config, default_frameworks
from d2lbuild.config.languages import notebook_language
from d2lbuild.errors import BookError
from d2lbuild.model import Book, ContentsEntry, Finding, Label, Section, Severity, Span
from d2lbuild.source.checking import Checker
from d2lbuild.source.kept import KeptSections
from d2lbuild.source.links import SUFFIXES, is_inside
from d2lbuild.source.markdown import FrameworkNames, cut_section
from d2lbuild.source.origins import is_origin_copy
from d2lbuild.source.reading import read_section

__all__ = ["SectionMemory", "framework_names", "load_book", "load_sections", "read_again", "read_sources"]

_NOWHERE = Span(PurePosixPath(), 0, 0)


class SectionMemory(Protocol):
    """Knows sections from another time."""

    def section(self, name: str, path: PurePosixPath, data: bytes, read: Callable[[], Section]) -> Section:
        """Return the section that was read from these bytes before, or what `read` gives."""


def load_book(
    config: Config, kept: SectionMemory | None = None, unsaved: Mapping[PurePosixPath, str] | None = None
) -> Book:
    """Read every section that the contents reach, and check what they refer to.

    Sections that are `kept` from another time are not read again. The texts of `unsaved` stand for those of the files.
    Raises BookError only if there is no root section; everything else that is wrong is in the book's findings.
    """
    loader = _Loader(config, kept or KeptSections(config), unsaved=unsaved or {})
    root = loader.walk_all()
    sections = loader.sections
    labels, duplicates = _collect_labels(sections.values())
    findings = [finding for section in sections.values() for finding in section.findings]
    checker = Checker(config, sections, labels)
    findings += [*loader.findings, *duplicates, *checker.check()]
    order = {section.path: n for n, section in enumerate(sections.values())}
    for orphan in (orphans := tuple(loader.orphans())):
        message = "no table of contents reaches this section: it has no page"
        start = Span(loader.path_of(orphan), 1, 1)
        findings.append(Finding("orphan", message, start, Severity.NOTE, "add it to a `toc`, or to the exclusions"))
    findings.sort(key=lambda one: (order.get(one.span.path, len(order)), one.span) if one.span else (-1, _NOWHERE))
    bibliography, citations = tuple(checker.bibliography), frozenset(checker.citations)
    return Book(root, sections, labels, citations, bibliography, orphans, tuple(findings))


def load_sections(config: Config) -> dict[str, Section]:
    """Read every section that the contents reach, but not their prose: enough for what the code alone decides."""
    loader = _Loader(config, KeptSections(config), code_only=True)
    loader.walk_all()
    return loader.sections


def read_sources(
    config: Config, unsaved: Mapping[PurePosixPath, str]
) -> Iterator[tuple[str, PurePosixPath, bytes, Callable[[], Section]]]:
    """Yield id, path and bytes of each source that the patterns match, and what reads its section."""
    loader = _Loader(config, KeptSections(config), unsaved=unsaved)
    for name in dict.fromkeys(loader.sources()):
        path = loader.path_of(name)
        with contextlib.suppress(OSError):
            data = loader.bytes_of(path)
            yield name, path, data, partial(loader.parsed, name, path, data)


def read_again(config: Config, section: Section) -> Section:
    """Return one section as its file is now; where its contents lead is not looked up.

    Raises OSError if the file cannot be read.
    """
    loader = _Loader(config, KeptSections(config))
    return loader.parsed(section.id, section.path, loader.bytes_of(section.path))


@dataclass(slots=True)
class _Loader:
    """Follows the contents, depth first."""

    config: Config
    kept: SectionMemory
    code_only: bool = False
    """Whether the prose is left unread."""
    unsaved: Mapping[PurePosixPath, str] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    folder: Path = field(init=False)
    names: FrameworkNames = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.config.root / self.config.chapters
        self.names = framework_names(self.config)

    def walk_all(self) -> str:
        """Follow the contents from the root; return the root's id."""
        root = self.find("index")
        if root is None:
            place = PurePosixPath(self.config.chapters / "index.md")
            raise BookError(
                f"the book has no root section: {place} does not exist", hint="write it, with a `toc` block"
            )
        self.walk(root, ())
        return root

    def find(self, name: str) -> str | None:
        """Return `name` if a file of that name exists."""
        return name if self._suffix(name) else None

    def path_of(self, name: str) -> PurePosixPath:
        """Return the file of a section that exists, relative to the root."""
        return PurePosixPath(f"{self.config.chapters}/{name}{self._suffix(name)}")

    def _suffix(self, name: str) -> str:
        return next((one for one in SUFFIXES if os.path.isfile(f"{self.folder}/{name}{one}")), "")  # noqa: PTH113 - of hundreds of names

    def walk(self, name: str, above: tuple[str, ...]) -> None:
        section = self._read(name)
        self.sections[name] = section  # its place in the reading order is before its children's
        contents = []
        for toc in section.contents:
            entries = [self._enter(section, entry, (*above, name)) for entry in toc.entries]
            contents.append(replace(toc, entries=tuple(entries)))
        self.sections[name] = replace(section, contents=tuple(contents))

    def _enter(self, section: Section, entry: ContentsEntry, above: tuple[str, ...]) -> ContentsEntry:
        target = self._target(section, entry)
        if target is None:
            return entry
        if target in above:
            way = " → ".join([*above[above.index(target) :], target])
            self._find("toc-cycle", f"the table of contents runs in a circle: {way}", entry.span, "remove this entry")
            return entry
        if target in self.sections:
            message = f"'{target}' is already in the table of contents"
            self._find("toc-repeat", message, entry.span, "name each section once")
            return entry
        self.walk(target, above)
        return replace(entry, section=target)

    def _target(self, section: Section, entry: ContentsEntry) -> str | None:
        name = entry.target
        for suffix in SUFFIXES:
            name = name.removesuffix(suffix)
        base = PurePosixPath(section.id).parent
        path = os.path.normpath(name.lstrip("/") if name.startswith("/") else str(base / name)).replace(os.sep, "/")
        if path.startswith("..") or not is_inside(self.folder / path, self.config.root):
            self._find("toc-leaves-book", f"the entry '{entry.target}' leads out of the book", entry.span, "")
            return None
        if found := self.find(path):
            return found
        near = get_close_matches(path, list(self.sources()), n=1)
        hint = f"did you mean '{os.path.relpath(near[0], base)}'?" if near else "write the section, or remove the entry"
        self._find("toc-target", f"the section '{entry.target}' does not exist", entry.span, hint)
        return None

    def _read(self, name: str) -> Section:
        path = self.path_of(name)
        try:
            data = self.bytes_of(path)
        except OSError as error:
            finding = Finding("unreadable", f"the file cannot be read: {error.strerror}", Span(path, 1, 1))
            return self._parsed(name, path, "", None, [finding])
        return self.kept.section(name, path, data, lambda: self.parsed(name, path, data))

    def bytes_of(self, path: PurePosixPath) -> bytes:
        """Return what a source holds. Raises OSError, also for a link that leads out of the book."""
        typed = self.unsaved.get(path)
        if typed is not None:
            return typed.encode("utf-8", "replace")
        file = self.config.root / path
        if not is_inside(file, self.config.root):
            raise OSError(errno.EPERM, "it is a link that leads out of the book")
        return file.read_bytes()

    def parsed(self, name: str, path: PurePosixPath, data: bytes) -> Section:
        return self._parsed(name, path, *_text_of(data, path))

    def _parsed(
        self, name: str, path: PurePosixPath, text: str, lines: list[int] | None, findings: list[Finding]
    ) -> Section:
        section = cut_section(text, path, self.names, name=name, lines=lines)
        if findings:
            section = replace(section, findings=(*findings, *section.findings))
        return section if self.code_only else read_section(section)

    def sources(self) -> Iterator[str]:
        """Yield the ids of all files that the patterns of the configuration match."""
        excluded = {name for pattern in self.config.exclusions for name in self._glob(pattern)}
        for pattern in self.config.notebooks:
            for name in sorted(self._glob(pattern)):
                path = self.folder / name
                if self.config.translation is not None and is_origin_copy(PurePosixPath(name)):
                    continue
                if path.suffix in SUFFIXES and name not in excluded and not path.is_relative_to(self.config.output):
                    yield PurePosixPath(name).with_suffix("").as_posix()

    def _glob(self, pattern: str) -> Iterable[str]:
        """Return what a pattern matches; hidden files and folders only if it names them."""
        return (Path(name).as_posix() for name in glob(pattern, root_dir=self.folder, recursive=True))  # noqa: PTH207  Path.glob takes hidden ones too

    def orphans(self) -> list[str]:
        return [name for name in dict.fromkeys(self.sources()) if name not in self.sections]

    def _find(self, rule: str, message: str, span: Span, hint: str) -> None:
        self.findings.append(Finding(rule, message, span, Severity.ERROR, hint))


def framework_names(config: Config) -> FrameworkNames:
    """Return the names that the marks of a book may use."""
    frameworks = config.frameworks
    return FrameworkNames(
        tuple(one.name for one in frameworks),
        _packaged_names(),
        languages={one.name: one.language for one in frameworks},
        comments={one.language: one.comment for one in frameworks},
    )


def _packaged_names() -> frozenset[str]:
    """Return the frameworks that d2lbuild brings; a book may mark code for one that it does not list."""
    return frozenset(folder.name for folder in default_frameworks().iterdir() if folder.is_dir())


def _text_of(data: bytes, path: PurePosixPath) -> tuple[str, list[int] | None, list[Finding]]:
    """Return the text of a source; for a notebook also the line of the file for each line of the text made from it."""
    findings: list[Finding] = []
    try:
        text = data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") and path.suffix == ".ipynb" else "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} in line {line}"
        findings.append(Finding("not-utf8", message, Span(path, line, line), hint="save it with the encoding UTF-8"))
        text = data.decode("utf-8", errors="replace")
    if path.suffix == ".ipynb":
        return *_notebook_text(text, path, findings), findings
    return text, None, findings


def _notebook_text(text: str, path: PurePosixPath, findings: list[Finding]) -> tuple[str, list[int] | None]:
    """Turn a notebook into MyST text (Jupytext), and find each of its lines in the JSON."""
    # Both take a while to import, and few books have notebooks as sources.
    import jupytext  # noqa: PLC0415
    import nbformat  # noqa: PLC0415

    if not text.strip():
        return "", None
    try:
        notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        if any(cell.get("outputs") for cell in notebook.cells):
            message = "the notebook holds outputs, which no build uses"
            hint = "clear them before it is committed"
            findings.append(Finding("outputs-in-source", message, Span(path, 1, 1), Severity.NOTE, hint))
        for cell in notebook.cells:
            cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        language = notebook_language(notebook.metadata)
        # Jupytext puts the name of the lexer behind each `{code-cell}`.
        notebook.metadata = {} if language == "python" else {"language_info": {"pygments_lexer": language}}
        made: str = jupytext.writes(notebook, fmt="md:myst")
    except Exception as error:  # nbformat and jupytext raise whatever they meet in a broken file
        message = f"the notebook cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        findings.append(Finding("broken-notebook", message, Span(path, 1, 1), hint="repair or export it again"))
        return "", None
    return made, _lines_in_json(made, text)


def _lines_in_json(made: str, text: str) -> list[int]:
    """For each line of `made`, the line of the notebook file where its text stands (or the nearest before it)."""
    raw = text.split("\n")
    at, found = 0, []
    for line in made.split("\n"):
        wanted = line.strip().replace("\\", "\\\\").replace('"', '\\"')
        hit = next((n for n in range(at, len(raw)) if wanted and wanted in raw[n]), None)
        at = hit if hit is not None else at
        found.append(at + 1)
    return found


def _collect_labels(sections: Iterable[Section]) -> tuple[dict[str, Label], list[Finding]]:
    labels: dict[str, Label] = {}
    findings = []
    for section in sections:
        for label in section.labels:
            first = labels.setdefault(label.name, label)
            if first is label or _in_different_tabs(first, label):
                continue
            message = f"the label '{label.name}' is already at {first.span}"
            findings.append(Finding("duplicate-label", message, label.span, hint="give one of them another name"))
    return labels, findings


def _in_different_tabs(one: Label, other: Label) -> bool:
    if one.span.path != other.span.path or one.frameworks is None or other.frameworks is None:
        return False
    return not one.frameworks & other.frameworks
