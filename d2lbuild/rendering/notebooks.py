"""Pages to plain notebooks: one for each section and framework, to be opened in Jupyter."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from d2lbuild.config.types import Framework
from d2lbuild.files import copy_if_changed, write_if_changed
from d2lbuild.model import CellKind, Page, PageCell
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.plain_markdown import PlainContext, label_numbers, plain_markdown
from d2lbuild.rendering.sources.displayed_code import displayed_code

__all__ = ["plain_notebook", "render_notebooks"]


def render_notebooks(pages: Sequence[Page], context: RenderContext) -> Path:
    """Write the notebooks of `pages` below ``context.output/FRAMEWORK``, and return that output folder."""
    numbers = label_numbers(context.book)
    wanted: set[Path] = set()
    for done, page in enumerate(pages, start=1):
        for framework in page.frameworks:
            folder = context.output / framework
            ids = frozenset(other.section.id for other in pages if framework in other.frameworks)
            files = _Files(context, folder, page.section.id)
            plain = PlainContext(
                context.config.root, context.book, page.section, ids, numbers, files.address, context.config.language
            )
            path = folder / f"{page.section.id}.ipynb"
            write_if_changed(path, plain_notebook(page, context.config.framework(framework), plain))
            wanted |= {path, *files.written}
        context.observer("notebooks", done, len(pages))
    for path in context.output.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    return context.output


class _Files:
    """Copies the files that a notebook shows, to the same place relative to it as in the book."""

    def __init__(self, context: RenderContext, folder: Path, section: str) -> None:
        self._root = context.config.root.resolve()
        self._chapters = self._root / context.config.chapters
        self._folder, self._notebook = folder, folder / f"{section}.ipynb"
        self.written: set[Path] = set()

    def address(self, file: Path) -> str:
        """Copy a file and return its address for the notebook."""
        file = self._root / os.path.relpath(file.resolve(), self._root)
        if file.is_relative_to(self._chapters):
            target = self._folder / file.relative_to(self._chapters)
        else:
            target = self._folder / "_files" / file.relative_to(self._root)
        copy_if_changed(file, target)
        self.written.add(target)
        return quote(PurePosixPath(os.path.relpath(target, self._notebook.parent)).as_posix())


def plain_notebook(page: Page, framework: Framework, context: PlainContext) -> bytes:
    """Return the notebook of a page for one of its frameworks, as its file."""
    made = _notebook(page, framework, context)
    return (json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _notebook(page: Page, framework: Framework, context: PlainContext) -> dict[str, Any]:
    executed = framework.name in page.results
    cells: list[dict[str, Any]] = []
    count = 0
    for cell in page.cells:
        if framework.name not in cell.frameworks:
            continue
        if cell.kind is CellKind.CODE:
            count += 1
            source = displayed_code(cell.source)[0] if framework.is_python else cell.source
            cells.append(_code(cell, source, count if executed else None))
        elif text := _text(cell, page, context):
            cells.append({"cell_type": "markdown", "id": cell.id, "metadata": {}, "source": _lines(text)})
    return {"cells": cells, "metadata": _metadata(framework), "nbformat": 4, "nbformat_minor": 5}


def _metadata(framework: Framework) -> dict[str, Any]:
    """Return which kernel Jupyter shall offer: the one that is usually called so."""
    name, language = ("Python 3", "python") if framework.is_python else (framework.title, framework.language)
    kernel = "python3" if framework.is_python else language
    return {
        "kernelspec": {"display_name": name, "language": language, "name": kernel},
        "language_info": {"name": language},
    }


def _code(cell: PageCell, source: str, count: int | None) -> dict[str, Any]:
    metadata: Mapping[str, Any] = {"tags": sorted(cell.tags)} if cell.tags else {}
    return {
        "cell_type": "code",
        "id": cell.id,
        "metadata": metadata,
        "source": _lines(source),
        "execution_count": count,
        "outputs": [dict(output) for output in cell.outputs],
    }


def _text(cell: PageCell, page: Page, context: PlainContext) -> str:
    if cell.kind is CellKind.PROSE:
        return plain_markdown(cell.source, context)
    if cell.kind is CellKind.CONTENTS:
        return "\n".join(_entries(cell, page, context))
    return ""  # reStructuredText says nothing to Jupyter


def _entries(cell: PageCell, page: Page, context: PlainContext) -> Sequence[str]:
    names = [
        entry.section
        for tree in page.section.contents
        if cell.span.first <= tree.span.first <= cell.span.last
        for entry in tree.entries
        if entry.section in context.pages
    ]
    folder = PurePosixPath(page.section.id).parent
    titles = {name: plain_markdown(context.book.sections[name].title, context) or name for name in names}
    return [f"* [{titles[name]}]({os.path.relpath(f'{name}.ipynb', folder)})" for name in names]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
