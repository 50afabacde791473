"""``if tab.selected(…)`` resolved for one framework: the chosen branch stays, dedented; the rest goes.

The syntax tree says where the branches are; the lines themselves are kept, dropped or dedented, so that comments,
layout and strings of several lines stay as the author wrote them, and every line knows where it stood.
"""

import ast
import io
import tokenize
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from d2lbuild.edition.code import CodeError, is_python, masked_tree, tree, unmask, walk
from d2lbuild.edition.conditions import asks_for_framework, named_frameworks, truth

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
    moved: tuple[tuple[int, str], ...] = ()
    """Lines of the cell, counted from 1, that went to the end of a method, and its name: see `_into_methods`."""


def resolve_branches(source: str, framework: str) -> Resolved:
    """Take the branches of `framework`. Code that does not parse is returned as it is, with the error."""
    same = tuple(range(source.count("\n") + 1))
    if "tab.selected" not in source or not is_python(source):
        return Resolved(source, same)
    try:
        text, module = masked_tree(source)
        names = named_frameworks(source)
        text, lines = _choose_expressions(text, module, framework)
        resolver = _Resolver(text, framework)
        resolver.body(tree(text).body)
        kept = list(resolver.result())
        made, moved = _into_methods([line for line, _ in kept])
    except CodeError as error:
        return Resolved(source, same, error=error)
    numbers = tuple(lines[number] for _, number in kept)
    return Resolved(unmask(made), numbers, names, moved=tuple((numbers[line] + 1, name) for line, name in moved))


def _into_methods(lines: Sequence[str]) -> tuple[str, tuple[tuple[int, str], ...]]:
    """Indent statements of a class that follow a method and use its ``self``, as if they stood in it.

    In existing books a branch within a branch may hold the last lines of the method above it. They were written for a
    tool that takes one level of indentation off, however deep the branches are. Return also the lines, counted from 0,
    with the method's name. Raises CodeError.
    """
    text = "\n".join(lines)
    if not any(line.lstrip().startswith("self.") for line in lines) or "class " not in text:
        return text, ()
    classes = [node for node in walk(tree(text)) if isinstance(node, ast.ClassDef)]
    made, moved = list(lines), list[tuple[int, str]]()
    for node in classes:
        method: ast.FunctionDef | None = None
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef):
                method = statement if statement.args.args and statement.args.args[0].arg == "self" else None
            elif method is None or not _is_about_self(statement):
                method = None
            else:
                deeper = " " * (method.body[0].col_offset - statement.col_offset)
                for number in range(statement.lineno - 1, statement.end_lineno or statement.lineno):
                    made[number] = deeper + made[number]
                    moved.append((number, method.name))
    return "\n".join(made), tuple(moved)


def _is_about_self(statement: ast.stmt) -> bool:
    """Whether a statement that defines nothing begins with ``self`` and can be indented line by line."""
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
        return False
    nodes = list(walk(statement))
    whole = all(not isinstance(node, ast.Constant | ast.JoinedStr) or node.lineno == node.end_lineno for node in nodes)
    return whole and any(isinstance(node, ast.Name) and node.id == "self" for node in nodes)


# --- expressions ---


def _choose_expressions(text: str, module: ast.Module, framework: str) -> tuple[str, tuple[int, ...]]:
    """Take the sides of ``a if tab.selected(…) else b``; return the text and the earlier line of each of its lines."""
    lines = tuple(range(text.count("\n") + 1))
    while " else " in text or "else\n" in text:
        chosen = next(
            (node for node in walk(module) if isinstance(node, ast.IfExp) and asks_for_framework(node.test)), None
        )
        if chosen is None:
            break
        value = truth(chosen.test, framework)
        if not isinstance(value, bool):
            side = f"{_segment(text, chosen.body)} if {ast.unparse(value)} else {_segment(text, chosen.orelse)}"
        else:
            side = _segment(text, chosen.body if value else chosen.orelse)
        start = _offset(text, chosen.lineno, chosen.col_offset)
        end = _offset(text, chosen.end_lineno or chosen.lineno, chosen.end_col_offset or 0)
        first, last = chosen.lineno - 1, (chosen.end_lineno or chosen.lineno) - 1
        lines = (*lines[: first + 1], *lines[first + 1 : first + 1 + side.count("\n")], *lines[last + 1 :])
        text = text[:start] + side + text[end:]
        module = tree(text)
    return text, lines


def _segment(text: str, node: ast.expr) -> str:
    found = ast.get_source_segment(text, node) or ast.unparse(node)
    return f"({found})" if isinstance(node, ast.Lambda | ast.Tuple) and not found.startswith("(") else found


def _offset(text: str, line: int, column: int) -> int:
    """Return the offset in characters of a line, counted from 1, and a column that counts bytes."""
    lines = text.split("\n")
    inside = len(lines[line - 1].encode()[:column].decode())
    return sum(len(one) + 1 for one in lines[: line - 1]) + inside


# --- statements ---


@dataclass(slots=True)
class _Branch:
    """One branch of a chain: the lines of its head and of its body, counted from 0."""

    head: int
    colon: int
    """The line of the head's colon."""
    colon_column: int
    end: int
    """The line after the body."""
    body: Sequence[ast.stmt]
    test: ast.expr | None
    """None for ``else``."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the tokens of a cell say and its tree does not; the same for every framework."""

    colons: tuple[tuple[int, int], ...]
    """Line and column, counted from 0, of each colon outside of brackets."""
    elses: tuple[tuple[int, int], ...]
    inside_strings: frozenset[int]
    """Lines that begin within a string."""


@lru_cache(maxsize=1024)
def _layout(text: str) -> _Layout:
    colons: list[tuple[int, int]] = []
    elses: list[tuple[int, int]] = []
    inside_strings: set[int] = set()
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and depth == 0:
                colons.append((token.start[0] - 1, token.start[1]))
        elif token.type == tokenize.NAME and token.string == "else":
            elses.append((token.start[0] - 1, token.start[1]))
        elif token.start[0] != token.end[0]:
            inside_strings.update(range(token.start[0], token.end[0]))
    return _Layout(tuple(colons), tuple(elses), frozenset(inside_strings))


@dataclass(slots=True)
class _Resolver:
    """Decides for each line of a cell whether it stays, what it says, and how far it moves to the left."""

    text: str
    framework: str
    lines: list[str] = field(init=False)
    kept: list[bool] = field(init=False)
    dedent: list[int] = field(init=False)
    layout: "_Layout" = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")
        self.kept = [True] * len(self.lines)
        self.dedent = [0] * len(self.lines)
        self.layout = _layout(self.text)

    def result(self) -> Iterator[tuple[str, int]]:
        """Yield the lines that stay, each with its number."""
        for number, line in enumerate(self.lines):
            if self.kept[number]:
                space = len(line) - len(line.lstrip(" \t"))
                cut = 0 if number in self.layout.inside_strings else min(space, self.dedent[number])
                yield line[cut:], number

    def body(self, statements: Sequence[ast.stmt], after: int = -1) -> int:
        """Resolve a body that begins after the line `after`; return how many of its statements stay."""
        count = 0
        for statement in statements:
            if isinstance(statement, ast.If):
                branches = self._branches(statement)
                if any(branch.test is not None and asks_for_framework(branch.test) for branch in branches):
                    count += self._choose(branches, statement.col_offset, after)
                else:
                    count += 1
                    for branch in branches:
                        self._inner(branch.body, branch.colon)
            else:
                count += 1
                self._descend(statement)
            after = (statement.end_lineno or statement.lineno) - 1
        return count

    def _descend(self, statement: ast.stmt) -> None:
        for name in ("body", "orelse", "finalbody"):
            if inner := getattr(statement, name, None):
                self._inner(inner, self._colon_before(_first_line(inner[0])))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            self._inner(part.body, self._colon_before(_first_line(part.body[0])))

    def _inner(self, statements: Sequence[ast.stmt], colon: int) -> None:
        """Resolve the body of a statement that stays; one that becomes empty gets a ``pass``."""
        if self.body(statements, colon) == 0:
            first = _first_line(statements[0])
            self.kept[first] = True
            self.lines[first] = self.lines[first][: statements[0].col_offset] + "pass"

    def _colon_before(self, line: int) -> int:
        at = bisect_left(self.layout.colons, (line, 0)) - 1
        return self.layout.colons[at][0] if at >= 0 else line - 1

    def _branches(self, node: ast.If) -> list[_Branch]:
        """Return the branches of a chain of ``if``, ``elif`` and ``else``, with their lines."""
        found: list[_Branch] = []
        link: ast.If = node
        while True:
            found.append(self._branch(link.lineno - 1, link.test, link.body))
            rest = link.orelse
            if len(rest) == 1 and isinstance(rest[0], ast.If) and self._is_elif(rest[0]):
                link = rest[0]
                continue
            if rest:
                last = (link.body[-1].end_lineno or 0) - 1
                head = next(line for line, column in self.layout.elses if line > last and column == self._column(node))
                colon, at = next((line, column) for line, column in self.layout.colons if line >= head)
                found.append(_Branch(head, colon, at, 0, rest, None))
            break
        for one, following in pairwise(found):
            one.end = following.head
        found[-1].end = self._with_comments((node.end_lineno or node.lineno), node.col_offset)
        return found

    def _branch(self, head: int, test: ast.expr, body: Sequence[ast.stmt]) -> _Branch:
        end = ((test.end_lineno or test.lineno) - 1, 0)
        column = _characters(self.lines[end[0]], test.end_col_offset or 0)
        at = bisect_left(self.layout.colons, (end[0], column))
        return _Branch(head, *self.layout.colons[at], 0, body, test)

    def _is_elif(self, node: ast.If) -> bool:
        return self.lines[node.lineno - 1][_characters(self.lines[node.lineno - 1], node.col_offset) :].startswith(
            "elif"
        )

    def _column(self, node: ast.stmt) -> int:
        return _characters(self.lines[node.lineno - 1], node.col_offset)

    def _with_comments(self, line: int, column: int) -> int:
        """Return the line after the comments that follow a branch and are indented like it."""
        end = line
        while line < len(self.lines):
            text = self.lines[line]
            if text.strip() and not (text.lstrip().startswith("#") and len(text) - len(text.lstrip()) > column):
                break
            line += 1
            if text.strip():
                end = line
        return end

    def _choose(self, branches: Sequence[_Branch], column: int, after: int) -> int:
        """Keep what is left of a chain; return how many statements that is."""
        left: list[tuple[_Branch, ast.expr]] = []
        otherwise: _Branch | None = None
        for branch in branches:
            value = True if branch.test is None else truth(branch.test, self.framework)
            if value is True:
                otherwise = branch
                break
            if value is not False:
                left.append((branch, value))
        staying = [branch for branch, _ in left] + ([otherwise] if otherwise else [])
        for branch in branches:
            if branch not in staying:
                self._drop(branch.head, branch.end)
        for number, (branch, value) in enumerate(left):
            word = "elif" if number else "if"
            if value is not branch.test or not self.lines[branch.head][column:].startswith(f"{word} "):
                self._rewrite_head(branch, column, f"{word} {ast.unparse(value)}:")
            self._inner(branch.body, branch.colon)
        if left:
            if otherwise:
                if otherwise.test is not None:
                    self._rewrite_head(otherwise, column, "else:")
                self._inner(otherwise.body, otherwise.colon)
            return 1
        if otherwise is None:
            self._drop_leading(branches[0].head, column, after)
            return 0
        return self._flatten(otherwise, column)

    def _flatten(self, branch: _Branch, column: int) -> int:
        first = branch.body[0]
        if first.lineno - 1 == branch.colon and not getattr(first, "decorator_list", None):
            line = self.lines[branch.colon]
            self._drop(branch.head, branch.colon)
            self.lines[branch.colon] = self.lines[branch.head][:column] + line[_characters(line, first.col_offset) :]
        else:
            self._drop(branch.head, branch.colon + 1)
            for number in range(branch.colon + 1, branch.end):
                self.dedent[number] += first.col_offset - column
        return self.body(branch.body, branch.colon)

    def _rewrite_head(self, branch: _Branch, column: int, head: str) -> None:
        line = self.lines[branch.colon]
        self._drop(branch.head, branch.colon)
        self.lines[branch.colon] = self.lines[branch.head][:column] + head + line[branch.colon_column + 1 :]

    def _drop(self, first: int, end: int) -> None:
        for number in range(first, end):
            self.kept[number] = False

    def _drop_leading(self, head: int, column: int, after: int) -> None:
        """Drop the comments right above a chain of which nothing stays, and the blank lines above them."""
        line = head - 1
        while line > after:
            text = self.lines[line]
            if text.strip() and not (text.lstrip().startswith("#") and len(text) - len(text.lstrip()) == column):
                break
            self.kept[line] = False
            line -= 1


def _first_line(statement: ast.stmt) -> int:
    """Return the first line of a statement, decorators included, counted from 0."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def _characters(line: str, column: int) -> int:
    """Turn a column that counts bytes into one that counts characters."""
    return column if line.isascii() else len(line.encode()[:column].decode())
