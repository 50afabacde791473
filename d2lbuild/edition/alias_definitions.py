"""What the library module says of each alias, so that a reader's ``d2l.matmul(…)`` runs."""

import ast
from collections.abc import Mapping, Sequence

from d2lbuild.config import Aliases

__all__ = ["alias_definitions", "alias_names"]


def alias_names(aliases: Aliases) -> frozenset[str]:
    """Return the names that the aliases define in the library module."""
    return frozenset(name for name, _ in alias_definitions(aliases))


def alias_definitions(aliases: Aliases) -> Sequence[tuple[str, str]]:
    """Return name and source of each definition: the plain ones first, then in the order of the configuration."""
    found = [(text.text.split("=", 1)[0].strip(), text.text) for text in aliases.plain]
    lines = [(name, f"{name} = {target}") for name, target in aliases.simple.items()]
    for name, method in aliases.fluent.items():
        lines.append((name, f"{name} = lambda x, *args, **kwargs: x.{method}(*args, **kwargs)"))
    lines += [_argument_definition(call, body) for call, body in aliases.args]
    names = {name for name, _ in found}
    for name, line in lines:
        if name not in names:
            names.add(name)
            found.append((name, line))
    return found


def _argument_definition(call: str, body: str) -> tuple[str, str]:
    """Turn ``f(a_1, keepdims=k)`` and its body into a function with the parameters ``a_1`` and ``keepdims``."""
    pattern = ast.parse(call, mode="eval").body
    assert isinstance(pattern, ast.Call)
    assert isinstance(pattern.func, ast.Name)
    renamed = {ast.unparse(keyword.value): keyword.arg or "" for keyword in pattern.keywords}
    parameters = [*(ast.unparse(argument) for argument in pattern.args), *renamed.values()]
    expression = _Renamed(renamed).visit(ast.parse(body, mode="eval"))
    name = pattern.func.id
    return name, f"{name} = lambda {', '.join(parameters)}: {ast.unparse(expression)}"


class _Renamed(ast.NodeTransformer):
    """Gives names other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)
