"""Follows a book's files: builds the website again in this process, or only one page, and says what has changed.

Nothing that a book contains ends it. As long as the book cannot be built, the last good website stays.
"""

import gc
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from d2lbuild import pipeline
from d2lbuild.building import Observer
from d2lbuild.config import Config, load_config
from d2lbuild.errors import D2lbuildError
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.results.history import History
from d2lbuild.memory import Memory
from d2lbuild.model import BlockKind, Book, Finding, Section, Status
from d2lbuild.rendering.website.resident import ResidentSite
from d2lbuild.serving.book_files import Facts, changed_files, files_now
from d2lbuild.serving.one_page import rewrite
from d2lbuild.serving.publishing import Publisher
from d2lbuild.serving.state import BookState, Update, problems_of

__all__ = ["PLACE", "Engine", "Preview", "Settled"]

PLACE = "serve"
"""The folder below the book's output: `d2lbuild build` writes beside it."""
_FEW = 3
"""So many pages are made by themselves; with more a build is not slower."""
_BUILDS_BETWEEN_COLLECTIONS = 8
_UNHURRIED = 0.03
"""Seconds between looks at a file that an editor may be in the middle of writing."""
_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a book in the end, when its pages were made by themselves before."""

    state: BookState
    findings: tuple[Finding, ...]
    checked: tuple[Finding, ...] | None
    changed: tuple[str, ...]
    """The files of the website that were not yet what they are."""
    builds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What is previewed."""

    book: Path
    """The book's folder, or its configuration file."""
    frameworks: tuple[str, ...] = ()
    """As `select_frameworks` takes them."""
    output: Path | None = None
    """In place of the book's own output folder."""

    def config(self) -> Config:
        """Read the configuration."""
        config = load_config(self.book)
        return config if self.output is None else replace(config, output=self.output)


class Engine:
    """Follows one book; `early` hears of files of the website that have changed while the others are still made."""

    def __init__(
        self, preview: Preview, config: Config, early: Callable[[tuple[str, ...]], None] = lambda _: None
    ) -> None:
        self.preview = preview
        self.state = BookState()
        self.builds = 0
        """How many times the whole book was built."""
        self._config = config
        self._early = early
        self._memory = Memory(ResidentSite())
        self._files: dict[str, Facts] = {}
        self._findings: tuple[Finding, ...] = ()
        self._checked: tuple[Finding, ...] | None = None
        self._unsettled = False
        self._publisher: Publisher | None = None
        self._uncollected = 0
        self._edited: tuple[str, ...] = ()
        self.shown = config.output / PLACE / "shown"
        """The folder of the website that is served."""

    # --- following the book ---

    def look(self, *, force: bool = False) -> Update | None:
        """Look at the book's files, and bring the website up to date; None if nothing has changed."""
        begun = time.monotonic()
        changed = self._look()
        if not changed and not force:
            return None
        quick = None if force else self._pages(changed)
        if quick is not None:
            self._unsettled, self._checked = True, None
            return self._update(changed, quick, begun, quick=True)
        update = self._update(changed, self._build(changed), begun, quick=False)
        gc.freeze()
        return update

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left for `settle`."""
        return not self._unsettled and (self._checked is not None or bool(self.state.error))

    def settle(self) -> "Settled":
        """Build the whole book if pages were made by themselves since then, and look for what builds do not find.

        The latter is about the frameworks that are not shown, too. What is found out is for `take`, maybe of a copy
        of this engine in another process.
        """
        begun = time.monotonic()
        before = self.builds
        changed = self._build() if self._unsettled else ()
        self._check()
        seconds = time.monotonic() - begun
        return Settled(self.state, self._findings, self._checked, changed, self.builds - before, seconds)

    def take(self, settled: "Settled") -> Update:
        """Take over what was found out when nothing had changed since."""
        self.state, self._findings, self._checked = settled.state, settled.findings, settled.checked
        self.builds += settled.builds
        self._unsettled = False
        return Update(self.state, (), settled.changed, quick=False, seconds=settled.seconds)

    def _check(self) -> None:
        if self._checked is not None or self.state.error:
            return
        try:
            self._checked = pipeline.check(self._config)
        except D2lbuildError as error:
            self._checked = error.findings
        except Exception:
            traceback.print_exc()
            self._checked = ()
        self.state = replace(self.state, problems=problems_of(self._known_findings()))

    def rest(self) -> None:
        """Do what can wait until nobody does."""
        # What a build has left is looked through once in a while, which takes a second; what a page has left, always.
        if self._uncollected < _BUILDS_BETWEEN_COLLECTIONS:
            gc.collect()  # what was there after the last build is frozen
            return
        self._uncollected = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Undo what is in place in this process for the next page."""
        self._memory.site.release()

    # --- one look ---

    def _look(self) -> list[str]:
        """Return the files that have changed; a file that an editor is just writing is waited for."""
        for _ in range(_LOOKS):
            now = files_now(self._config.root, self._config.output)
            changed = changed_files(self._files, now)
            if not any(self._is_unfinished(name, now) for name in changed):
                break
            time.sleep(_UNHURRIED)
        self._files = now
        return changed

    def _is_unfinished(self, name: str, now: dict[str, Facts]) -> bool:
        """Whether a file was there, and is empty or gone: editors write anew, or move another file to its place."""
        return name in self._files and (name not in now or (now[name][2] == 0 != self._files[name][2]))

    def _pages(self, changed: Sequence[str]) -> tuple[str, ...] | None:
        """Make the pages of changed files by themselves; None if that does not do."""
        if self.state.error or self._publisher is None or len(changed) > _FEW:
            return None
        written = []
        try:
            for name in changed:
                page = rewrite(self._config, self._memory, Path(name))
                if page is None:
                    return None
                written.append(page)
        except Exception:  # a build will say what is wrong
            return None
        return self._publisher.publish_files(written)

    def _build(self, edited: Sequence[str] = ()) -> tuple[str, ...]:
        """Build the book and publish its website; return which files of the website have changed.

        The pages of `edited` files are shown as soon as they are there.
        """
        self.builds += 1
        self._uncollected += 1
        self._unsettled = False
        before = self._memory.book
        shown: list[str] = []
        self._memory.site.urgent = self._urgent(edited, shown)
        try:
            config = self.preview.config()
            frameworks = pipeline.select_frameworks(config, self.preview.frameworks)
            request = pipeline.BuildRequest(frameworks, execute=False, place=PLACE)
            built = pipeline.build(config, request, Observer(), self._memory)
            publisher = self._publisher_for(built.outputs["html"].parent)
            changed = (*shown, *publisher.publish())
        except D2lbuildError as error:
            self.state = BookState.of_error(error)
            return ()
        except OSError as error:
            self.state = BookState(f"{error.filename}: {error.strerror}" if error.filename else str(error))
            return ()
        except Exception as error:
            traceback.print_exc()
            self._memory.site.release()
            self._memory = Memory(ResidentSite())
            self.state = BookState(f"d2lbuild could not build this: {type(error).__name__}: {error}")
            return ()
        self._config = config
        self._edited = _edited(before, self._memory.book)
        self._findings, self._checked = built.findings, None
        self.state = BookState(problems=problems_of(built.findings), stale=dict(self._stale(config)))
        return changed

    def _urgent(self, edited: Sequence[str], shown: list[str]) -> dict[str, Callable[[Path], None]]:
        publisher, book = self._publisher, self._memory.book
        if publisher is None or book is None:
            return {}

        def show(page: Path) -> None:
            changed = publisher.publish_files([page])
            shown.extend(changed)
            self._early(changed)

        return {one.id: show for one in book.sections.values() if str(self._config.root / one.path) in edited}

    def _publisher_for(self, site: Path) -> Publisher:
        if self._publisher is None or self._publisher.site != site:
            self._publisher = Publisher(site, self.shown)
        return self._publisher

    def _known_findings(self) -> tuple[Finding, ...]:
        return tuple(dict.fromkeys([*self._findings, *(self._checked or ())]))

    def _stale(self, config: Config) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the sections with code whose outputs are missing, and why, by framework."""
        history = History(cache_home(), config.name)
        found: dict[str, dict[str, str]] = {}
        for framework, edition in self._memory.editions.items():
            for section, notebook in edition.notebooks.items():
                if not notebook.code:
                    continue
                result = self._memory.shown.get((section, framework))
                if result is None:
                    known = history.get(section, framework) is not None
                    found.setdefault(section, {})[framework] = "changed" if known else "never"
                elif result.status is Status.FAILED:
                    found.setdefault(section, {})[framework] = "failed"
        yield from found.items()

    def _update(self, files: Sequence[str], changed: tuple[str, ...], begun: float, *, quick: bool) -> Update:
        root = self._config.root
        names = tuple(Path(name).relative_to(root).as_posix() for name in files)
        edited, self._edited = self._edited, ()
        return Update(self.state, names, changed, quick, time.monotonic() - begun, edited)


def _edited(before: Book | None, after: Book | None) -> tuple[str, ...]:
    """Return the sections that were there before, and have other code now."""
    if before is None or after is None:
        return ()
    return tuple(
        name
        for name, section in after.sections.items()
        if name in before.sections and _code(section) != _code(before.sections[name])
    )


def _code(section: Section) -> list[object]:
    return [(one.frameworks, one.content, one.tags) for one in section.blocks if one.kind is BlockKind.CODE]
