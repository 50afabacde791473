"""Which statements of a cell a `#@save` exports, cut out with the comments and the layout of the author.

The abstract tree gives the lines of every statement, the lines give the comments; the text itself is never rebuilt.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from d2lbuild.edition.code import CodeError, is_python, tree, walk

__all__ = ["SavedStatement", "definition_lines", "docstring_with", "global_names", "parses", "saved_statements"]

_QUOTE = re.compile("[\"']")
_SAVE = re.compile(r"#\s*@save\b")
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_COMPOUND = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.With, ast.Try)


@dataclass(frozen=True, slots=True)
class SavedStatement:
    """A top-level statement that goes into the library."""

    node: ast.stmt
    code: str
    """Its lines without the `#@save` comment and, for a method, without the decorator that joins it to its class."""
    lines: tuple[int, ...]
    """For each line of `code`, its line in the cell, counted from 1."""
    first: int
    """Its first line in the cell; for a method, that of the decorator that joins it."""
    joins: str | None = None
    """The class that it becomes a method of."""


def saved_statements(source: str) -> tuple[list[SavedStatement], list[int]]:
    """Return the saved statements of a cell, in order, and the lines of `#@save` comments that save nothing.

    A cell that is not Python saves nothing; `select` has reported it.
    """
    if not _SAVE.search(source) or not is_python(source):
        return [], []
    try:
        module = tree(source)
    except CodeError:
        return [], []
    marks = dict(_marks(source, module))
    if not marks:
        return [], []
    chosen: dict[int, ast.stmt] = {}
    unused = set(marks)
    for line, own_line in marks.items():
        nodes = _following(module.body, line, source) if own_line else _marked(module.body, line)
        for node in nodes:
            chosen[_first_line(node)] = node
            unused.discard(line)
    lines = source.split("\n")
    found = [_cut(node, lines, marks) for _, node in sorted(chosen.items())]
    return found, sorted(unused)


def _marks(source: str, module: ast.Module) -> Iterator[tuple[int, bool]]:
    """Yield the line of each `#@save` comment, and whether it has the line for itself."""
    quoted = False  # before the first quotation mark there is no string
    for number, line in enumerate(source.split("\n"), start=1):
        for match in _SAVE.finditer(line):
            before = line[: match.start()]
            place = (number, len(before.encode()))
            strings = _strings(module, number) if quoted or _QUOTE.search(before) else ()
            if not any(start <= place < end for start, end in strings):
                yield number, not before.strip()
                break
        quoted = quoted or _QUOTE.search(line) is not None


def parses(source: str) -> bool:
    """Whether the code is plain Python, without magics."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _strings(module: ast.Module, line: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where the strings around a line begin and end: what looks like a comment there is none."""
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for statement in module.body
        if _first_line(statement) <= line <= (statement.end_lineno or 0)
        for node in walk(statement)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    ]


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _following(body: Sequence[ast.stmt], line: int, source: str) -> list[ast.stmt]:
    """Return what a mark on a line of its own saves: one compound statement, or simple ones up to a blank line."""
    lines = source.split("\n")
    found: list[ast.stmt] = []
    end = line
    for node in body:
        first = _first_line(node)
        if first <= line:
            continue
        if found and any(not between.strip() for between in lines[end : first - 1]):
            break
        found.append(node)
        end = node.end_lineno or first
        if isinstance(node, _COMPOUND):
            break
    return found


def _marked(body: Sequence[ast.stmt], line: int) -> list[ast.stmt]:
    """Return the statement that a mark at the end of a line saves: it stands in its head, or at its end."""
    for node in body:
        first, last = _first_line(node), node.end_lineno or node.lineno
        if not first <= line <= last:
            continue
        if isinstance(node, _Definition):
            inner = node.body[0]
            head = max(node.lineno, _first_line(inner) - 1)
            return [node] if line <= head or line == first == last else []
        at_its_end = line == last and not isinstance(node, _COMPOUND)
        return [node] if line == first or at_its_end else []
    return []


def _cut(node: ast.stmt, lines: Sequence[str], marks: dict[int, bool]) -> SavedStatement:
    first, last = _first_line(node), node.end_lineno or node.lineno
    joins, dropped = _joined_class(node)
    code: dict[int, str] = {}
    for number in range(first, last + 1):
        line = lines[number - 1]
        if number in marks:
            line = line[: _comment_start(line)].rstrip()
            if not line:
                continue
        if number not in dropped:
            code[number] = line
    return SavedStatement(node, "\n".join(code.values()), tuple(code), first, joins)


def _comment_start(line: str) -> int:
    matches = list(_SAVE.finditer(line))
    return matches[-1].start() if matches else len(line)


def _joined_class(node: ast.stmt) -> tuple[str | None, frozenset[int]]:
    """Return the class that ``@add_to_class(Cls)`` names, and the lines of that decorator."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None, frozenset()
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call) or len(decorator.args) != 1:
            continue
        if _last_name(decorator.func) == "add_to_class" and (name := _last_name(decorator.args[0])):
            return name, frozenset(range(decorator.lineno, (decorator.end_lineno or decorator.lineno) + 1))
    return None, frozenset()


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def docstring_with(saved: SavedStatement, sentence: str) -> str:
    """Return the code of a definition with `sentence` at the end of its docstring, if not there yet; one is made if
    need be."""
    definition = saved.node
    assert isinstance(definition, _Definition)
    if sentence in (ast.get_docstring(definition) or ""):
        return saved.code  # the author says so already
    lines = saved.code.split("\n")
    index = {line: at for at, line in enumerate(saved.lines)}
    inner = definition.body[0]
    indent = " " * 4
    if inner.lineno > definition.lineno:
        text = lines[index[_first_line(inner)]]
        indent = text[: len(text) - len(text.lstrip())]
    if not (
        isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant) and isinstance(inner.value.value, str)
    ):
        if inner.lineno == definition.lineno == definition.end_lineno:
            return saved.code  # a definition of one line has no place for it
        docstring = f'{indent}"""{sentence}"""'
        return _with_new_docstring(lines, index[definition.lineno], index[_first_line(inner)], docstring)
    start, end = index[inner.value.lineno], index[inner.value.end_lineno or inner.value.lineno]
    first_column = len(lines[start].encode()[: inner.value.col_offset].decode())
    last_column = len(lines[end].encode()[: inner.value.end_col_offset].decode())
    literal = "\n".join([*lines[start : end + 1]])
    literal = literal[first_column : len(literal) - (len(lines[end]) - last_column)]
    match = re.match(r"([rRuU]*)(\"\"\"|'''|\"|')", literal)
    assert match
    prefix, quotes = match.groups()
    body = literal[len(prefix) + len(quotes) : -len(quotes)].rstrip()
    triple = quotes if len(quotes) == 3 else '"""'
    made = f"{prefix}{triple}{body}\n\n{indent}{sentence}{triple}" if body.strip() else f"{triple}{sentence}{triple}"
    before, after = lines[start][:first_column], lines[end][last_column:]
    return "\n".join([*lines[:start], before + made + after, *lines[end + 1 :]])


def _with_new_docstring(lines: list[str], head: int, inner: int, docstring: str) -> str:
    """Put a line before the first statement of a definition, and before the comments above it."""
    while inner - 1 > head and lines[inner - 1].strip().startswith("#"):
        inner -= 1
    return "\n".join([*lines[:inner], docstring, *lines[inner:]])


def definition_lines(node: ast.stmt) -> tuple[int, int]:
    """Return the first and last line of a statement, decorators included, counted from 1."""
    return _first_line(node), node.end_lineno or node.lineno


def global_names(code: str | ast.AST, package: str) -> frozenset[str]:
    """Return the names that code takes from around it: every plain name it reads, and ``package.NAME`` attributes."""
    names = set()
    for node in walk(tree(code) if isinstance(code, str) else code):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == package:
            names.add(node.attr)
    return frozenset(names)
