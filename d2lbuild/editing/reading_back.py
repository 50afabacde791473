"""Whether a section that was written reads as it was meant: the last look before a file is changed."""

import re
from collections.abc import Collection, Iterable, Sequence

from d2lbuild.editing.code_text import framework_language, marked
from d2lbuild.editing.layout import Piece, lay_out
from d2lbuild.editing.notebook import Json, source_of
from d2lbuild.errors import BookError
from d2lbuild.model import BlockKind
from d2lbuild.source.cells import FrameworkNames
from d2lbuild.source.markdown import FURNITURE, selected

__all__ = ["check_reads_back", "shown_to"]

Shown = list[tuple[str, str]]
"""What a framework sees: kinds of cells, and what stands in them."""


def check_reads_back(
    made: str,
    base: str,
    edited: str,
    *,
    cells: Sequence[Json],
    framework: str,
    names: FrameworkNames,
    unsure: Collection[str],
) -> None:
    """Raise BookError unless `made` shows `framework` the `cells`, and all others what they saw.

    `base` is the text before the edit, and `edited` the same with edits within cells alone, which others may share. Of
    frameworks in `unsure` nothing is known: the author has given them a cell, or taken one.
    """
    if not unsure and _kinds(base, names) != _kinds(edited, names):
        raise _error("")
    for other in names.book:
        if (
            other != framework
            and other not in unsure
            and shown_to(made, other, names) != shown_to(edited, other, names)
        ):
            raise _error(f": {other} would see something else")
    marks = framework_language(framework, names).marks
    wanted: Shown = []
    for cell in cells:
        lines = source_of(cell).split("\n")
        kind = cell["cell_type"]
        header = marked(lines, marks)
        if kind == "code" and (FURNITURE.search(header.code) or not _is_for(header.tabs, framework, marks.tab)):
            continue  # the first are in every notebook for editing and in no edition; of others the author takes leave
        wanted.append((kind, header.code if kind == "code" else source_of(cell)))
    if shown_to(made, framework, names) != _joined(wanted):
        raise _error("")


def _error(what: str) -> BookError:
    return BookError(
        f"the notebook cannot be written back as it is{what}",
        hint="a cell changes what stands around it: look for a fence of backticks that is not closed, an executable "
        "fence within text, or a line with `:begin_tab:`, `:end_tab:` or `+++`",
    )


def shown_to(text: str, framework: str, names: FrameworkNames) -> Shown:
    """Return what a framework sees of a section, text that stands together as one."""
    pieces = lay_out(text, names).pieces
    wanted = (one for one in pieces if one.is_shown and selected(one.seen_by, framework))
    return _joined(_content(one) for one in wanted if one.block.kind is not BlockKind.FURNITURE)


def _content(piece: Piece) -> tuple[str, str]:
    if piece.language is None:
        return piece.cell_type, "\n".join(piece.texts)
    return "code", marked(piece.texts, piece.language.marks).code


def _joined(cells: Iterable[tuple[str, str]]) -> Shown:
    made: Shown = []
    for kind, source in cells:
        if kind != "markdown":
            made.append((kind, source.rstrip() if kind == "code" else source.strip("\n")))
        elif text := re.sub(r"\A(?:[^\S\n]*\n)+|\s+\Z", "", re.sub(r"\n\s*\n", "\n\n", source)):
            if made and made[-1][0] == kind:
                made[-1] = kind, f"{made[-1][1]}\n\n{text}"
            else:
                made.append((kind, text))
    return made


def _kinds(text: str, names: FrameworkNames) -> list[tuple[BlockKind, object]]:
    return [(one.block.kind, one.seen_by) for one in lay_out(text, names).pieces]


def _is_for(tabs: Sequence[str], framework: str, mark: re.Pattern[str]) -> bool:
    match = mark.match(tabs[-1].strip()) if tabs else None
    found = match["names"].replace(",", " ").split() if match else [framework]
    return framework in found or "all" in found
