"""Framework-neutral calls (``d2l.matmul``) turned into what they stand for in one framework.

Only the nodes of the syntax tree that are such calls change: never strings, comments or anything else on the line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import libcst as cst

from d2lbuild.config import Aliases
from d2lbuild.edition.code import CodeError, is_python
from d2lbuild.edition.concrete import concrete, text_of

__all__ = ["expand_code"]


def expand_code(source: str, aliases: Aliases, package: str = "d2l") -> str:
    """Expand the aliases in one cell; code that does not parse is returned as it is.

    Lines may become fewer: a first argument that becomes the receiver may have stood on a line of its own.
    """
    if f"{package}." not in source or not is_python(source):
        return source
    table = _table(_Key(aliases), package)
    if not table.mentioned(source):
        return source
    try:
        module = concrete(source)
    except CodeError:
        return source
    changed = module.visit(_Expander(table))
    return source if changed is module else text_of(changed)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """An argument alias: parameters of the neutral call, and the expression with their names in it."""

    parameters: tuple[tuple[str, str | None], ...]
    """For each argument of the pattern the name it binds, and its keyword if it has one."""
    body: str


@dataclass(frozen=True, slots=True)
class _Table:
    package: str
    simple: Mapping[str, str]
    fluent: Mapping[str, str]
    args: Mapping[str, tuple[_Pattern, ...]]
    reverse: tuple[tuple[re.Pattern[str], str], ...]

    def mentioned(self, source: str) -> bool:
        """Whether the text names any alias: a cheap test before parsing."""
        names = {match[1] for match in re.finditer(rf"\b{re.escape(self.package)}\.(\w+)", source)}
        if names & (self.simple.keys() | self.fluent.keys() | self.args.keys()):
            return True
        return any(pattern.search(source) for pattern, _ in self.reverse)


class _Key:
    """Aliases hold dictionaries and so cannot be hashed; their identity serves as the cache's key."""

    def __init__(self, aliases: Aliases) -> None:
        self.aliases = aliases

    def __hash__(self) -> int:
        return id(self.aliases)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.aliases is self.aliases


@lru_cache(maxsize=32)
def _table(key: _Key, package: str) -> _Table:
    aliases = key.aliases
    args: dict[str, list[_Pattern]] = {}
    for call, body in aliases.args:
        expression = cst.ensure_type(cst.parse_expression(call), cst.Call)
        parameters = []
        for argument in expression.args:
            bound = cst.ensure_type(argument.value, cst.Name).value
            parameters.append((bound, argument.keyword.value if argument.keyword else None))
        name = cst.ensure_type(expression.func, cst.Name).value
        args.setdefault(name, []).append(_Pattern(tuple(parameters), body))
    return _Table(
        package=package,
        simple=aliases.simple,
        fluent=aliases.fluent,
        args={name: tuple(patterns) for name, patterns in args.items()},
        reverse=tuple((re.compile(pattern), replacement) for pattern, replacement in aliases.reverse),
    )


_LEAVES = frozenset({
    cst.SimpleWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline, cst.Comment, cst.Comma, cst.AssignEqual,
    cst.Dot, cst.Colon, cst.Name, cst.Integer, cst.Float, cst.SimpleString,
})  # fmt: skip
"""In these there is nothing to expand."""


class _Expander(cst.CSTTransformer):
    """Replaces neutral names and calls, the innermost first, so that nested calls work."""

    def __init__(self, table: _Table) -> None:
        super().__init__()
        self.table = table
        self.called: set[int] = set()
        """Functions of calls; the call decides about them."""

    # A transformer looks for methods by the names of each node and of each of its fields, which takes most of the time.

    def on_visit(self, node: cst.CSTNode) -> bool:
        if type(node) is cst.Call:
            self.called.add(id(node.func))
        return type(node) not in _LEAVES

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        if type(original_node) is cst.Attribute:
            return self.leave_Attribute(original_node, updated_node)
        return self.leave_Call(original_node, updated_node) if type(original_node) is cst.Call else updated_node

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        """Do nothing."""

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        """Do nothing."""

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if id(original_node) in self.called or (name := self._name(updated_node)) is None:
            return updated_node
        if found := self._reversed(updated_node):
            return found
        if target := self.table.simple.get(name):
            return _expression(target)
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        name = self._name(updated_node.func)
        if name is None:
            return updated_node
        for pattern in self.table.args.get(name, ()):
            if (bound := _bind(pattern, updated_node)) is not None:
                return _wrapped(_substitute(pattern.body, bound))
        if found := self._reversed(updated_node):
            return found
        if (method := self.table.fluent.get(name)) and (fluent := _fluent(updated_node, method)):
            return fluent
        if function := self._reversed(updated_node.func):
            return updated_node.with_changes(func=function)
        if target := self.table.simple.get(name):
            return updated_node.with_changes(func=_expression(target))
        return updated_node

    def _name(self, node: cst.BaseExpression) -> str | None:
        if (
            isinstance(node, cst.Attribute)
            and isinstance(node.value, cst.Name)
            and node.value.value == self.table.package
        ):
            return node.attr.value
        return None

    def _reversed(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        text = cst.Module(body=[]).code_for_node(node)
        for pattern, replacement in self.table.reverse:
            if match := pattern.fullmatch(text):
                return _expression(match.expand(replacement))
        return None


def _expression(code: str) -> cst.BaseExpression:
    return _wrapped(cst.parse_expression(code))


_BINDING_TIGHTLY = (
    cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List, cst.Tuple, cst.Dict, cst.Set, cst.ListComp,
    cst.DictComp, cst.SetComp, cst.SimpleString, cst.FormattedString,
)  # fmt: skip


def _wrapped(node: cst.BaseExpression) -> cst.BaseExpression:
    """Put parentheses around an expression whose parts could fall to a neighbour."""
    if node.lpar or (isinstance(node, _BINDING_TIGHTLY) and not isinstance(node, cst.Tuple)):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _fluent(call: cst.Call, method: str) -> cst.BaseExpression | None:
    """Return ``d2l.f(x, …)`` as ``x.method(…)``; None if the call has no first argument to be the receiver."""
    if not call.args or call.args[0].keyword or call.args[0].star:
        return None
    receiver = _wrapped(call.args[0].value)
    text = cst.Module(body=[]).code_for_node(receiver)
    if "\n" in text and not receiver.lpar and not isinstance(receiver, cst.Call | cst.List | cst.Dict):
        receiver = receiver.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    function = _substitute(f"receiver.{method}", {"receiver": receiver})
    space = _with_comment(call.args[0].comma) or cst.SimpleWhitespace("")
    return call.with_changes(func=function, args=call.args[1:], whitespace_before_args=space)


def _with_comment(comma: cst.Comma | cst.MaybeSentinel) -> cst.ParenthesizedWhitespace | None:
    """Return what stands between an argument and the next one, if there is a comment in it."""
    space = comma.whitespace_after if isinstance(comma, cst.Comma) else None
    if isinstance(space, cst.ParenthesizedWhitespace) and "#" in cst.Module(body=[]).code_for_node(space):
        return space
    return None


def _bind(pattern: _Pattern, call: cst.Call) -> dict[str, cst.BaseExpression] | None:
    """Match the arguments of a call with a pattern's: same keywords, same number of positional ones."""
    if any(argument.star for argument in call.args):
        return None
    positional = [argument.value for argument in call.args if argument.keyword is None]
    keywords = {argument.keyword.value: argument.value for argument in call.args if argument.keyword}
    wanted = [name for name, keyword in pattern.parameters if keyword is None]
    named = {keyword: name for name, keyword in pattern.parameters if keyword is not None}
    if len(positional) != len(wanted) or keywords.keys() != named.keys():
        return None
    return dict(zip(wanted, positional, strict=True)) | {named[key]: value for key, value in keywords.items()}


def _substitute(body: str, bound: Mapping[str, cst.BaseExpression]) -> cst.BaseExpression:
    class Substitute(cst.CSTTransformer):
        def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
            value = bound.get(updated_node.value)
            return _wrapped(value.deep_clone()) if value is not None else updated_node

        def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
            changed = updated_node.with_changes(keyword=original_node.keyword)  # a keyword is not a place for a value
            if isinstance(name := original_node.value, cst.Name) and name.value in bound:
                return changed.with_changes(value=bound[name.value].deep_clone())  # needs no parentheses
            return changed

        def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
            return updated_node.with_changes(attr=original_node.attr)

    expression = cst.parse_expression(body)
    changed = expression.visit(Substitute())
    assert isinstance(changed, cst.BaseExpression)
    return changed
