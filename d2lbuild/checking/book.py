"""Everything that can be found wrong with a book without running anything.

Programs that check again and again hold on to a `KeptFindings`: then only what has changed is looked at.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from d2lbuild.checking.files import found
from d2lbuild.checking.ignores import settled
from d2lbuild.checking.kept import KeptFindings
from d2lbuild.checking.library import CheckedLibrary, SavedCode, check_saved, saved_code, saved_key
from d2lbuild.checking.places import with_columns
from d2lbuild.checking.section import CheckedSection, check_section
from d2lbuild.config import Config
from d2lbuild.edition.library_checks import LibraryNames, check_notebook, joined
from d2lbuild.execution.home import cache_home
from d2lbuild.findings import in_order, placed
from d2lbuild.garbage import without_collections
from d2lbuild.model import Book, Finding, Notebook
from d2lbuild.parallel import at_once
from d2lbuild.source.book import load_book, read_sources

__all__ = ["check_book"]

_MANY = 40
"""Fewer sections are not worth a process."""


def check_book(
    config: Config,
    kept: KeptFindings | None = None,
    *,
    frameworks: Sequence[str] = (),
    unsaved: Mapping[PurePosixPath, str] | None = None,
    links: bool = False,
) -> tuple[Finding, ...]:
    """Return all findings in reading order, as the book's rules and comments have it.

    `frameworks` are those whose code is looked at, all by default. `unsaved` holds what stands in editors, by the path
    below the root. With `links` other sites are asked for what links name. Raises BookError only if the book has no
    root section.
    """
    kept = kept or KeptFindings()
    with without_collections():
        kept.begin(config)
        if not kept.before.sections:
            _read_ahead(config, kept, unsaved or {})
        book = load_book(config, kept, unsaved=unsaved)
        sections = [kept.now.sections[name] for name in book.sections if name in kept.now.sections]
        names = [one.name for one in config.frameworks if not frameworks or one.name in frameworks]
        whole = len(names) == len(config.frameworks)
        findings = [
            *config.findings,
            *book.findings,
            *(finding for one in sections for finding in one.findings),
            *_unused_labels(config, book),
            *(_broken_links(sections) if links else ()),
            *placed(config, joined(_of_code(config, kept, sections, names))),
        ]
        kept.carry_over({one.name for one in config.frameworks} - set(names))
        lasting = with_columns(findings, kept.data)
        ignores = [ignore for one in sections for ignore in one.ignores]
        return in_order(book.sections.values(), settled(config, lasting, ignores, whole=whole))


def _read_ahead(config: Config, kept: KeptFindings, unsaved: Mapping[PurePosixPath, str]) -> None:
    """Look at all sources in several processes; which of them the contents reach is seen later."""
    sources = [(name, path, data, read) for name, path, data, read in read_sources(config, unsaved)]
    if len(sources) < _MANY:
        return

    def look(part: Sequence[int]) -> list[CheckedSection]:
        chosen = (sources[number] for number in part)
        return [check_section(config, kept.key(name, path, data), read(), data) for name, path, data, read in chosen]

    count = max(1, os.cpu_count() or 1)
    parts = [range(n, len(sources), count) for n in range(count)]
    for checked in at_once([partial(look, part) for part in parts]):
        kept.before.sections.update({one.section.id: one for one in checked})


def _of_code(
    config: Config, kept: KeptFindings, sections: Sequence[CheckedSection], names: Iterable[str]
) -> dict[str, list[Finding]]:
    """Return, by framework, what is wrong with code."""
    saved = {name: saved_code(sections, name) for name in names if config.framework(name).is_python}
    libraries = _libraries(config, kept, saved)
    every: dict[str, list[Finding]] = {}
    for name in names:
        every[name] = [finding for one in sections if name in one.notebooks for finding in one.notebooks[name].findings]
        if library := libraries.get(name):
            of_library = tuple(library.placed(saved[name]))
            known = {one.span for one in of_library}  # a notebook's cell may be what was saved
            every[name] += of_library
            if library.names is not None:
                of_notebooks = _of_notebooks(kept, sections, name, library.names)
                every[name] += (one for one in of_notebooks if one.span not in known)
    return every


def _libraries(
    config: Config, kept: KeptFindings, saved: Mapping[str, Mapping[str, SavedCode]]
) -> dict[str, CheckedLibrary]:
    keys = {name: saved_key(config, config.framework(name), code) for name, code in saved.items()}
    checked = {name: one for name, one in kept.before.libraries.items() if keys.get(name) == one.key}
    new = [name for name in saved if name not in checked]
    made = at_once([partial(check_saved, config, config.framework(name), saved[name], keys[name]) for name in new])
    checked.update(zip(new, made, strict=True))
    kept.now.libraries.update(checked)
    return checked


def _of_notebooks(
    kept: KeptFindings, sections: Sequence[CheckedSection], framework: str, names: LibraryNames
) -> Iterator[Finding]:
    """Yield uses of names that the library lacks."""
    digest = ""
    for one in sections:
        notebook = one.notebooks.get(framework)
        if notebook is None or not (notebook.another or names.lacks(notebook.mentioned)):
            continue
        digest = digest or hashlib.sha256(_told(names).encode(errors="replace")).hexdigest()
        place, key = (one.section.id, framework), one.key + digest
        known = kept.before.notebooks.get(place)
        if known is None or known[0] != key:
            known = key, tuple(check_notebook(Notebook(one.section, framework, notebook.cells), names))
        kept.now.notebooks[place] = known
        yield from known[1]


def _told(names: LibraryNames) -> str:
    return repr((names.package, names.module, sorted(names.defined), sorted(names.set_later), names.reverse))


def _broken_links(sections: Iterable[CheckedSection]) -> Iterator[Finding]:
    from d2lbuild.checking.links import check_links  # noqa: PLC0415 - few checks need the network

    return check_links((link for one in sections for link in one.links), cache_home() / "links.json")


def _unused_labels(config: Config, book: Book) -> Iterator[Finding]:
    if config.check.rules.get("unused-label", "off") == "off":
        return
    references = [one.target for section in book.sections.values() for one in section.references]
    used = {target.partition("#")[2] or target for target in references}
    for label in book.labels.values():
        if label.name not in used:
            yield found("unused-label", f"nothing refers to the label '{label.name}'", label.span)
