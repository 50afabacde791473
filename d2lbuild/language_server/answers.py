"""What an editor is told about a name: what it may be completed to, what it means, where it comes from."""

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from d2lbuild.language_server.places import Kind, Place, block_at, places_of_label
from d2lbuild.language_server.snapshot import Saved, Snapshot
from d2lbuild.model import BlockKind, Label, LabelKind, Section, Span
from d2lbuild.source.links import find_link, is_remote, resolve_path
from d2lbuild.source.marks import ROLES

__all__ = [
    "Choice",
    "Fold",
    "check_new_label",
    "choices",
    "definitions",
    "explanation",
    "folds",
    "label_at",
    "uses_of_label",
]

_IMAGES = frozenset({".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp"})
_SOURCES = frozenset({".md", ".ipynb"})
_MOST = 500
"""So many choices are enough: an editor asks again when more is typed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may stand where it is typed."""

    text: str
    kind: Kind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines, counted from 0, that can be folded."""

    first: int
    last: int
    words: str
    """What is shown in their place."""


# --- completion ---


def choices(snapshot: Snapshot, section: Section, typed: Place) -> list[Choice]:
    """Return what the name that is being typed may become; those that begin so come first."""
    wanted = typed.name.casefold()
    found = [one for one in _all_choices(snapshot, section, typed) if wanted in one.text.casefold()]
    found.sort(key=lambda one: (not one.text.casefold().startswith(wanted), one.text))
    return found[:_MOST]


def _all_choices(snapshot: Snapshot, section: Section, typed: Place) -> Iterator[Choice]:
    if typed.kind is Kind.LABEL and typed.role not in {"label", "eqlabel"}:
        for label in snapshot.book.labels.values():
            if _fits(label, typed.role):
                yield Choice(label.name, Kind.LABEL, _title(label))
    elif typed.kind is Kind.WORK:
        yield from (
            Choice(key, Kind.WORK, snapshot.works[key].summary if key in snapshot.works else "")
            for key in snapshot.book.citations
        )
    elif typed.kind is Kind.SAVED:
        for name, versions in snapshot.saved.items():
            yield Choice(name, Kind.SAVED, ", ".join(one.framework for one in versions))
    elif typed.kind is Kind.FRAMEWORK:
        yield from (Choice(one.name, Kind.FRAMEWORK, one.title) for one in snapshot.config.frameworks)
        if typed.role == "tab":
            yield Choice("all", Kind.FRAMEWORK, "every framework")
    elif typed.kind is Kind.ENTRY:
        yield from _entries(snapshot, section)
    elif typed.kind is Kind.FILE:
        yield from _files(snapshot, section, typed)
    elif typed.kind is Kind.ROLE:
        yield from (Choice(f":{role}:`", Kind.ROLE) for role in sorted(ROLES))


def _fits(label: Label, role: str) -> bool:
    return role == "ref" or (label.kind is LabelKind.EQUATION) == (role == "eqref")


def _title(label: Label) -> str:
    words = " ".join(label.text.split())
    return f"{label.kind.value}: {words}" if words else label.kind.value


def _entries(snapshot: Snapshot, section: Section) -> Iterator[Choice]:
    """Yield the sections as a table of contents of this one names them, those first that no other has."""
    folder = os.path.dirname(section.id) or "."  # noqa: PTH120 - an id is no path of this system
    for name in (*snapshot.book.orphans, *snapshot.book.sections):
        if name != section.id:
            title = snapshot.book.sections[name].title if name in snapshot.book.sections else "in no table of contents"
            yield Choice(os.path.relpath(name, folder), Kind.ENTRY, title)


def _files(snapshot: Snapshot, section: Section, typed: Place) -> Iterator[Choice]:
    """Yield the files and folders below the folder that is typed so far."""
    if is_remote(typed.name):
        return
    before = typed.name.rpartition("/")[0]
    folder = resolve_path(snapshot.config.root, section.path, f"{before}/" if before else "./")
    wanted = frozenset({".bib"}) if typed.role == "bibliography" else _IMAGES | _SOURCES
    if folder is None or not folder.is_dir():
        return
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if not entry.name.startswith((".", "_")) and (entry.is_dir() or Path(entry.name).suffix.lower() in wanted):
            text = f"{before}/{entry.name}" if before else entry.name
            yield Choice(f"{text}/" if entry.is_dir() else text, Kind.FILE)


# --- definitions ---


def definitions(snapshot: Snapshot, section: Section, place: Place) -> list[Span]:
    """Return where a name comes from; a saved one first from where a framework of this cell saves it."""
    found: Iterable[Span | None] = ()
    if place.kind is Kind.LABEL:
        label = snapshot.book.labels.get(place.name)
        found = [label.span] if label else []
    elif place.kind is Kind.WORK:
        found = [snapshot.works[place.name].span] if place.name in snapshot.works else []
    elif place.kind is Kind.SAVED:
        found = [one.span for one in _versions(snapshot, section, place)]
    elif place.kind is Kind.ENTRY:
        entries = (entry for toc in section.contents for entry in toc.entries if entry.span.first == place.line + 1)
        found = [_beginning(snapshot, entry.section) for entry in entries]
    elif place.kind is Kind.FILE:
        found = [_file(snapshot, section, place.name)]
    return list(dict.fromkeys(span for span in found if span))


def _versions(snapshot: Snapshot, section: Section, place: Place) -> list[Saved]:
    """Return a saved name as the frameworks have it, those of the cell first."""
    block = block_at(section, place.line)
    own = block.frameworks if block and block.kind is BlockKind.CODE else None
    return sorted(snapshot.saved.get(place.name, ()), key=lambda one: bool(own) and one.framework not in (own or ()))


def _beginning(snapshot: Snapshot, name: str) -> Span | None:
    found = snapshot.book.sections.get(name)
    return Span(found.path, 1, 1) if found else None


def _file(snapshot: Snapshot, section: Section, target: str) -> Span | None:
    if is_remote(target):
        return None
    link = find_link(target, section, snapshot.book.sections, snapshot.config.root)
    if link.section:
        label = snapshot.book.labels.get(link.fragment)
        return label.span if label else _beginning(snapshot, link.section)
    if link.file is None or not link.file.is_file():
        return None
    return Span(PurePosixPath(link.file.relative_to(snapshot.config.root).as_posix()), 1, 1)


# --- hover ---


def explanation(snapshot: Snapshot, section: Section, place: Place) -> str:
    """Return what is known of the thing that is named, as Markdown; empty if nothing is."""
    if place.kind is Kind.LABEL and (label := snapshot.book.labels.get(place.name)):
        return f"**{' '.join(label.text.split()) or label.name}**\n\n{label.kind.value} · `{label.name}` · {label.span}"
    if place.kind is Kind.WORK and (work := snapshot.works.get(place.name)):
        return f"{work.summary or place.name}\n\n{work.span}"
    if place.kind is Kind.SAVED:
        return "\n\n".join(_of_versions(_versions(snapshot, section, place), place.name))
    if place.kind is Kind.FRAMEWORK:
        found = next((one for one in snapshot.config.frameworks if one.name == place.name), None)
        return f"**{found.title}**\n\nthe module `{found.module}`" if found else ""
    if place.kind is Kind.ENTRY:
        targets = [entry.section for toc in section.contents for entry in toc.entries if entry.target == place.name]
        titles = [snapshot.book.sections[one].title for one in targets if one in snapshot.book.sections]
        return f"**{titles[0]}**" if titles else ""
    if place.kind is Kind.FILE and Path(place.name).suffix.lower() in _IMAGES:
        file = resolve_path(snapshot.config.root, section.path, place.name)
        return f"![{file.name}]({file.as_uri()})" if file and file.is_file() else ""
    return ""


def _of_versions(versions: Sequence[Saved], name: str) -> Iterator[str]:
    """Yield the signatures, each with the frameworks that have it, and the first description."""
    by_text: dict[str, list[Saved]] = {}
    described = ""
    for one in versions:
        signature, words = _described(one.code, name) if one.code else (f"{name} (an alias)", "")
        by_text.setdefault(signature, []).append(one)
        described = described or words
    for signature, those in by_text.items():
        yield f"```python\n{signature}\n```\n{', '.join(one.framework for one in those)}"
    if described:
        yield described
    if places := dict.fromkeys(str(one.span) for one in versions if one.span):
        yield "saved at " + ", ".join(places)


def _described(code: str, name: str) -> tuple[str, str]:
    """Return the first lines of what defines a name, and its docstring."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            first, last = node.lineno - 1, max(node.body[0].lineno - 1, node.lineno)
            head = [line for line in code.split("\n")[first:last] if line.strip()]
            return "\n".join(head), (ast.get_docstring(node) or "").split("\n\n")[0]
    return code.strip().split("\n")[0], ""


# --- labels and folding ---


def label_at(snapshot: Snapshot, place: Place | None) -> str:
    """Return the label that a place names, if the book has it; otherwise nothing."""
    return place.name if place and place.kind is Kind.LABEL and place.name in snapshot.book.labels else ""


def uses_of_label(snapshot: Snapshot, label: str) -> Iterator[tuple[Section, list[Place]]]:
    """Yield the sections that name a label, each with all the places."""
    for section in snapshot.book.sections.values():
        if label and any(label in block.text for block in section.blocks):
            places = list(places_of_label(section, snapshot.lines(section), label))
            yield from [(section, places)] if places else []


def check_new_label(snapshot: Snapshot, label: str, name: str) -> None:
    """Raise ValueError if a label cannot be called so."""
    if not re.fullmatch(r"[^\s`,]+", name):
        raise ValueError(f"'{name}' cannot be a label: it may have no space, comma or backtick")
    if name != label and name in snapshot.book.labels:
        raise ValueError(f"the label '{name}' is already at {snapshot.book.labels[name].span}")


def folds(section: Section) -> Iterator[Fold]:
    """Yield what can be folded: cells, and prose for some frameworks, under the names of their frameworks."""
    opened: int | None = None
    for block in section.blocks:
        first, last = block.span.first - 1, block.span.last - 1
        if block.kind is BlockKind.CODE:
            names = ", ".join(sorted(block.frameworks)) if block.frameworks is not None else "all"
            yield Fold(first, last, f"code: {names}")
        elif block.kind is BlockKind.MARK and ":begin_tab:" in block.text:
            opened = first
        elif block.kind is BlockKind.MARK and opened is not None:
            words = (
                ", ".join(sorted(before.frameworks))
                if (before := block_at(section, opened + 1)) and before.frameworks
                else ""
            )
            yield Fold(opened, last, f"prose: {words}")
            opened = None
