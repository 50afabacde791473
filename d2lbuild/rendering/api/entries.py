"""What the API reference describes: the public names of a library, and what the cells of pages say of them."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from d2lbuild.edition.library import Library, SavedBlock
from d2lbuild.model import Book
from d2lbuild.rendering.page import PageCell

__all__ = ["Definition", "Described", "Entry", "LibraryNames", "describe", "is_public", "methods_of"]

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Entry:
    """One public name of a library."""

    name: str
    kind: str
    """``class``, ``function`` or ``data``."""
    blocks: tuple[SavedBlock, ...]
    """The code that defines it; several for a value that statements fill one after the other."""
    definition: Definition | None
    """None for a value."""


@dataclass(frozen=True, slots=True)
class Described:
    """A library with the page that describes it."""

    library: Library
    page: str
    """As the ids of sections: ``api/pytorch``."""
    entries: tuple[Entry, ...]

    @property
    def module(self) -> str:
        """What readers import: ``d2l.torch``."""
        return f"{self.library.package}.{self.library.framework.module}"


def describe(libraries: Mapping[str, Library], book: Book) -> dict[str, Described]:
    """Return, by framework, the libraries that hold anything for readers."""
    folder = _folder(book)
    found = {name: Described(one, f"{folder}/{name}", _entries(one)) for name, one in libraries.items()}
    return {name: one for name, one in found.items() if one.entries}


def _folder(book: Book) -> str:
    """Return the folder of the pages: ``api`` unless the book has such a chapter."""
    folder = "api"
    while any(name == folder or name.startswith(f"{folder}/") for name in book.sections):
        folder += "-reference"
    return folder


def is_public(name: str) -> bool:
    """Whether readers are meant to use a name."""
    return not name.startswith("_")


def _entries(library: Library) -> tuple[Entry, ...]:
    """Return the public names that chapters save, sorted."""
    blocks: dict[str, list[SavedBlock]] = {}
    for block in library.blocks:
        for name in block.names:
            if is_public(name):
                blocks.setdefault(name, []).append(block)
    return tuple(_entry(name, blocks[name]) for name in sorted(blocks, key=lambda name: (name.casefold(), name)))


def _entry(name: str, blocks: list[SavedBlock]) -> Entry:
    # The last definition is the one that the module ends up with.
    for block in reversed(blocks):
        for node in reversed(ast.parse(block.code).body):
            if isinstance(node, ast.ClassDef | _Function) and node.name == name:
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                return Entry(name, kind, (block,), node)
    return Entry(name, "data", tuple(blocks), None)


def methods_of(node: Definition) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public methods of a class, in its order; none for a function."""
    if isinstance(node, ast.ClassDef):
        yield from (inner for inner in node.body if isinstance(inner, _Function) and is_public(inner.name))


class LibraryNames:
    """Says of a code cell which names of the libraries it uses and saves."""

    def __init__(self, described: Mapping[str, Described]) -> None:
        self._names = {name: frozenset(entry.name for entry in one.entries) for name, one in described.items()}
        self._blocks: dict[str, dict[str, list[SavedBlock]]] = {name: {} for name in described}
        for name, one in described.items():
            for block in one.library.blocks:
                self._blocks[name].setdefault(str(block.span.path), []).append(block)
        package = next((one.library.package for one in described.values()), "")
        self._mention = re.compile(rf"\b{re.escape(package)}\s*\.\s*(\w+)") if package else None

    def of(self, cell: PageCell) -> dict[str, dict[str, object]]:
        """Return, by framework, the names that a cell mentions, and the one that it saves if it is one.

        This goes into the page's notebook, so that a page is made again when a name comes or goes. Here a name in a
        string is a mention too; what becomes a link is decided on tokens, in `code_links`.
        """
        if self._mention is None:
            return {}
        mentioned = {match[1] for match in self._mention.finditer(cell.source)}
        links: dict[str, object] = {}
        saves: dict[str, object] = {}
        for framework in cell.frameworks:
            if found := mentioned & self._names.get(framework, frozenset()):
                links[framework] = sorted(found)
            if len(saved := self._saved(cell, framework)) == 1:
                saves[framework] = saved.pop()
        return {name: found for name, found in (("links", links), ("saves", saves)) if found}

    def _saved(self, cell: PageCell, framework: str) -> set[str]:
        blocks = self._blocks.get(framework, {}).get(str(cell.span.path), ())
        inside = [block for block in blocks if cell.span.first <= block.span.first <= cell.span.last]
        return {name for block in inside for name in block.names if is_public(name)}
