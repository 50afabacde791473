"""Pages to plain notebooks, one for each section and framework, to be opened in Jupyter; all of them in a zip too."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from d2lbuild.config.types import Framework
from d2lbuild.files import write_if_changed
from d2lbuild.model import CellKind
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.numbering import Numbers
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.rendering.plain_book import PlainBook, page_text, remove_others
from d2lbuild.rendering.plain_markdown import PlainContext
from d2lbuild.rendering.reading_kit import write_archive, write_kit
from d2lbuild.rendering.sources.displayed_code import displayed_code

__all__ = [
    "code_cell",
    "notebook_cells",
    "notebook_file",
    "notebook_metadata",
    "plain_notebook",
    "render_notebooks",
    "text_cell",
]


def render_notebooks(pages: Sequence[Page], context: RenderContext) -> Path:
    """Write the notebooks of `pages` below ``context.output/FRAMEWORK``, and return that output folder."""
    config = context.config
    book = PlainBook(pages, context, ".ipynb")
    wanted: set[Path] = set()
    for done, page in enumerate(pages, start=1):
        for framework in page.frameworks:
            path = book.path(page, framework)
            plain = book.plain_context(page, framework)
            write_if_changed(path, plain_notebook(page, config.framework(framework), plain, book.numbers))
            wanted.add(path)
        context.observer("notebooks", done, len(pages))
    wanted |= book.files
    for name in context.frameworks:
        wanted |= {
            *write_kit(pages, config.framework(name), config, context.libraries.get(name), context.output / name)
        }
    archive = context.output / f"{config.name}-notebooks.zip"
    write_archive(archive, context.output, sorted(wanted))
    remove_others(context.output, wanted | {archive})
    return context.output


def plain_notebook(page: Page, framework: Framework, context: PlainContext, numbers: Numbers | None = None) -> bytes:
    """Return the notebook of a page for one of its frameworks, as its file; `numbers` are those of the book."""
    return notebook_file(notebook_cells(page, framework, context, numbers or Numbers()), framework)


def notebook_file(cells: Sequence[Mapping[str, Any]], framework: Framework, **metadata: object) -> bytes:
    """Return a notebook of these cells as its file."""
    made = {
        "cells": cells,
        "metadata": {**notebook_metadata(framework), **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def notebook_cells(page: Page, framework: Framework, context: PlainContext, numbers: Numbers) -> list[dict[str, Any]]:
    """Return the cells of a page for one of its frameworks, as nbformat 4.5 defines them."""
    executed = framework.name in page.results
    cells: list[dict[str, Any]] = []
    count = 0
    for cell in page.cells:
        if framework.name not in cell.frameworks:
            continue
        if cell.kind is CellKind.CODE:
            count += 1
            cells.append(code_cell(cell, framework, count if executed else None))
        elif text := page_text(cell, page, context, numbers):
            cells.append(text_cell(cell.id, text))
    return cells


def notebook_metadata(framework: Framework) -> dict[str, Any]:
    """Return which kernel Jupyter shall offer: the one that is usually called so."""
    name, language = ("Python 3", "python") if framework.is_python else (framework.title, framework.language)
    kernel = "python3" if framework.is_python else language
    return {
        "kernelspec": {"display_name": name, "language": language, "name": kernel},
        "language_info": {"name": language},
    }


def text_cell(name: str, text: str, **metadata: object) -> dict[str, Any]:
    """Return a cell of Markdown."""
    return {"cell_type": "markdown", "id": name, "metadata": metadata, "source": _lines(text)}


def code_cell(cell: PageCell, framework: Framework, count: int | None, **metadata: object) -> dict[str, Any]:
    """Return a cell of code with its outputs; `count` is None if it did not run."""
    tags = {"tags": sorted(cell.tags)} if cell.tags else {}
    return {
        "cell_type": "code",
        "id": cell.id,
        "metadata": {**tags, **metadata},
        "source": _lines(displayed_code(cell.source)[0] if framework.is_python else cell.source),
        "execution_count": count,
        "outputs": [dict(output) for output in cell.outputs],
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
