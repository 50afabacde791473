"""How each section of a translation stands to its origin, told by the copy that is kept of what was translated.

``page.md`` has beside it ``page_origin.md``: the origin's text when the translator followed it last.
"""

import enum
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path, PurePosixPath

from d2lbuild.config import Config
from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically
from d2lbuild.model import BlockKind, Section
from d2lbuild.source.book import framework_names, load_sections
from d2lbuild.source.markdown import cut_section, unparse
from d2lbuild.source.origins import origin_copy
from d2lbuild.translation.code import code_differences
from d2lbuild.translation.parts import Change, changes_between, lines_near, parts_of

__all__ = ["SectionStatus", "Standing", "accept", "translation_status"]

_MOVED = 0.5
"""A section that has so many of another one's words seems to be that one under a new name."""


class Standing(enum.Enum):
    """How a section stands."""

    CURRENT = "current"
    OUTDATED = "outdated"
    """The origin has changed since."""
    UNKNOWN = "unknown"
    """There is no copy of what was translated."""
    GONE = "gone"
    """The origin has no such section any more."""
    OWN = "own"
    """The origin has no such section, and there is no copy of one."""
    NEW = "new"
    """The translation has no such section yet."""


@dataclass(frozen=True, slots=True)
class SectionStatus:
    """What there is to say of a section."""

    section: str
    standing: Standing
    file: PurePosixPath | None = None
    """In the translation."""
    copy: PurePosixPath | None = None
    """What is kept there of the origin."""
    origin: PurePosixPath | None = None
    """In the origin."""
    changes: tuple[Change, ...] = ()
    """What has changed in the origin since the copy was made."""
    places: tuple[int | None, ...] = ()
    """For each change a line of the translation that it concerns, as far as that can be told."""
    code: tuple[Change, ...] = ()
    """Cells of the translation that do something else than those of the origin."""
    moved: str = ""
    """Of a section that is gone: the one that it seems to have become."""


def translation_status(config: Config, origin: Config, sections: Collection[str] = ()) -> tuple[SectionStatus, ...]:
    """Return how sections, or folders of sections, stand; all of both books if none is named.

    Raises UsageError for a section that neither book has.
    """
    books = _Books(config, origin)
    names = dict.fromkeys((*books.translated, *books.original))
    for one in sections:
        if not any(_is_named(name, [one]) for name in names):
            raise _unknown(one, list(names), "the books")
    return tuple(books.status(name) for name in names if _is_named(name, sections))


def _is_named(name: str, sections: Collection[str]) -> bool:
    return not sections or any(name == one or name.startswith(f"{one}/") for one in sections)


class _Books:
    """A translation and its origin."""

    def __init__(self, config: Config, origin: Config) -> None:
        self.translated, self.original = load_sections(config), load_sections(origin)
        self._root = config.root
        self._names = framework_names(config)
        self._shared = frozenset(one.name for one in config.frameworks) & {one.name for one in origin.frameworks}

    def status(self, name: str) -> SectionStatus:
        """Return how a section of one of them stands."""
        section, original = self.translated.get(name), self.original.get(name)
        if section is None:
            return SectionStatus(name, Standing.NEW, origin=self.original[name].path)
        copy = origin_copy(section.path)
        kept = self._copy(copy)
        found = SectionStatus(name, Standing.OWN, section.path, copy if kept else None)
        if original is None:
            return replace(found, standing=Standing.GONE, moved=self._moved(kept)) if kept else found
        code = code_differences(original, section, self._shared)
        found = replace(found, standing=Standing.UNKNOWN, origin=original.path, code=code)
        if kept is None:
            return found
        before, now, here = (parts_of(one, self._shared) for one in (kept, original, section))
        changes = changes_between(before, now)
        places = lines_near(changes, before, here)
        standing = Standing.OUTDATED if changes else Standing.CURRENT
        return replace(found, standing=standing, changes=changes, places=places)

    def _copy(self, path: PurePosixPath) -> Section | None:
        try:
            text = (self._root / path).read_text("utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        # A cell without a mark was for the first framework then, as it is here: the origin may have another one now.
        return cut_section(text, path, self._names)

    def _moved(self, kept: Section) -> str:
        """Return the section of the origin, new to the translation, that is most like one that is gone."""
        words = _words(kept)
        shares = {name: _share(words, found) for name, found in self._words_of_new.items()}
        best = max(shares, key=lambda name: shares[name], default="")
        return best if best and shares[best] >= _MOVED else ""

    @cached_property
    def _words_of_new(self) -> dict[str, Counter[str]]:
        return {name: _words(section) for name, section in self.original.items() if name not in self.translated}


def _words(section: Section) -> Counter[str]:
    prose = (block.text for block in section.blocks if block.kind is BlockKind.PROSE)
    return Counter(word for text in prose for word in text.lower().split())


def _share(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / max(one.total() + other.total(), 1)


# --- following ---


def accept(config: Config, origin: Config, names: Sequence[str]) -> list[Path]:
    """Keep the origin's present text of sections as what has been translated; return the files that were written.

    Raises UsageError, before anything is written, for a section that one of the books lacks.
    """
    translated, original = load_sections(config), load_sections(origin)
    for name in names:
        for sections, what in ((translated, "the translation"), (original, "the origin")):
            if name not in sections:
                raise _unknown(name, list(sections), what)
    written = []
    for name in names:
        path = config.root / origin_copy(translated[name].path)
        write_atomically(path, unparse(original[name]))
        written.append(path)
    return written


def _unknown(name: str, known: Sequence[str], what: str) -> UsageError:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "`d2lbuild translate status` lists the sections"
    return UsageError(f"there is no section '{name}' in {what}", hint=hint)
