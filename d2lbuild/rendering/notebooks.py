"""Pages to plain notebooks, one for each section and framework, to be opened in Jupyter; all of them in a zip too."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from d2lbuild.config.types import Framework
from d2lbuild.files import copy_if_changed, write_if_changed
from d2lbuild.model import Book, CellKind, Page, PageCell
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.numbering import Numbers, number_pages
from d2lbuild.rendering.plain_markdown import PlainContext, plain_markdown
from d2lbuild.rendering.reading_kit import write_archive, write_kit
from d2lbuild.rendering.sources.displayed_code import displayed_code
from d2lbuild.source.works import read_works, references

__all__ = ["plain_notebook", "render_notebooks"]


def render_notebooks(pages: Sequence[Page], context: RenderContext) -> Path:
    """Write the notebooks of `pages` below ``context.output/FRAMEWORK``, and return that output folder."""
    config, book = context.config, context.book
    numbers = number_pages(pages, book, config.root)
    works = read_works(config.root, book.bibliography)
    listed = references(config.root, book.bibliography)
    wanted: set[Path] = set()
    for done, page in enumerate(pages, start=1):
        for framework in page.frameworks:
            folder = context.output / framework
            ids = frozenset(other.section.id for other in pages if framework in other.frameworks)
            files = _Files(context, folder, page.section.id)
            plain = PlainContext(
                root=config.root,
                book=book,
                section=page.section,
                pages=ids,
                numbers=numbers.labels,
                image=files.address,
                language=config.language,
                works=works,
                cited=_cited(book, ids, listed) if page.section.bibliographies else (),
            )
            path = folder / f"{page.section.id}.ipynb"
            write_if_changed(path, plain_notebook(page, config.framework(framework), plain, numbers))
            wanted |= {path, *files.written}
        context.observer("notebooks", done, len(pages))
    for framework in context.frameworks:
        folder = context.output / framework
        wanted |= {*write_kit(pages, config.framework(framework), config, context.libraries.get(framework), folder)}
    archive = context.output / f"{config.name}-notebooks.zip"
    write_archive(archive, context.output, sorted(wanted))
    for path in context.output.rglob("*"):
        if path.is_file() and path not in wanted and path != archive:
            path.unlink()
    return context.output


def _cited(book: Book, pages: Collection[str], listed: Mapping[str, str]) -> Sequence[str]:
    """Return the works that these pages cite, in the order of their people."""
    references = (one for name in pages for one in book.sections[name].references)
    keys = {one.target for one in references if one.role in {"cite", "citep", "citet"}}
    return sorted((listed[key] for key in keys if key in listed), key=str.casefold)


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


def plain_notebook(page: Page, framework: Framework, context: PlainContext, numbers: Numbers | None = None) -> bytes:
    """Return the notebook of a page for one of its frameworks, as its file; `numbers` are those of the book."""
    made = _notebook(page, framework, context, numbers or Numbers())
    return (json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _notebook(page: Page, framework: Framework, context: PlainContext, numbers: Numbers) -> dict[str, Any]:
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
        elif text := _text(cell, page, context, numbers):
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


def _text(cell: PageCell, page: Page, context: PlainContext, numbers: Numbers) -> str:
    if cell.kind is CellKind.PROSE:
        return plain_markdown(cell.source, context, numbers.places.get((page.section.id, cell.id)))
    if cell.kind is CellKind.CONTENTS:
        return "\n".join(_entries(cell, page, context, numbers))
    return ""  # reStructuredText says nothing to Jupyter


def _entries(cell: PageCell, page: Page, context: PlainContext, numbers: Numbers) -> Sequence[str]:
    names = [
        entry.section
        for tree in page.section.contents
        if cell.span.first <= tree.span.first <= cell.span.last
        for entry in tree.entries
        if entry.section in context.pages
    ]
    folder = PurePosixPath(page.section.id).parent
    titles = {name: plain_markdown(context.book.sections[name].title, context) or name for name in names}
    entries = {name: f"{numbers.pages.get(name, '')} {title}".strip() for name, title in titles.items()}
    return [f"* [{entries[name]}]({os.path.relpath(f'{name}.ipynb', folder)})" for name in names]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
