"""Which names each framework's library has, and where their signatures differ.

Signatures are compared as a caller sees them: parameters and defaults, without annotations. What a constructor takes is
the signature of its class; a class that inherits its constructor has none, and is not compared.
"""

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from d2lbuild.edition.alias_definitions import alias_names
from d2lbuild.edition.library import Library

__all__ = ["ParityRow", "parity"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class ParityRow:
    """One public name in all libraries."""

    name: str
    """``Module``, or ``Module.loss`` for a method."""
    kind: str
    """``class``, ``function``, ``method``, ``value`` or ``alias``."""
    signatures: Mapping[str, str | None]
    """By framework: ``(x, y=None)``, empty where there is none to compare, None where the name is missing."""
    differs: bool
    """Whether the frameworks that have it disagree about its signature or its kind."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The frameworks that lack it."""
        return tuple(framework for framework, signature in self.signatures.items() if signature is None)


@dataclass(frozen=True, slots=True)
class _Name:
    kind: str
    signature: str


def parity(libraries: Mapping[str, Library]) -> tuple[ParityRow, ...]:
    """Return a row for each public name, in the order of the book: methods follow their classes, aliases come last."""
    found = {framework: dict(_public(_definitions(library))) for framework, library in libraries.items()}
    imported = {framework: {one.bound for one in library.imports} for framework, library in libraries.items()}
    aliases = {framework: alias_names(library.framework.aliases) for framework, library in libraries.items()}
    rows = []
    for name in _in_order(found.values()):
        names = {
            framework: known.get(name)
            or (_Name("alias", _UNKNOWN) if name in aliases[framework] | imported[framework] else None)
            for framework, known in found.items()
        }
        rows.append(_row(name, names))
    saved = {row.name for row in rows}
    for name in sorted(frozenset().union(*aliases.values()) - saved):
        if not name.startswith("_"):
            held = {one: aliases[one] | imported[one] for one in libraries}
            rows.append(_row(name, {one: _Name("alias", _UNKNOWN) if name in held[one] else None for one in libraries}))
    return tuple(rows)


def _row(name: str, names: Mapping[str, _Name | None]) -> ParityRow:
    there = [one for one in names.values() if one]
    saved = [one for one in there if one.kind != "alias"]
    signatures = {one.signature for one in saved if one.signature}
    kinds = [one.kind for one in saved] or ["alias"]
    differs = len(signatures) > 1 or len(set(kinds)) > 1
    return ParityRow(name, kinds[0], {key: one.signature if one else None for key, one in names.items()}, differs)


def _in_order(frameworks: Iterable[Mapping[str, _Name]]) -> list[str]:
    """Return all names: those that only a later framework has stand after what they follow there."""
    order: list[str] = []
    for names in frameworks:
        at = 0
        for name in names:
            if name in order:
                at = max(at, order.index(name) + 1)
            else:
                order.insert(at, name)
                at += 1
    # A method may have come to stand after another class's: gather each class's again.
    first = {name: n for n, name in reversed(list(enumerate(order)))}
    place = {name: (first.get(name.partition(".")[0], n), "." in name, n) for n, name in enumerate(order)}
    return sorted(order, key=place.__getitem__)


def _public(definitions: Iterable[tuple[str, _Name]]) -> Iterator[tuple[str, _Name]]:
    return ((name, one) for name, one in definitions if not any(part.startswith("_") for part in name.split(".")))


def _definitions(library: Library) -> Iterator[tuple[str, _Name]]:
    header = library.framework.header.text if library.framework.header else ""
    for code in (header, *(block.code for block in library.blocks)):
        try:
            body = ast.parse(code).body
        except SyntaxError:
            continue  # a check of its own reports it
        for node in body:
            yield from _defined(node, library.package)


def _defined(node: ast.stmt, package: str) -> Iterator[tuple[str, _Name]]:
    if isinstance(node, _Function):
        yield node.name, _Name("function", _signature(node.args))
    elif isinstance(node, ast.ClassDef):
        yield node.name, _Name("class", _constructor(node))
        for inner in node.body:
            if isinstance(inner, _Function):
                yield f"{node.name}.{inner.name}", _Name("method", _signature(inner.args, method=True))
    else:
        targets: Sequence[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for one in (part for target in targets for part in ast.walk(target)):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store) and one.id != package:
                yield one.id, _Name("value", _UNKNOWN)


def _constructor(node: ast.ClassDef) -> str:
    for inner in node.body:
        if isinstance(inner, _Function) and inner.name == "__init__":
            return _signature(inner.args, method=True)
    fields = [text for inner in node.body if isinstance(inner, ast.AnnAssign) and (text := _field(inner))]
    return f"({', '.join(fields)})" if fields else _UNKNOWN


def _field(node: ast.AnnAssign) -> str:
    """Return a field of a dataclass as the parameter that it makes; empty if it makes none."""
    if not isinstance(node.target, ast.Name):
        return ""
    value = node.value
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field"):
        options = {keyword.arg: keyword.value for keyword in value.keywords}
        if (made := options.get("init")) and isinstance(made, ast.Constant) and made.value is False:
            return ""
        value = options.get("default", options.get("default_factory"))
    return f"{node.target.id}={ast.unparse(value)}" if value else node.target.id


def _signature(arguments: ast.arguments, *, method: bool = False) -> str:
    """Return parameters with their defaults; without annotations, and without a method's first one."""
    bare = copy.deepcopy(arguments)
    for one in ast.walk(bare):
        if isinstance(one, ast.arg):
            one.annotation = None
    first = bare.posonlyargs or bare.args
    if method and first and first[0].arg in ("self", "cls"):
        del first[0]
    return f"({ast.unparse(bare)})"
