"""The notebook that shows a section to one framework's author: each cell knows which lines of the file it shows.

Code stands in it as it is written, with its marks and all branches; the extension `d2lbuild.tab` makes those work.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from d2lbuild.config.types import Framework
from d2lbuild.editing.layout import Piece, lay_out
from d2lbuild.source.cells import FrameworkNames
from d2lbuild.source.markdown import selected

__all__ = [
    "KEY",
    "Json",
    "cells_of",
    "lines_of",
    "notebook_file",
    "notebook_for_editing",
    "source_of",
    "with_outputs_of",
]

Json = dict[str, Any]
"""A notebook, or one of its cells."""
KEY = "d2lbuild"
"""Our part of the metadata."""


def notebook_for_editing(text: str, framework: str, names: FrameworkNames) -> Json:
    """Return the cells of a section, given by its text, that `framework` sees."""
    pieces = lay_out(text, names).pieces
    cells = [
        _cell(f"cell-{number}", piece)
        for number, piece in enumerate(pieces)
        if piece.is_shown and selected(piece.seen_by, framework)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _cell(name: str, piece: Piece) -> Json:
    metadata: Json = {KEY: {"cell": name, "lines": list(piece.shown)}}
    cell: Json = {"cell_type": piece.cell_type, "id": name, "metadata": metadata, "source": "\n".join(piece.texts)}
    if piece.cell_type == "code":
        cell |= {"execution_count": None, "outputs": []}
        if piece.fence and piece.fence.info.strip().startswith("{code-cell}") and piece.block.tags:
            metadata["tags"] = sorted(piece.block.tags)
    return cell


def cells_of(notebook: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the cells of a notebook."""
    yield from notebook["cells"]


def source_of(cell: Mapping[str, Any]) -> str:
    """Return what stands in a cell, which files may hold as one text or as a list of lines."""
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(cell: Mapping[str, Any]) -> tuple[int, int]:
    """Return the lines of the file that a cell of ours shows."""
    first, end = cell["metadata"][KEY]["lines"]
    return first, end


def notebook_file(notebook: Json, framework: Framework, kernel: str, about: Mapping[str, str]) -> str:
    """Return a notebook as the text of its file, with its kernel and what we must know of it when it is saved."""
    metadata = {
        "kernelspec": {"display_name": framework.title, "language": framework.language, "name": kernel},
        "language_info": {"name": framework.language},
        KEY: dict(about),
    }
    cells = [{**cell, "source": source_of(cell).splitlines(keepends=True)} for cell in cells_of(notebook)]
    made = {**notebook, "cells": cells, "metadata": metadata}
    return json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def with_outputs_of(new: Json, old: Json) -> Json:
    """Return `new` with the outputs that `old` has for the same cells."""
    keys = [[(cell["cell_type"], source_of(cell)) for cell in cells_of(one)] for one in (old, new)]
    cells = list(cells_of(new))
    for first, start, size in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_matching_blocks():
        for offset in range(size):
            cells[start + offset] = _keeping(cells[start + offset], old["cells"][first + offset])
    return {**new, "cells": cells}


def _keeping(cell: Json, old: Mapping[str, Any]) -> Json:
    names: Sequence[str] = ("outputs", "execution_count")
    return {**cell, **{name: old[name] for name in names if name in old}}
