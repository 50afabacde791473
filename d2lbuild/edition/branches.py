"""``if tab.selected(…)`` resolved for one framework: the chosen branch stays, dedented; the rest goes.

Done on the concrete syntax tree, so that comments, layout and strings of several lines stay as the author wrote them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from d2lbuild.edition.code import CodeError, concrete, is_python, text_of

__all__ = ["Resolved", "resolve_branches"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A cell with its branches taken."""

    source: str
    lines: tuple[int, ...]
    """For each line of `source` the line, counted from 0, of the cell as it was."""
    names: tuple[tuple[str, int], ...] = ()
    """Every framework that a condition names, with its line counted from 1."""
    error: CodeError | None = None


def resolve_branches(source: str, framework: str) -> Resolved:
    """Take the branches of `framework`. Code that does not parse is returned as it is, with the error."""
    same = tuple(range(source.count("\n") + 1))
    if "tab.selected" not in source or not is_python(source):
        return Resolved(source, same)
    try:
        module = concrete(source)
    except CodeError as error:
        return Resolved(source, same, error=error)
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    before = {id(node): position.start.line for node, position in positions.items()}
    names: list[tuple[str, int]] = []
    chooser = _Chooser(framework, lambda node, name: names.append((name, before.get(id(node), 1))))
    chosen = module.visit(chooser)
    text = text_of(chosen)
    if not source.endswith("\n"):
        text = text.rstrip("\n")
    lines = text.split("\n")
    kept = [
        (line, old)
        for line, old in zip(lines, _line_map(chosen, before, len(lines)), strict=True)
        if line.strip() != _CARRIER_LINE
    ]
    return Resolved("\n".join(line for line, _ in kept), tuple(old for _, old in kept), tuple(names))


def _line_map(module: cst.Module, before: dict[int, int], count: int) -> tuple[int, ...]:
    """Follow the nodes that stayed the same from their new line to their old one; lines between count on."""
    known: dict[int, int] = {}
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    for node, position in wrapper.resolve(PositionProvider).items():
        if (old := before.get(id(node))) is not None and not isinstance(node, cst.Module):
            known.setdefault(position.start.line - 1, old - 1)
    lines: list[int] = []
    for line in range(count):
        lines.append(known.get(line, lines[-1] + 1 if lines else 0))
    return tuple(lines)


class _Chooser(cst.CSTTransformer):
    """Replaces conditions on the framework by what they choose."""

    def __init__(self, framework: str, note: Callable[[cst.CSTNode, str], None]) -> None:
        super().__init__()
        self.framework, self.note = framework, note
        self.elifs: set[int] = set()

    def visit_If(self, node: cst.If) -> bool:
        if isinstance(node.orelse, cst.If):
            self.elifs.add(id(node.orelse))
        return True

    def visit_Call(self, node: cst.Call) -> bool:
        for name in _selected_names(node) or ():
            self.note(node, name)
        return True

    def leave_If(
        self, original_node: cst.If, updated_node: cst.If
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
        if id(original_node) in self.elifs:
            return updated_node  # the first `if` of the chain decides for all
        links, final = _chain(updated_node)
        if not any(_mentions(test) for test, _ in links):
            return updated_node
        kept: list[tuple[cst.BaseExpression, cst.If]] = []
        otherwise: cst.BaseSuite | None = final.body if final else None
        for test, link in links:
            value = self.truth(test)
            if value is False:
                continue
            if value is True:
                otherwise = link.body
                final = None
                break
            kept.append((value, link))
        if not kept:
            return _flatten(updated_node, otherwise)
        tail: cst.If | cst.Else | None = final
        if final is None and otherwise is not None:
            tail = cst.Else(body=otherwise)
        for value, link in reversed(kept):
            tail = link.with_changes(test=value, orelse=tail)
        assert isinstance(tail, cst.If)
        return tail.with_changes(leading_lines=updated_node.leading_lines)

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        if not _mentions(updated_node.test):
            return updated_node
        value = self.truth(updated_node.test)
        if isinstance(value, bool):
            return updated_node.body if value else updated_node.orelse
        return updated_node.with_changes(test=value)

    def truth(self, test: cst.BaseExpression) -> bool | cst.BaseExpression:
        """Return what the condition is for the framework, or what is left of it if something else decides too."""
        if isinstance(test, cst.Call) and (names := _selected_names(test)) is not None:
            return "all" in names or self.framework in names
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            value = self.truth(test.expression)
            return not value if isinstance(value, bool) else test
        if isinstance(test, cst.BooleanOperation):
            left, right = self.truth(test.left), self.truth(test.right)
            absorbing = isinstance(test.operator, cst.Or)
            if left is absorbing or right is absorbing:
                return absorbing
            if isinstance(left, bool):
                return right
            return left if isinstance(right, bool) else test.with_changes(left=left, right=right)
        return test


def _chain(node: cst.If) -> tuple[list[tuple[cst.BaseExpression, cst.If]], cst.Else | None]:
    links = [(node.test, node)]
    rest = node.orelse
    while isinstance(rest, cst.If):
        links.append((rest.test, rest))
        rest = rest.orelse
    return links, rest


def _mentions(test: cst.BaseExpression) -> bool:
    """Whether the condition asks for the framework."""
    if isinstance(test, cst.Call):
        return _selected_names(test) is not None
    if isinstance(test, cst.UnaryOperation):
        return _mentions(test.expression)
    if isinstance(test, cst.BooleanOperation):
        return _mentions(test.left) or _mentions(test.right)
    return False


def _selected_names(call: cst.Call) -> tuple[str, ...] | None:
    """Return the frameworks that a call of ``tab.selected`` names; None if it is another call."""
    function = call.func
    if not (
        isinstance(function, cst.Attribute)
        and function.attr.value == "selected"
        and isinstance(function.value, cst.Name)
        and function.value.value == "tab"
    ):
        return None
    names: list[str] = []
    for argument in call.args:
        items: Sequence[cst.BaseExpression] = [argument.value]
        if isinstance(argument.value, cst.List | cst.Tuple):
            items = [element.value for element in argument.value.elements]
        for item in items:
            if not isinstance(item, cst.SimpleString) or not isinstance(value := item.evaluated_value, str):
                return None
            names += [name for name in value.replace(",", " ").split() if name]
    return tuple(names)


def _flatten(
    node: cst.If, body: cst.BaseSuite | None
) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
    """Return the statements of the branch in place of the `if`, with the comments that stood around them."""
    if body is None:
        return cst.RemovalSentinel.REMOVE
    statements: list[cst.BaseStatement]
    if isinstance(body, cst.SimpleStatementSuite):
        statements = [cst.SimpleStatementLine(body=body.body, trailing_whitespace=body.trailing_whitespace)]
    else:
        assert isinstance(body, cst.IndentedBlock)
        statements = list(body.body)
        comments = [line for line in body.footer if line.comment]
        if comments:
            statements.append(_CARRIER.with_changes(leading_lines=comments))
    if statements and node.leading_lines:
        first = statements[0]
        statements[0] = first.with_changes(leading_lines=[*node.leading_lines, *first.leading_lines])  # type: ignore[attr-defined]
    return cst.FlattenSentinel(statements)


# Comments at the end of a block have no statement to lead; this one carries them and is taken out of the text again.
_CARRIER_LINE = "pass  #d2lbuild-carrier"
_CARRIER = cst.ensure_type(cst.parse_statement(_CARRIER_LINE), cst.SimpleStatementLine)
