"""pybtex and sphinxcontrib-bibtex: BibTeX files are parsed, and entries formatted, when they have changed."""

import functools
import hashlib
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pybtex.errors
from pybtex.plugin import find_plugin
from sphinx.util import logging

from d2lbuild.files import write_atomically
from d2lbuild.rendering.references.works_ahead import Works, no_works
from d2lbuild.rendering.sphinx_speed.override import Override, put_in_place

__all__ = ["formatted_works", "overrides"]

_PYBTEX = ("pybtex", "0.26")
_EXTENSION = ("sphinxcontrib-bibtex", "2.7")
_DOMAIN = "sphinxcontrib.bibtex.domain"
_STYLE, _ENCODING = "plain", "utf-8-sig"
"""What the extension takes if the settings do not say: see `sphinx_configuration`."""

logger = logging.getLogger(_DOMAIN)


def overrides(memory: Path, works: Works = no_works) -> list[Override]:
    """Return what makes bibliographies faster; `memory` is a folder that stays from build to build."""
    return _overrides(memory, _Entries(memory / "entries.pickle", works))


def formatted_works(files: Sequence[Path]) -> Mapping[bytes, Any]:
    """Return how all works in these files look in a bibliography, by all that this depends on."""
    from sphinxcontrib.bibtex import bibfile  # noqa: PLC0415 - see `imports`: not before it is imported lightly

    with TemporaryDirectory() as folder, ExitStack() as stack:
        entries = _Entries(Path(folder, "entries.pickle"))
        for override in _overrides(Path(folder), entries):
            stack.enter_context(put_in_place(override))
        stack.enter_context(pybtex.errors.capture())
        style = find_plugin("pybtex.style.formatting", _STYLE)()
        for entry in bibfile.parse_bibdata(list(files), _ENCODING).data.entries.values():
            with suppress(Exception):  # it lacks a field, which is reported when it is shown
                style.format_entry("", entry)
        return entries.used


def _overrides(memory: Path, entries: "_Entries") -> list[Override]:
    return [
        # It looks through all installed packages for each citation.
        Override(*_PYBTEX, "pybtex.plugin", "_load_entry_point", functools.cache),
        Override(*_EXTENSION, "sphinxcontrib.bibtex.bibfile", "parse_bibdata", lambda one: _parse(one, memory)),
        # An entry is formatted for the list, and once more for what shows above a citation.
        Override(*_PYBTEX, "pybtex.style.formatting", "BaseStyle.format_entry", entries.remembered),
        Override(*_EXTENSION, _DOMAIN, "BibtexDomain.env_updated", entries.kept),
        Override(*_PYBTEX, "pybtex.richtext", "Text.from_latex", _remembered_latex),
        # It goes through all citations for each work, and through all works for each citation.
        Override(*_EXTENSION, _DOMAIN, "BibtexDomain.get_filtered_entries", lambda _: _filtered_entries),
        Override(*_EXTENSION, _DOMAIN, "BibtexDomain.resolve_xref", _with_cited_works),
    ]


def _filtered_entries(self: Any, bibliography_key: Any) -> Iterator[tuple[str, Any]]:
    """Do what `BibtexDomain.get_filtered_entries` does, with the pages that cite a work looked up once."""
    from sphinxcontrib.bibtex.domain import _FilterVisitor  # noqa: PLC0415

    bibliography = self.bibliographies[bibliography_key]
    citing: dict[str, set[str]] = {}
    for reference in self.citation_refs:
        for target in reference.targets:
            citing.setdefault(target.key, set()).add(reference.docname)
    for entry in self.get_entries(bibliography.bibfiles):
        key = bibliography.keyprefix + entry.key
        pages = citing.get(key, set())
        try:
            visitor = _FilterVisitor(entry, bibliography_key.docname, pages)  # type: ignore[no-untyped-call]
            wanted = visitor.visit(bibliography.filter_)
        except ValueError as error:
            place = (bibliography_key.docname, bibliography.line)
            text = f"syntax error in :filter: expression; {error}"
            logger.warning(text, location=place, type="bibtex", subtype="filter_syntax_error")
            wanted = bool(pages)
        if wanted or entry.key in bibliography.keys:
            yield key, entry


def _parse(original: Any, memory: Path) -> Any:
    def parse_bibdata(bibfilenames: Sequence[Path], encoding: str) -> Any:
        if not all(file.is_file() for file in bibfilenames):
            return original(bibfilenames, encoding)  # which warns of it
        key = hashlib.sha256(encoding.encode())
        for file in bibfilenames:
            key.update(f"\0{file}\0".encode() + file.read_bytes())
        store = memory / "bibliography.pickle"
        known = _load(store)
        if isinstance(known, tuple) and known[0] == key.digest():
            for error in known[2]:
                pybtex.errors.report_error(error)
            return known[1]
        before = len(pybtex.errors.captured_errors or ())
        found = original(bibfilenames, encoding)
        _save(store, (key.digest(), found, (pybtex.errors.captured_errors or [])[before:]))
        return found

    return parse_bibdata


class _Entries:
    """What entries look like, by everything that this depends on."""

    def __init__(self, store: Path, ahead: Works = no_works) -> None:
        self._store = store
        self._ahead = ahead
        self._texts: Mapping[bytes, Any] = {}
        self.used: dict[bytes, Any] = {}

    def kept(self, original: Any) -> Any:
        """Keep what was formatted for the next build, and only that."""

        def env_updated(domain: Any) -> Any:
            known = _load(self._store)
            kept: Mapping[bytes, Any] = known if isinstance(known, dict) else {}
            self._texts = kept or self._ahead()
            self.used = {}
            found = original(domain)
            if self.used.keys() != kept.keys():
                _save(self._store, self.used)
            self._texts = self.used
            return found

        return env_updated

    def remembered(self, original: Any) -> Any:
        """Format an entry once; its label is put beside the text."""

        def format_entry(style: Any, label: str, entry: Any, bib_data: Any = None) -> Any:
            if bib_data is not None or "crossref" in entry.fields:
                return original(style, label, entry, bib_data)
            key = _key(style, entry)
            text = self.used.get(key) or self._texts.get(key)
            if text is None:
                text = original(style, label, entry).text
            self.used[key] = text
            return _formatted(entry.key, text, label)

        return format_entry


def _formatted(key: str, text: Any, label: str) -> Any:
    from pybtex.style import FormattedEntry  # noqa: PLC0415 - most builds have no use for it

    return FormattedEntry(key, text, label)


def _key(style: Any, entry: Any) -> bytes:
    persons = [(role, [str(person) for person in people]) for role, people in entry.persons.items()]
    kinds = [type(one).__qualname__ for one in (style, style.name_style)]
    described = (kinds, style.abbreviate_names, entry.key, entry.type, list(entry.fields.items()), persons)
    return hashlib.sha256(repr(described).encode()).digest()


def _remembered_latex(original: Any) -> Any:
    known: dict[tuple[type, str], Any] = {}

    def from_latex(cls: type, latex: str) -> Any:
        if (cls, latex) not in known:
            known[cls, latex] = original.__func__(cls, latex)
        return known[cls, latex]

    return classmethod(from_latex)


def _with_cited_works(original: Any) -> Any:
    from sphinxcontrib.bibtex.citation_target import parse_citation_targets  # noqa: PLC0415

    works: list[Any] = []
    index: dict[str, list[int]] = {}

    def resolve_xref(  # noqa: PLR0917 - these are the original's
        domain: Any, env: Any, fromdocname: str, builder: Any, typ: str, target: str, node: Any, contnode: Any
    ) -> Any:
        every = domain.data["citations"]
        if works is not every and not (len(works) == len(every) and all(map(_same, works, every))):
            works[:] = every
            index.clear()
            for number, work in enumerate(every):
                index.setdefault(work.key, []).append(number)
        cited = {number for one in parse_citation_targets(target) for number in index.get(one.key, ())}
        domain.data["citations"] = [every[number] for number in sorted(cited)]
        try:
            return original(domain, env, fromdocname, builder, typ, target, node, contnode)
        finally:
            domain.data["citations"] = every

    return resolve_xref


def _same(one: object, other: object) -> bool:
    return one is other


def _load(store: Path) -> Any:
    try:
        return pickle.loads(store.read_bytes())  # noqa: S301 - our own file
    except Exception:  # not there, or of another version of pybtex
        return None


def _save(store: Path, value: object) -> None:
    try:
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:  # some errors hold on to their parser
        return
    write_atomically(store, data)
