"""From a section to the notebook of one framework: here a `#@tab` decides who sees a cell."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from difflib import get_close_matches

from d2lbuild.edition.branches import Resolved, resolve_branches
from d2lbuild.edition.code import CodeError, is_python, tree
from d2lbuild.model import Block, BlockKind, Cell, CellKind, Finding, Notebook, Section, Severity, Span
from d2lbuild.source.ignores import without_ignores
from d2lbuild.source.markdown import selected

__all__ = ["has_page", "select"]

_KINDS = {
    BlockKind.PROSE: CellKind.PROSE,
    BlockKind.CODE: CellKind.CODE,
    BlockKind.CONTENTS: CellKind.CONTENTS,
    BlockKind.RST: CellKind.RST,
}


def has_page(section: Section, framework: str) -> bool:
    """Whether the framework's edition has the section.

    It has if the section has no code, a cell written for the framework, or only cells for every framework. Cells for
    all beside cells for others are not enough: they could not run without those.
    """
    marks = [block.frameworks for block in section.blocks if block.kind is BlockKind.CODE]
    marks = [mark for mark in marks if mark is None or mark]  # a mark of unknown names alone is a mistake, no choice
    return all(mark is None for mark in marks) or any(mark is not None and framework in mark for mark in marks)


def select(section: Section, framework: str, names: Collection[str], *, comment: str = "") -> Notebook:
    """Return the section as `framework` sees it: its blocks, with ``tab.selected`` branches taken.

    `names` are all frameworks that a condition may name. Code that is not Python stays as it is and becomes a finding,
    unless the framework speaks another language, in which `comment` begins a comment.
    """
    cells: list[Cell] = []
    findings: list[Finding] = []
    for number, block in enumerate(section.blocks):
        kind = _KINDS.get(block.kind)
        if kind is None or not selected(block.frameworks, framework):
            continue
        if kind is CellKind.CODE and comment:
            findings += _useless_saves(block, comment)
            source = block.content
            lines = tuple(range(block.content_line, block.content_line + source.count("\n") + 1))
        elif kind is CellKind.CODE:
            resolved = resolve_branches(block.content, framework)
            findings += _problems(block, resolved, names)
            lines = tuple(block.content_line + line for line in resolved.lines)
            source = resolved.source
        else:
            source = block.content if kind is not CellKind.PROSE else without_ignores(block.text)
            first = block.content_line if kind is not CellKind.PROSE else block.span.first
            lines = tuple(range(first, first + source.count("\n") + 1))
            if not source.strip():
                continue
        cells.append(
            Cell(
                f"cell-{number}",
                kind,
                source,
                block.span,
                lines,
                block.frameworks,
                block.tags,
                block.indent,
                block.needs,
                block.needs_line,
            )
        )
    return Notebook(section, framework, tuple(_without_hidden_rest(cells)), tuple(findings))


def _without_hidden_rest(cells: list[Cell]) -> Iterator[Cell]:
    """After a cell marked ``hide_all`` no code cell is shown; here the mark becomes a tag of each."""
    hiding = False
    for cell in cells:
        if cell.kind is CellKind.CODE:
            hiding = hiding or "hide-all" in cell.tags
            if hiding:
                cell = replace(cell, tags=(cell.tags - {"hide-all"}) | {"remove-cell"})  # noqa: PLW2901
        yield cell


def _problems(block: Block, resolved: Resolved, names: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with a cell's code."""
    for name, line in resolved.names:
        if name not in names and name != "all":
            near = get_close_matches(name, [*names, "all"], n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"the book has {', '.join(names)}"
            message = f"unknown framework '{name}' in `tab.selected`"
            yield Finding("unknown-framework", message, _at(block, line - 1), hint=hint)
        elif block.frameworks is not None and name not in block.frameworks and name != "all":
            message = f"a condition on '{name}' in a cell that is not for it"
            hint = f"add {name} to the cell's mark, or remove the branch"
            yield Finding("impossible-branch", message, _at(block, line - 1), Severity.WARNING, hint)
    for line, method in resolved.moved:
        message = f"`self` outside of a method: the line is taken for the end of `{method}`"
        hint = f"indent the branch as the body of `{method}` is"
        yield Finding("self-outside-method", message, _at(block, line - 1), Severity.WARNING, hint)
    error = resolved.error
    if error is not None and error.column:
        error = replace(error, column=block.indent + error.column)
    if error is None and is_python(resolved.source):
        try:
            tree(resolved.source)
        except CodeError as problem:
            number = min(problem.line, len(resolved.lines)) - 1
            error = CodeError(problem.message, resolved.lines[number] + 1, _column(block, resolved, number, problem))
    if error is not None and "raises-exception" not in block.tags:
        message = f"syntax error: {re.sub(r' [(]<unknown>.*[)]$', '', error.message)}"
        span = replace(_at(block, error.line - 1), column=error.column)
        yield Finding("syntax-error", message, span, Severity.ERROR)


def _column(block: Block, resolved: Resolved, number: int, error: CodeError) -> int:
    """Return the column in the file of an error in a line of a resolved cell, which may have moved to the left."""
    now, before = resolved.source.split("\n")[number], block.content.split("\n")[resolved.lines[number]]
    if not error.column or not before.endswith(now):
        return 0
    return block.indent + len(before) - len(now) + min(error.column, len(now) + 1)


def _useless_saves(block: Block, comment: str) -> Iterator[Finding]:
    """Yield the places of marks that save something, for a library that only Python has."""
    if "@save" not in block.content:
        return
    mark = re.compile(rf"{re.escape(comment)}\s*@save\b")
    for number, line in enumerate(block.content.split("\n")):
        if mark.search(line):
            message = f"`{comment}@save` saves nothing: there is a library only for frameworks in Python"
            yield Finding("idle-save", message, _at(block, number), Severity.WARNING, "remove the mark")


def _at(block: Block, offset: int) -> Span:
    line = block.content_line + offset
    return Span(block.span.path, line, line)
