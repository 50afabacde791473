"""What the statements of a module define, and which names they need at once: while the module is imported."""

import ast
from collections.abc import Collection, Iterable, Iterator

__all__ = ["defined_names", "needed_names"]

_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


_Readings = Iterator[tuple[str, ast.Name | ast.Attribute]]


def defined_names(node: ast.stmt, package: str) -> frozenset[str]:
    """Return the names of the module that a statement binds, also as ``package.NAME = …``."""
    return frozenset(_defined(node, package))


def _defined(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, _Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        if isinstance(node.value, ast.Name) and node.value.id == package:
            yield node.attr
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    if not isinstance(node, _Scope | _Comprehension):
        for child in ast.iter_child_nodes(node):
            yield from _defined(child, package)


def needed_names(node: ast.AST, package: str) -> _Readings:
    """Yield the names that a statement reads as soon as it is executed, with the nodes that read them.

    What functions and lambdas do when they are called is not among them, nor are names that a comprehension or the
    body of a class has bound itself.
    """
    if isinstance(node, _Function):
        yield from _parts([*node.decorator_list, node.args, *([node.returns] if node.returns else [])], package)
    elif isinstance(node, ast.Lambda):
        yield from needed_names(node.args, package)
    elif isinstance(node, ast.ClassDef):
        yield from _parts([*node.decorator_list, *node.bases, *node.keywords], package)
        own: set[str] = set()
        for inner in node.body:
            yield from _without(own, needed_names(inner, package))
            own |= defined_names(inner, package)
    elif isinstance(node, _Comprehension):
        bound = {one.id for part in node.generators for one in ast.walk(part.target) if isinstance(one, ast.Name)}
        yield from _without(bound, _parts(ast.iter_child_nodes(node), package))
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == package:
        yield from [(node.attr, node)] if isinstance(node.ctx, ast.Load) else []
    elif isinstance(node, ast.Name):
        yield from [(node.id, node)] if isinstance(node.ctx, ast.Load) else []
    else:
        yield from _parts(ast.iter_child_nodes(node), package)


def _parts(nodes: Iterable[ast.AST], package: str) -> _Readings:
    for node in nodes:
        yield from needed_names(node, package)


def _without(names: Collection[str], readings: _Readings) -> _Readings:
    """Leave out plain names that mean something nearer; attributes of the package cannot."""
    return ((name, reader) for name, reader in readings if name not in names or isinstance(reader, ast.Attribute))
