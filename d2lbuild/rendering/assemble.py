"""Joins the notebooks of one section, and what running them gave, into the page that a reader sees.

Cells are joined on their id. What is the same for every framework that has it stands once; where the frameworks' code
or outputs differ, each has a cell of its own.
"""

from collections.abc import Mapping, Sequence

from d2lbuild.model import Cell, CellKind, ExecutionResult, Notebook, Output, Page, PageCell, Section

__all__ = ["assemble"]

_Version = tuple[Cell, tuple[Output, ...]]
_ID_LIMIT = 64
"""The length of a cell id in nbformat 4.5."""


def assemble(section: Section, notebooks: Mapping[str, Notebook], results: Mapping[str, ExecutionResult]) -> Page:
    """Join `notebooks` (by framework, in the book's order) and their `results` into one page."""
    frameworks = tuple(notebooks)
    versions: dict[str, dict[str, _Version]] = {}
    for framework, notebook in notebooks.items():
        for cell, outputs in _with_outputs(notebook, results.get(framework)):
            versions.setdefault(cell.id, {})[framework] = (cell, outputs)
    in_order = sorted(versions.items(), key=lambda item: _place(item[1]))
    cells = tuple(piece for _, found in in_order for piece in _page_cells(found, frameworks))
    return Page(section, frameworks, cells, {name: results[name] for name in frameworks if name in results})


def _with_outputs(notebook: Notebook, result: ExecutionResult | None) -> list[_Version]:
    outputs = iter(result.outputs if result else ())
    # Outputs are told apart by position: a result knows nothing of ids, so that it survives edits of the prose.
    return [(cell, next(outputs, ()) if cell.kind is CellKind.CODE else ()) for cell in notebook.cells]


def _place(found: Mapping[str, _Version]) -> tuple[int, int]:
    cell, _ = next(iter(found.values()))
    return cell.span.first, cell.span.last


def _page_cells(found: Mapping[str, _Version], frameworks: Sequence[str]) -> list[PageCell]:
    first, outputs = next(iter(found.values()))
    if all(_same((first, outputs), version) for version in found.values()):
        names = tuple(name for name in frameworks if name in found)
        return [_page_cell(first.id, (first, outputs), names, everywhere=len(names) == len(frameworks))]
    return [
        _page_cell(_framework_id(first.id, name), found[name], (name,), everywhere=False)
        for name in frameworks
        if name in found
    ]


def _page_cell(name: str, version: _Version, frameworks: tuple[str, ...], *, everywhere: bool) -> PageCell:
    cell, outputs = version
    return PageCell(
        id=name,
        kind=cell.kind,
        source=cell.source,
        span=cell.span,
        lines=cell.lines,
        frameworks=frameworks,
        everywhere=everywhere,
        tags=cell.tags,
        outputs=outputs,
        indent=cell.indent,
    )


def _framework_id(name: str, framework: str) -> str:
    ending = f"-{framework}"
    return name[: _ID_LIMIT - len(ending)] + ending


def _same(one: _Version, other: _Version) -> bool:
    return one[0].source == other[0].source and one[0].tags == other[0].tags and _bare(one[1]) == _bare(other[1])


def _bare(outputs: tuple[Output, ...]) -> list[Output]:
    """Outputs without their counters, which depend on how many cells ran before."""
    return [{key: value for key, value in output.items() if key != "execution_count"} for output in outputs]
