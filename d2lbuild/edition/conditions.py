"""Conditions on the framework, ``tab.selected(…)``: which frameworks they name, and what they are for one of them."""

import ast
from functools import lru_cache

from d2lbuild.edition.code import tree, walk

__all__ = ["asks_for_framework", "named_frameworks", "truth"]


@lru_cache(maxsize=1024)
def named_frameworks(source: str) -> tuple[tuple[str, int], ...]:
    """Return every framework that a condition of the code names, with its line counted from 1."""
    calls = [node for node in walk(tree(source)) if isinstance(node, ast.Call)]
    return tuple((name, call.lineno) for call in calls for name in _selected(call) or ())


def _selected(node: ast.expr) -> tuple[str, ...] | None:
    """Return the frameworks that a call of ``tab.selected`` names; None if it is something else."""
    if not (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "selected"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "tab"
    ):
        return None
    names: list[str] = []
    for argument in node.args:
        for item in argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]:
            if not isinstance(item, ast.Constant) or not isinstance(item.value, str):
                return None
            names += item.value.replace(",", " ").split()
    return tuple(names)


def asks_for_framework(test: ast.expr) -> bool:
    """Whether a condition asks for the framework."""
    if isinstance(test, ast.BoolOp):
        return any(asks_for_framework(value) for value in test.values)
    return asks_for_framework(test.operand) if isinstance(test, ast.UnaryOp) else _selected(test) is not None


def truth(test: ast.expr, framework: str) -> bool | ast.expr:
    """Return what a condition is for the framework, or what is left of it if something else decides too."""
    if (names := _selected(test)) is not None:
        return "all" in names or framework in names
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        value = truth(test.operand, framework)
        return not value if isinstance(value, bool) else test
    if isinstance(test, ast.BoolOp):
        absorbing = isinstance(test.op, ast.Or)
        values = [truth(value, framework) for value in test.values]
        if any(value is absorbing for value in values):
            return absorbing
        left = [value for value in values if not isinstance(value, bool)]
        if not left:
            return not absorbing
        if len(left) == len(test.values) and all(one is other for one, other in zip(left, test.values, strict=True)):
            return test
        return left[0] if len(left) == 1 else ast.BoolOp(test.op, left)
    return test
