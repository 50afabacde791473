"""A small book with all that can happen to pieces of frameworks, made into a website without a kernel.

Its chapters are in `book/`. Their code is plain Python that runs in this process: what it prints are its outputs,
and `show(type, data)` makes others.
"""

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from d2lbuild.config import load_config
from d2lbuild.edition.edition import make_edition
from d2lbuild.model import ExecutionResult, Notebook, Output, Status
from d2lbuild.rendering.assemble import assemble
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.website.html import render
from d2lbuild.source.book import load_book

BOOK = Path(__file__).parent / "book"


def write_site(folder: Path) -> Path:
    """Write the website, and return its folder."""
    config = replace(load_config(BOOK), output=folder)
    book = load_book(config)
    assert book.findings == ()
    names = tuple(framework.name for framework in config.frameworks)
    notebooks: dict[str, dict[str, Notebook]] = {name: {} for name in book.sections}
    for name in names:
        edition = make_edition(config, tuple(book.sections.values()), name)
        for section, notebook in edition.notebooks.items():
            notebooks[section][name] = notebook
    pages = [assemble(book.sections[name], found, _results(found)) for name, found in notebooks.items() if found]
    result = render(pages, RenderContext(config=config, book=book, frameworks=names, output=folder / "html"))
    assert result.findings == ()
    return result.path.parent


def _results(notebooks: Mapping[str, Notebook]) -> dict[str, ExecutionResult]:
    return {
        name: ExecutionResult(Status.DONE, _outputs(notebook), 0.5, "2026-01-01T00:00:00+00:00", {name: "1.0"})
        for name, notebook in notebooks.items()
        if notebook.code
    }


def _outputs(notebook: Notebook) -> tuple[tuple[Output, ...], ...]:
    names: dict[str, object] = {}
    return tuple(tuple(_run(cell.source, names)) for cell in notebook.code)


def _run(code: str, names: dict[str, object]) -> list[Output]:
    found: list[Output] = []

    def show(kind: str, data: str) -> None:
        found.append({"output_type": "display_data", "data": {kind: data}, "metadata": {}})

    names["show"] = show
    said = io.StringIO()
    with redirect_stdout(said):
        try:
            exec(code, names)
        except ValueError as error:
            traceback = [f"{type(error).__name__}: {error}"]
            found.append({"output_type": "error", "ename": "ValueError", "evalue": str(error), "traceback": traceback})
    if said.getvalue():
        found.insert(0, {"output_type": "stream", "name": "stdout", "text": said.getvalue()})
    return found
