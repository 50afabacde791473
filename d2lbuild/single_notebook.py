"""One section as a notebook for readers, without building the book around it."""

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from d2lbuild.building import BuildRequest, Observer
from d2lbuild.config import Config
from d2lbuild.edition.edition import Edition, make_edition
from d2lbuild.errors import SetupError, UsageError
from d2lbuild.execution.home import book_folder, cache_home
from d2lbuild.expansions import known_expansions
from d2lbuild.files import write_if_changed
from d2lbuild.garbage import without_collections
from d2lbuild.model import ExecutionResult
from d2lbuild.rendering.assemble import assemble
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.notebooks import plain_notebook
from d2lbuild.rendering.plain_book import PlainBook
from d2lbuild.source.book import load_book
from d2lbuild.source.kept import KeptSections

__all__ = ["write_notebook"]


def write_notebook(
    config: Config, section: str, framework: str, path: Path | None = None, *, outputs: bool = False
) -> tuple[Path, str]:
    """Write the notebook of a section for one framework; return its file, and what to know of its outputs.

    It is what a build for notebooks makes. With a `path` of its own, images stay where they are in the book. With
    `outputs` it has those that the cache holds. UsageError if the framework has no such section, SetupError if there
    are no outputs.
    """
    with without_collections():
        kept = KeptSections(config, cache_home() / "sections" / book_folder(config.name))
        book = load_book(config, kept)
        edition = make_edition(config, tuple(book.sections.values()), framework, kept)
        edition.expanded.update(known_expansions(config, edition.framework))
        if all(one.section.id != section for one in edition.neutral):
            raise UsageError(
                f"the section '{section}' has no cells for {framework}", hint="name another one with --framework"
            )
        alone = replace(edition, neutral=tuple(one for one in edition.neutral if one.section.id == section))
        results, notice = _results(config, alone, section) if outputs else ({}, "")
        # The others are needed for the numbers of things, which code has none of: their aliases need not be expanded.
        others = [one for one in edition.neutral if one.section.id != section]
        page = assemble(
            book.sections[section], {framework: alone.notebooks[section]}, results, language=config.language
        )
        pages = [page, *(assemble(one.section, {framework: one}, {}, language=config.language) for one in others)]
        context = RenderContext(config, book, (framework,), config.output / "notebook")
        whole = PlainBook(pages, context, ".ipynb")
        plain = whole.plain_context(page, framework)
        if path is not None:
            folder = path.parent.resolve()

            def address(file: Path) -> str:
                return quote(PurePosixPath(os.path.relpath(file.resolve(), folder)).as_posix())

            plain = replace(plain, image=address)
        target = path or whole.path(page, framework)
        write_if_changed(target, plain_notebook(page, edition.framework, plain, whole.numbers))
    return target, notice


def _results(config: Config, edition: Edition, section: str) -> tuple[dict[str, ExecutionResult], str]:
    from d2lbuild.notebook_runs import NotebookRuns  # noqa: PLC0415 - slow to import

    name = edition.framework.name
    runs = NotebookRuns(config, BuildRequest((name,)), {name: edition}, Observer())
    for _, result, notice in runs.kept(frozenset()):
        return {name: result}, notice
    raise SetupError(
        f"there are no outputs of '{section}' for {name}",
        hint=f"`d2lbuild build --framework {name} {section}` runs it",
    )
