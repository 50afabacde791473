"""Notebooks with their aliases expanded: what `aliases` does to each cell, unless it is known already.

LibCST takes long to import and to go through a book, so it is left out where nothing has to be expanded anew.
"""

from collections.abc import Collection, Iterable, MutableMapping
from dataclasses import replace
from difflib import SequenceMatcher

from d2lbuild.config import Aliases
from d2lbuild.model import CellKind, Notebook

__all__ = ["expand", "expand_cells", "unexpanded"]


def expand(
    notebook: Notebook, aliases: Aliases, package: str = "d2l", known: MutableMapping[str, str] | None = None
) -> Notebook:
    """Return the notebook with the aliases in its code cells expanded.

    `known` holds expanded cells by the source that they were made from, with these aliases; new ones are added.
    """
    known = {} if known is None else known
    cells = []
    for cell in notebook.cells:
        if cell.kind is CellKind.CODE and f"{package}." in cell.source:
            if cell.source not in known:
                known.update(expand_cells([cell.source], aliases, package))
            source = known[cell.source]
            if source != cell.source:
                cell = replace(cell, source=source, lines=_follow(cell.source, source, cell.lines))  # noqa: PLW2901
        cells.append(cell)
    return replace(notebook, cells=tuple(cells))


def unexpanded(notebooks: Iterable[Notebook], package: str, known: Collection[str]) -> list[str]:
    """Return the sources of cells that `expand` would expand and does not know, each once."""
    cells = (cell for one in notebooks for cell in one.code if f"{package}." in cell.source)
    return list(dict.fromkeys(cell.source for cell in cells if cell.source not in known))


def expand_cells(sources: Iterable[str], aliases: Aliases, package: str) -> dict[str, str]:
    """Return cells with their aliases expanded, by their sources."""
    from d2lbuild.edition.aliases import expand_code  # noqa: PLC0415 - LibCST, see above

    return {source: expand_code(source, aliases, package) for source in sources}


def _follow(before: str, after: str, lines: tuple[int, ...]) -> tuple[int, ...]:
    """Return the source line of each line of `after`, where a call of several lines may have become shorter."""
    old, new = before.split("\n"), after.split("\n")
    if len(old) == len(new):
        return lines
    found = [0] * len(new)
    for _, start, _, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for offset in range(last - first):
            found[first + offset] = lines[min(start + offset, len(lines) - 1)]
    return tuple(found)
