"""A page as one notebook for MyST-NB, and the way back from a position in it to a line of the chapter.

Prose becomes MyST Markdown cells; pieces that only some frameworks see are marked (code in the cell's metadata, prose
by a directive), and the Sphinx extension makes tabs of them.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import nbformat
from pygments.lexers import find_lexer_class_by_name  # type: ignore[import-untyped,unused-ignore]
from pygments.util import ClassNotFound  # type: ignore[import-untyped,unused-ignore]

from d2lbuild.config.types import Framework
from d2lbuild.model import CellKind, Contents
from d2lbuild.rendering.outputs import OutputSettings, displayed
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.rendering.run_records import run_record
from d2lbuild.rendering.sources.discussions import Discussion
from d2lbuild.rendering.sources.displayed_code import displayed_code
from d2lbuild.rendering.sources.myst import OF_FRAMEWORK
from d2lbuild.rendering.sources.nested_pieces import PlacedCell, with_places

__all__ = ["CodeNames", "LinePositions", "PageNotebook", "Prose", "markdown_cell", "page_notebook"]

_POSITIONS_PER_CELL = 10_000
"""MyST-NB reports line `n` of cell `i` (both from 0) near ``(i + 1) * 10000 + n``."""
_POSITION_OF_FIRST_LINE = 2
_USUAL = OutputSettings()
_COLONS = ":" * 9
"""Longer than any fence that the translation makes."""

Prose = Callable[[str, bool], tuple[str, Sequence[int]]]
"""Turns dialect prose, in a tab or not, into MyST Markdown; says for each line which line of the input it came from."""

CodeNames = Callable[[PageCell], Mapping[str, object]]
"""Says which names of the library a cell uses and saves, for its metadata."""


@dataclass(frozen=True)
class LinePositions:
    """The chapter lines of a page's notebook, cell by cell."""

    cells: tuple[tuple[int, ...], ...]
    paths: tuple[PurePosixPath | None, ...] = ()
    """For each cell the file that it came from, where they come from several."""

    def chapter(self, position: int) -> PurePosixPath | None:
        """Return the file for a position, if it is not the page's own."""
        index = position // _POSITIONS_PER_CELL
        return self.paths[index - 1] if 1 <= index <= len(self.paths) else None

    def chapter_line(self, position: int) -> int | None:
        """Return the chapter's line for a position that MyST-NB reports; None where there is none."""
        index, line = divmod(position, _POSITIONS_PER_CELL)
        if not 1 <= index <= len(self.cells) or not self.cells[index - 1]:
            return None
        lines = self.cells[index - 1]
        return lines[min(max(line - _POSITION_OF_FIRST_LINE, 0), len(lines) - 1)]


@dataclass(frozen=True, slots=True)
class PageNotebook:
    """What is handed to Sphinx for one page."""

    notebook: nbformat.NotebookNode
    positions: LinePositions


def _no_names(_cell: PageCell) -> Mapping[str, object]:
    return {}


def page_notebook(
    page: Page,
    frameworks: Sequence[Framework],
    translate: Prose,
    pages: frozenset[str] | set[str],
    *,
    names: CodeNames = _no_names,
    outputs: OutputSettings = _USUAL,
    discussions: Sequence[Discussion] = (),
    appendix: str = "",
    language: str = "en",
) -> PageNotebook:
    """Write `page` as a notebook; `pages` are the ids of the sections that have a page in this edition.

    `outputs` says what is shown of what cells gave. `discussions` are the threads that were taken out of its text, and
    `appendix` is a page that the contents of this one end with, without a number. Runs are told of in `language`.
    """
    versions = _versions_of_labels(page)
    languages = {framework.name: framework.language for framework in frameworks}
    cells: list[dict[str, Any]] = []
    lines: list[tuple[int, ...]] = []
    for placed in with_places(page.cells):
        cell = placed.cell
        written, cell_lines = (
            _code_cell(cell, languages.get(cell.frameworks[0], "python"), {**names(cell), **_place(placed)}, outputs)
            if cell.kind is CellKind.CODE
            else _text_cell(placed, page, translate=translate, pages=pages, versions=versions)
        )
        if cell.notice:
            cells.append(_notice(placed))
            lines.append(cell_lines[:1])
        if written["source"].strip():
            cells.append(written)
            lines.append(cell_lines)
    if appendix:
        tree = markdown_cell("d2l-appendix", f"```{{toctree}}\n:maxdepth: 1\n\n/{appendix}\n```")
        at = _after_contents(cells)
        cells.insert(at, tree)
        lines.insert(at, ())
    for name, content in (
        ("d2l-discussions", [" ".join([one.address, *one.frameworks]) for one in discussions]),
        ("d2l-run-record", [f"{framework}: {text}" for framework, text in run_record(page, frameworks, language)]),
    ):
        if content:
            cells.append(markdown_cell(name, "\n".join([f"{_COLONS}{{{name}}}", *content, _COLONS])))
            lines.append(())
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    node = nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})  # type: ignore[no-untyped-call]
    return PageNotebook(node, LinePositions(tuple(lines)))


def _place(placed: PlacedCell) -> Mapping[str, object]:
    return {"place": placed.place} if placed.place else {}


def _after_contents(cells: Sequence[Mapping[str, Any]]) -> int:
    """Return the place after the last table of contents; the end of the page if it has none."""
    trees = [index for index, cell in enumerate(cells) if cell["source"].startswith("```{toctree}")]
    return trees[-1] + 1 if trees else len(cells)


# --- cells ------------------------------------------------------------------------------------------------------------


def _code_cell(
    cell: PageCell, language: str, names: Mapping[str, object], settings: OutputSettings
) -> tuple[dict[str, Any], tuple[int, ...]]:
    source, saved = displayed_code(cell.source) if language == "python" else (cell.source, False)
    metadata: dict[str, Any] = {
        "d2lbuild": {"frameworks": list(cell.frameworks), "everywhere": cell.everywhere, "saved": saved, **names}
    }
    if language != "python":
        metadata["d2lbuild"]["lexer"] = _lexer(language)
    if cell.tags:
        metadata["tags"] = sorted(cell.tags)
    shown = displayed(cell.outputs, cell.id, cell.tags, settings)
    if shown.pictures:
        metadata["d2lbuild"]["pictures"] = [dict(picture) for picture in shown.pictures]
    written = {
        "cell_type": "code",
        "id": cell.id,
        "metadata": metadata,
        "source": source,
        "execution_count": None,
        "outputs": list(shown.outputs),
    }
    return written, cell.lines or (cell.span.first,)


@cache
def _lexer(language: str) -> str:
    """Return the name of the highlighter for a language: its own, or that of plain text if there is none."""
    try:
        find_lexer_class_by_name(language)
    except ClassNotFound:
        return "text"
    return language


def _notice(placed: PlacedCell) -> dict[str, Any]:
    """Return what a reader should know before a code cell, as a cell of its own."""
    cell = placed.cell
    colons = ":" * (len(_COLONS) + 1)
    place = f":place: {placed.place}\n" if placed.place else ""
    text = f"{_COLONS}{{d2l-run-notice}}\n{place}\n{cell.notice}\n{_COLONS}"
    if not cell.everywhere:
        text = f"{colons}{{d2l-frameworks}} {' '.join(cell.frameworks)}\n{place}\n{text}\n\n{colons}"
    return markdown_cell(f"d2l-notice-{cell.span.first}-{cell.frameworks[0]}", text)


def _text_cell(
    placed: PlacedCell,
    page: Page,
    *,
    translate: Prose,
    pages: frozenset[str] | set[str],
    versions: Mapping[str, Mapping[str, str]],
) -> tuple[dict[str, Any], tuple[int, ...]]:
    cell = placed.cell
    if cell.kind is CellKind.CONTENTS:
        contents = [found for found in page.section.contents if cell.span.first <= found.span.first <= cell.span.last]
        text, origin = _toctrees(contents, pages, cell)
    elif cell.kind is CellKind.RST:
        text, origin = _eval_rst(cell)
    else:
        translated, indices = translate(_with_versions(cell, versions), not cell.everywhere)
        text, origin = translated, [cell.lines[min(index, len(cell.lines) - 1)] for index in indices]
    if not cell.everywhere and cell.kind is not CellKind.CONTENTS and text.strip():
        options = [f":place: {placed.place}"] if placed.place else []
        opening = [f"{_COLONS}{{d2l-frameworks}} {' '.join(cell.frameworks)}", *options, ""]
        text = "\n".join([*opening, text.rstrip(), "", _COLONS])
        origin = [*origin[:1] * len(opening), *origin]
    return markdown_cell(cell.id, text), tuple(origin) or (cell.span.first,)


def markdown_cell(name: str, source: str) -> dict[str, Any]:
    """Return a cell of MyST Markdown."""
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def _toctrees(contents: Sequence[Contents], pages: frozenset[str] | set[str], cell: PageCell) -> tuple[str, list[int]]:
    """Write ``toc`` fences as `toctree` directives, without the entries that have no page here."""
    lines: list[tuple[str, int]] = []
    for tree in contents:
        entries = [entry for entry in tree.entries if entry.section in pages]
        if not entries:
            continue
        first = tree.span.first
        lines.append(("```{toctree}", first))
        if tree.maxdepth is not None:
            lines.append((f":maxdepth: {tree.maxdepth}", first))
        if tree.numbered:
            lines.append((":numbered:", first))
        if tree.caption:
            lines.append((f":caption: {json.dumps(tree.caption, ensure_ascii=False)}", first))
        lines.append(("", first))
        lines.extend((f"/{entry.section}", entry.span.first) for entry in entries)
        lines.extend([("```", cell.span.last), ("", cell.span.last)])
    return "\n".join(text for text, _ in lines), [line for _, line in lines]


def _eval_rst(cell: PageCell) -> tuple[str, list[int]]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", cell.source)), default=0))
    origin = [cell.span.first, *(cell.lines or (cell.span.first,)), cell.span.last]
    return f"{fence}{{eval-rst}}\n{cell.source}\n{fence}", origin


# --- labels -----------------------------------------------------------------------------------------------------------


_NAMING = re.compile(r":(label|eqlabel|numref|ref|eqref):`([^`]+)`")


def _versions_of_labels(page: Page) -> dict[str, dict[str, str]]:
    """Return, for labels that several frameworks' pieces define, their names on the page by framework.

    The first piece keeps the label; in the others it is called after the framework, and so are references to it in the
    prose of that framework: they lead to what stands there.
    """
    places: dict[str, list[PageCell]] = {}
    for cell in page.cells:
        if cell.kind is CellKind.PROSE and not cell.everywhere:
            for label in page.section.labels:
                if label.span.first in cell.lines:
                    places.setdefault(label.name, []).append(cell)
    return {
        label: {
            framework: f"{label}{OF_FRAMEWORK}{cell.frameworks[0]}"
            for cell in cells[1:]
            for framework in cell.frameworks
        }
        for label, cells in places.items()
        if len(cells) > 1
    }


def _with_versions(cell: PageCell, versions: Mapping[str, Mapping[str, str]]) -> str:
    """Give the labels of a framework's prose the names that they have there."""
    if cell.everywhere or not versions:
        return cell.source

    def name(match: re.Match[str]) -> str:
        return f":{match[1]}:`{versions.get(match[2], {}).get(cell.frameworks[0], match[2])}`"

    return _NAMING.sub(name, cell.source)
