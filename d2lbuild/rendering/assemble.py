"""Joins the notebooks of one section, and what running them gave, into the page that a reader sees.

Cells are joined on their id. What is the same for every framework that has it stands once; where the frameworks' code
or outputs differ, each has a cell of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from d2lbuild.edition.edition import Edition
from d2lbuild.model import Book, Cell, CellKind, ExecutionResult, Notebook, Output, Section, Status
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.page import Page, PageCell

__all__ = ["assemble", "assemble_book"]

_ID_LIMIT = 64
"""The length of a cell id in nbformat 4.5."""
_MOST_CHARACTERS = 300
"""Of a notice; the message of an error may hold a whole tensor."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A cell as one framework has it."""

    cell: Cell
    outputs: tuple[Output, ...] = ()
    notice: str = ""


def assemble(
    section: Section,
    notebooks: Mapping[str, Notebook],
    results: Mapping[str, ExecutionResult],
    outdated: Mapping[str, str] | None = None,
    *,
    language: str = "en",
) -> Page:
    """Join `notebooks` (by framework, in the book's order) and their `results` into one page.

    `outdated` says of some results that they were made in another environment. What the page says of runs is in the
    book's `language`.
    """
    frameworks = tuple(notebooks)
    versions: dict[str, dict[str, _Version]] = {}
    for framework, notebook in notebooks.items():
        for version in _versions(notebook, results.get(framework), language):
            versions.setdefault(version.cell.id, {})[framework] = version
    in_order = sorted(versions.items(), key=lambda item: _place(item[1]))
    cells = tuple(piece for _, found in in_order for piece in _page_cells(found, frameworks))
    known = {name: results[name] for name in frameworks if name in results}
    return Page(section, frameworks, cells, known, dict(outdated or {}))


def assemble_book(
    book: Book,
    editions: Mapping[str, Edition],
    results: Mapping[tuple[str, str], ExecutionResult],
    outdated: Mapping[tuple[str, str], str],
    *,
    language: str,
) -> list[Page]:
    """Make the pages of all sections that the editions see, from results by section and framework."""
    pages = []
    for name, section in book.sections.items():
        notebooks = {one: edition.notebooks[name] for one, edition in editions.items() if name in edition.notebooks}
        if notebooks:
            known = {one: results[name, one] for one in notebooks if (name, one) in results}
            notices = {one: outdated[name, one] for one in notebooks if (name, one) in outdated}
            pages.append(assemble(section, notebooks, known, notices, language=language))
    return pages


def _versions(notebook: Notebook, result: ExecutionResult | None, language: str) -> list[_Version]:
    outputs = iter(result.outputs if result else ())
    at, text = _notice(result, len(notebook.code), language) if result else (0, "")
    noticed = notebook.code[at].id if text and notebook.code else ""
    # Outputs are told apart by position: a result knows nothing of ids, so that it survives edits of the prose.
    return [
        _Version(cell, next(outputs, ()), text if cell.id == noticed else "")
        if cell.kind is CellKind.CODE
        else _Version(cell)
        for cell in notebook.cells
    ]


def _notice(result: ExecutionResult, count: int, language: str) -> tuple[int, str]:
    """Return what to say of a run that did not come to its end, and at which of the `count` code cells."""
    failure = result.failure
    if failure is None or result.status is Status.DONE:
        return 0, ""
    first = next((line.strip() for line in failure.message.splitlines() if line.strip()), "")
    if result.status is Status.SKIPPED or failure.cell is None:
        text = translated(language, "This code was not executed: {reason}")
        return 0, _short(text.format(reason=first or failure.name))
    reason = f"{failure.name}: {first}" if first else failure.name
    words = [translated(language, "The run ended in this cell.")]
    if failure.cell < count - 1:
        words.append(translated(language, "Nothing below it was executed."))
    return failure.cell, " ".join([*words, _short(reason)])


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _place(found: Mapping[str, _Version]) -> tuple[int, int]:
    cell = next(iter(found.values())).cell
    return cell.span.first, cell.span.last


def _page_cells(found: Mapping[str, _Version], frameworks: Sequence[str]) -> list[PageCell]:
    first = next(iter(found.values()))
    if all(_same(first, version) for version in found.values()):
        names = tuple(name for name in frameworks if name in found)
        return [_page_cell(first.cell.id, first, names, everywhere=len(names) == len(frameworks))]
    return [
        _page_cell(_framework_id(first.cell.id, name), found[name], (name,), everywhere=False)
        for name in frameworks
        if name in found
    ]


def _page_cell(name: str, version: _Version, frameworks: tuple[str, ...], *, everywhere: bool) -> PageCell:
    cell = version.cell
    return PageCell(
        id=name,
        kind=cell.kind,
        source=cell.source,
        span=cell.span,
        lines=cell.lines,
        frameworks=frameworks,
        everywhere=everywhere,
        tags=cell.tags,
        outputs=version.outputs,
        indent=cell.indent,
        notice=version.notice,
    )


def _framework_id(name: str, framework: str) -> str:
    ending = f"-{framework}"
    return name[: _ID_LIMIT - len(ending)] + ending


def _same(one: _Version, other: _Version) -> bool:
    return (
        one.cell.source == other.cell.source
        and one.cell.tags == other.cell.tags
        and one.notice == other.notice
        and _bare(one.outputs) == _bare(other.outputs)
    )


def _bare(outputs: tuple[Output, ...]) -> list[Output]:
    """Outputs without their counters, which depend on how many cells ran before."""
    return [{key: value for key, value in output.items() if key != "execution_count"} for output in outputs]
