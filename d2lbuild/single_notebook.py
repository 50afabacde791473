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
from d2lbuild.rendering.notebooks import plain_notebook
from d2lbuild.rendering.plain_markdown import PlainContext, label_numbers
from d2lbuild.source.book import load_book
from d2lbuild.source.kept import KeptSections

__all__ = ["write_notebook"]


def write_notebook(config: Config, section: str, framework: str, path: Path, *, outputs: bool = False) -> str:
    """Write the notebook of a section for one framework; return what readers should know of its outputs.

    It is what a build for notebooks makes, except that images stay where they are. With `outputs` it has those that the
    cache holds. UsageError if the framework has no such section, SetupError if there are no outputs.
    """
    with without_collections():
        kept = KeptSections(config, cache_home() / "sections" / book_folder(config.name))
        book = load_book(config, kept)
        edition = make_edition(config, tuple(book.sections.values()), framework, kept)
        edition.expanded.update(known_expansions(config, edition.framework))
        ids = frozenset(one.section.id for one in edition.neutral)
        if section not in ids:
            raise UsageError(
                f"the section '{section}' has no cells for {framework}", hint="name another one with --framework"
            )
        alone = replace(edition, neutral=tuple(one for one in edition.neutral if one.section.id == section))
        notebook = alone.notebooks[section]
        results: dict[str, ExecutionResult] = {}
        notice = ""
        if outputs:
            results[framework], notice = _result(config, alone, section)
        page = assemble(notebook.section, {framework: notebook}, results, language=config.language)

        def address(file: Path) -> str:
            return quote(PurePosixPath(os.path.relpath(file.resolve(), path.parent.resolve())).as_posix())

        plain = PlainContext(
            config.root, book, page.section, ids, label_numbers(book), address, config.language
        )  # fmt: skip
        write_if_changed(path, plain_notebook(page, edition.framework, plain))
    return notice


def _result(config: Config, edition: Edition, section: str) -> tuple[ExecutionResult, str]:
    from d2lbuild.notebook_runs import NotebookRuns  # noqa: PLC0415 - slow to import

    name = edition.framework.name
    runs = NotebookRuns(config, BuildRequest((name,)), {name: edition}, Observer())
    for _, result, notice in runs.kept(frozenset()):
        return result, notice
    raise SetupError(
        f"there are no outputs of '{section}' for {name}",
        hint=f"`d2lbuild build --framework {name} {section}` runs it",
    )
