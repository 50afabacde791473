"""The notebooks that readers download: of each page with code, for each of its frameworks, below the site's folder.

A downloaded notebook stands alone, so figures have the site's addresses where these are known; otherwise they lie
where the book has them.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from d2lbuild.files import copy_if_changed, write_atomically, write_if_changed
from d2lbuild.rendering.content_digest import digest, digest_of_tools
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.elsewhere.places import SITE_NOTEBOOKS, figure_path, notebook_path
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.notebooks import plain_notebook
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.page_store import FileFacts, facts_of
from d2lbuild.rendering.plain_markdown import PlainContext, label_numbers
from d2lbuild.rendering.reading_kit import library_wheel

__all__ = ["SiteNotebooks"]


class SiteNotebooks:
    """Writes the notebooks of one site."""

    def __init__(self, pages: Sequence[Page], context: RenderContext) -> None:
        self._context = context
        self._numbers = label_numbers(context.book)
        self.ids = {
            framework: frozenset(page.section.id for page in pages if framework in page.coded)
            for framework in context.frameworks
        }
        """By framework the sections that have a notebook, to which others can lead."""

    def write(self, page: Page) -> tuple[dict[str, FileFacts | None], tuple[str, ...]]:
        """Write the notebooks of a page; return what lies where below the site, and the figures that they show."""
        context = self._context
        written: dict[str, FileFacts | None] = {}
        figures: set[str] = set()

        def figure(file: Path) -> str:
            name = PurePosixPath(os.path.relpath(file.resolve(), context.config.root.resolve())).as_posix()
            figures.add(name)
            if context.config.html.site_url:
                return context.config.html.site_url + quote(figure_path(name))
            return quote(PurePosixPath(os.path.relpath(name, page.section.path.parent)).as_posix())

        for framework in page.coded:
            plain = PlainContext(
                context.config.root, context.book, page.section, self.ids[framework], self._numbers, figure
            )
            name = notebook_path(framework, page.section.id)
            path = context.output / name
            write_if_changed(path, plain_notebook(page, context.config.framework(framework), plain))
            written[name] = facts_of(path)
        return written, tuple(sorted(figures))

    def has(self, files: Mapping[str, FileFacts | None]) -> bool:
        """Whether notebooks lie below the site as they were left."""
        return all(facts and facts == facts_of(self._context.output / name) for name, facts in files.items())

    def finish(self, files: Iterable[str], figures: Iterable[str]) -> None:
        """Bring figures and library up to date, and remove what belongs to pages that are gone.

        Both are there for notebooks that are opened elsewhere, where the site's address is known.
        """
        folder = self._context.output / SITE_NOTEBOOKS
        wanted = {self._context.output / name for name in files}
        for name in figures if self._context.config.html.site_url else ():
            copy = self._context.output / figure_path(name)
            copy_if_changed(self._context.config.root / name, copy)
            wanted.add(copy)
        if self._context.config.html.site_url and (wheel := self._write_wheel(folder)):
            wanted.add(wheel)
        for path in folder.rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()

    def _write_wheel(self, folder: Path) -> Path | None:
        """Write the library into a folder, unless it is there as it was made before; None if there is no library."""
        config, libraries = self._context.config, self._context.libraries
        asked = {name: digest_of_file(file) for name, one in libraries.items() if (file := one.framework.requirements)}
        facts = (config.title, config.author, config.release, config.html.repository, config.library.package)
        modules = [(name, one.source, one.framework.python, one.framework.title) for name, one in libraries.items()]
        note = self._context.work / "wheel.json"
        key = digest(digest_of_tools(), facts, modules, asked)
        known = _noted(note)
        if known.get("key") == key:
            if not (name := known.get("name")):
                return None
            if (folder / name).is_file():
                return folder / name
        wheel = library_wheel(config, libraries)
        if wheel:
            write_if_changed(folder / wheel.name, wheel.content)
        write_atomically(note, json.dumps({"key": key, "name": wheel.name if wheel else ""}))
        return folder / wheel.name if wheel else None


def _noted(note: Path) -> dict[str, str]:
    """Return what a build has noted; nothing if that is not there, or damaged."""
    try:
        found = json.loads(note.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
