"""Code and framework prose inside of lists.

A page is a notebook, whose cells cannot stand in each other. So the prose around a piece that is indented becomes one
cell, in which an empty directive, indented as the piece is, keeps its place; the piece follows as a cell of its own,
and is put into its place when Sphinx has read the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import dedent
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from d2lbuild.model import CellKind
from d2lbuild.rendering.page import PageCell

__all__ = ["PLACE", "PlacedCell", "connect", "with_places"]

PLACE = "d2l-place"
"""The directive that keeps a place, and the attribute of the piece that goes there."""


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell and the name of the place in an earlier cell that it goes to; empty if it stands for itself."""

    cell: PageCell
    place: str = ""


def with_places(cells: Sequence[PageCell]) -> list[PlacedCell]:
    """Join the prose around indented pieces, and say where these go."""
    found: list[PlacedCell] = []
    prose: int | None = None  # where the prose is that goes on
    after_piece = False
    for cell in cells:
        indent = _indent(cell)
        if prose is not None and indent and not _is_prose_for_all(cell):
            found[prose] = PlacedCell(_joined(found[prose].cell, _keeper(cell, indent)))
            found.append(PlacedCell(_dedented(cell), cell.id))
            after_piece = True
        elif prose is not None and indent:  # a framework's prose in its own edition: no piece of its own
            found[prose] = PlacedCell(_joined(found[prose].cell, cell))
            after_piece = True
        elif prose is not None and after_piece and _is_prose_for_all(cell):
            found[prose] = PlacedCell(_joined(found[prose].cell, cell))
            after_piece = False
        else:
            prose = len(found) if _is_prose_for_all(cell) else None
            after_piece = False
            found.append(PlacedCell(cell))
    return found


def _is_prose_for_all(cell: PageCell) -> bool:
    return cell.kind is CellKind.PROSE and cell.everywhere


def _indent(cell: PageCell) -> int:
    """Return by how many columns a piece is indented; 0 if it can stand in no list."""
    if cell.kind is CellKind.CODE:
        return cell.indent
    if cell.kind is CellKind.PROSE:
        return min((len(line) - len(line.lstrip(" ")) for line in cell.source.splitlines() if line.strip()), default=0)
    return 0


def _keeper(cell: PageCell, indent: int) -> PageCell:
    """Return prose that keeps the place of a piece."""
    margin = " " * indent
    return replace(
        cell, source=f"{margin}```{{{PLACE}}} {cell.id}\n{margin}```\n", lines=(cell.span.first, cell.span.last)
    )


def _dedented(cell: PageCell) -> PageCell:
    return replace(cell, source=dedent(cell.source)) if cell.kind is CellKind.PROSE else cell


def _joined(one: PageCell, other: PageCell) -> PageCell:
    pieces = [*_with_lines(one), ("", other.span.first), *_with_lines(other)]
    texts, lines = zip(*pieces, strict=True)
    return replace(one, source="\n".join(texts), lines=tuple(lines))


def _with_lines(cell: PageCell) -> Iterator[tuple[str, int]]:
    texts = cell.source.removesuffix("\n").split("\n")
    return zip(texts, [*cell.lines, *[cell.lines[-1]] * len(texts)], strict=False)


# --- Sphinx -----------------------------------------------------------------------------------------------------------


class Place(nodes.General, nodes.Element):
    """Where a piece goes; none is left once a page is read."""


class PlaceDirective(Directive):
    """``{d2l-place} cell-7``: here goes the piece of that name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Keep the place."""
        return [Place(name=self.arguments[0])]


class FillPlaces(SphinxTransform):
    """Puts pieces into their places."""

    default_priority = 5

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Move the pieces of a page."""
        places = {place["name"]: place for place in self.document.findall(Place)}
        pieces: dict[str, list[nodes.Element]] = {}
        for node in self.document.findall(nodes.container):
            if (name := _place_of(node)) in places:
                pieces.setdefault(name, []).append(node)
        for name, found in pieces.items():
            for piece in found:
                assert piece.parent is not None
                piece.parent.remove(piece)
            places[name].replace_self(found)
        for place in list(self.document.findall(Place)):
            assert place.parent is not None
            place.parent.remove(place)


def _place_of(node: nodes.container) -> str:
    metadata: dict[str, dict[str, str]] = node.get("cell_metadata") or {}
    name: str = node.get(PLACE, "")
    return name or metadata.get("d2lbuild", {}).get("place", "")


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(Place)
    app.add_directive(PLACE, PlaceDirective)
    app.add_transform(FillPlaces)
