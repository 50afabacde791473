"""Pages to a website: notebooks for MyST-NB, Sphinx run in this process, and what it warns of as findings.

Beside the site's folder stands a work folder (`html-work`): the notebooks, Sphinx's pickles and the images of outputs.
Files there are written only when their bytes change, so that a second build does little. Nothing is fetched.
"""

import gc
import io
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from d2lbuild.config.types import Config
from d2lbuild.errors import D2lbuildError
from d2lbuild.model import Book, Finding, Page
from d2lbuild.rendering.page_notebook import LinePositions, Prose, page_notebook
from d2lbuild.rendering.sphinx_configuration import sphinx_configuration
from d2lbuild.rendering.sphinx_warnings import WarningCollector, findings_of

__all__ = ["RenderContext", "RenderResult", "Translator", "render"]

Translator = Callable[[Page], Prose]
"""Gives, for a page, what turns its prose into MyST Markdown."""


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What the renderers need to know beside the pages."""

    config: Config
    book: Book
    frameworks: tuple[str, ...]
    """The edition's frameworks, in the book's order."""
    output: Path
    """The folder that the renderer writes; its work folder stands beside it."""
    modules: Mapping[str, Path] = field(default_factory=dict)
    """The generated library modules, by framework."""
    jobs: int = 1
    observer: Callable[[str, int, int], None] = _silent
    """Is told the stage (``write`` or ``sphinx``), how many pages are done, and of how many."""


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A finished site."""

    index: Path
    findings: tuple[Finding, ...]


def render(pages: Sequence[Page], context: RenderContext, translator: Translator) -> RenderResult:
    """Make the website of `pages` in `context.output`, and return its first page and what is wrong with the book."""
    work = context.output.parent / f"{context.output.name}-work"
    # A mirror of the book, so that relative paths lead to the same files.
    mirror = work / "source"
    source = mirror / context.config.chapters
    source.mkdir(parents=True, exist_ok=True)
    positions = _write_sources(pages, context, mirror, translator)
    with _quiet_collector():
        collector = _run_sphinx(source, work, context)
    paths = {page.section.id: page.section.path for page in pages}
    findings = findings_of(collector.warnings, paths, positions)
    kept = collector.keep(work / "warnings.json", findings, paths)
    return RenderResult(context.output / f"{context.book.root}.html", tuple(_in_order(kept)))


def _in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Sort by place, each finding once (a piece that stands in two tabs is read once, but written twice)."""
    return sorted(
        dict.fromkeys(findings), key=lambda found: (str(found.span.path), found.span.first) if found.span else ("", 0)
    )


# --- the notebooks ----------------------------------------------------------------------------------------------------


def _write_sources(
    pages: Sequence[Page], context: RenderContext, mirror: Path, translator: Translator
) -> dict[str, LinePositions]:
    config = context.config
    frameworks = [config.framework(name) for name in context.frameworks]
    ids = frozenset(page.section.id for page in pages)
    wanted: set[Path] = set()
    positions: dict[str, LinePositions] = {}
    for done, page in enumerate(pages, start=1):
        written = page_notebook(page, frameworks, translator(page), ids)
        path = mirror / config.chapters / f"{page.section.id}.ipynb"
        text = json.dumps(written.notebook, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        _write_if_changed(path, text.encode())
        wanted.add(path)
        positions[page.section.id] = written.positions
        context.observer("write", done, len(pages))
    wanted |= _copy_resources(pages, config, mirror)
    _remove_others(mirror, wanted)
    return positions


def _copy_resources(pages: Sequence[Page], config: Config, mirror: Path) -> set[Path]:
    """Copy the images that pages show, the bibliographies and the site's own files; what is missing Sphinx reports."""
    root = config.root.resolve()
    names = [*config.bibliography, *_site_files(config)]
    for page in pages:
        lines = {line for cell in page.cells for line in cell.lines}
        names += [
            page.section.path.parent / image.target
            for image in page.section.images
            if "://" not in image.target and image.span.first in lines
        ]
    copied = set()
    for name in names:
        path = Path(os.path.normpath(root / name))
        if path.is_relative_to(root) and path.is_file():
            target = mirror / path.relative_to(root)
            _copy_if_changed(path, target)
            copied.add(target)
    return copied


def _site_files(config: Config) -> Iterator[PurePosixPath]:
    yield from (path for path in (config.html.favicon, config.html.logo) if path)
    yield from config.html.css
    yield from config.html.javascript


def _write_if_changed(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)


def _copy_if_changed(source: Path, target: Path) -> None:
    if target.is_file():
        there, here = target.stat(), source.stat()
        if (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _remove_others(folder: Path, wanted: set[Path]) -> None:
    """Remove notebooks and images of pages that are gone."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


# --- Sphinx -----------------------------------------------------------------------------------------------------------


def _run_sphinx(source: Path, work: Path, context: RenderContext) -> WarningCollector:
    settings = sphinx_configuration(context.config, context.book, context.frameworks, context.modules, source)
    early = io.StringIO()
    try:
        app = Sphinx(
            srcdir=source,
            confdir=None,
            outdir=context.output,
            doctreedir=work / "doctrees",
            buildername="html",
            confoverrides=settings,
            status=None,
            warning=early,
            parallel=max(context.jobs, 1),
        )
        collector = _listen(app)
        app.build()
    except SphinxError as error:
        raise D2lbuildError(f"Sphinx stopped: {error}") from error
    _remove_gone_pages(app, context.output)
    return collector


def _listen(app: Sphinx) -> WarningCollector:
    """Take the warnings of `app` off its stream."""
    logger = logging.getLogger("sphinx")
    for handler in list(logger.handlers):
        if handler.level == logging.WARNING:
            logger.removeHandler(handler)
    collector = WarningCollector(app)
    logger.addHandler(collector)
    return collector


def _remove_gone_pages(app: Sphinx, output: Path) -> None:
    """Remove pages of an earlier build whose sections are gone; Sphinx leaves them lying."""
    made = {f"{name}.html" for name in (*app.env.found_docs, "genindex", "search", "py-modindex")}
    for path in output.rglob("*.html"):
        name = path.relative_to(output).as_posix()
        if name not in made and not name.startswith("_"):
            path.unlink()


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep the garbage collector from looking through all doctrees again and again (a quarter of Sphinx's time)."""
    enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
