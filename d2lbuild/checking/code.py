"""What is wrong with the cells of one section: their lines, their imports, and cells that a framework lacks."""

import ast
import re
from collections.abc import Iterator, Sequence

from d2lbuild.checking.files import found
from d2lbuild.config import Config
from d2lbuild.edition.code import CodeError, is_python, tree, walk
from d2lbuild.edition.module_names import needed_names
from d2lbuild.edition.select import has_page
from d2lbuild.model import Block, BlockKind, Cell, Finding, Notebook, Section, Span

__all__ = ["check_cells", "check_imports"]

_IMPORT = re.compile(r"^(?:import|from)\s", re.MULTILINE)
_INDENTED_BY_TABS = re.compile(r"^ *\t\s*", re.MULTILINE)


def check_cells(section: Section, config: Config) -> Iterator[Finding]:
    """Yield what is wrong with cells as they are written."""
    limit = config.check.line_length
    for block in section.blocks:
        if block.kind is BlockKind.CODE:
            yield from _long_lines(section, block, limit)
            if "\t" in block.content and is_python(block.content):
                yield from _tabs(section, block)
    yield from _missing_cells(section, [one.name for one in config.frameworks])


def _long_lines(section: Section, block: Block, limit: int) -> Iterator[Finding]:
    if len(block.content) <= limit:
        return
    for number, line in enumerate(block.content.split("\n")):
        if len(line) > limit:
            at = block.content_line + number
            message = f"a line of code with {len(line)} characters, where {limit} fit on a page"
            column = 0 if section.lines else block.indent + limit + 1
            yield found("long-line", message, Span(section.path, at, at, column), "break it")


def _tabs(section: Section, block: Block) -> Iterator[Finding]:
    match = _INDENTED_BY_TABS.search(block.content)
    if match:
        at = block.content_line + block.content.count("\n", 0, match.start())
        yield found("tab-in-code", "code indented by tabs", Span(section.path, at, at), "indent it by spaces")


# --- groups of cells ---


def _missing_cells(section: Section, names: Sequence[str]) -> Iterator[Finding]:
    """Yield groups of cells that stand side by side, for single frameworks, and leave one of the page out."""
    here = [name for name in names if has_page(section, name)]
    for group in _groups(section.blocks):
        marks = [block.frameworks for block in group]
        if len(group) < 2 or any(mark is None for mark in marks):
            continue
        seen = frozenset[str]().union(*(mark for mark in marks if mark))
        missing = [name for name in here if name not in seen]
        if missing and len(seen) > 1:
            span = Span(section.path, group[0].span.first, group[-1].span.last, 1)
            message = f"of these cells none is for {', '.join(missing)}"
            yield found("missing-cell", message, span, "write one, or mark one of them for it too")


def _groups(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    group: list[Block] = []
    for block in blocks:
        if block.kind is BlockKind.CODE:
            group.append(block)
        elif block.kind is not BlockKind.FURNITURE and block.text.strip():
            yield group
            group = []
    yield group


# --- imports ---


def check_imports(notebook: Notebook) -> Iterator[Finding]:
    """Yield cells that use, as they run, the name of a module which only a later cell imports."""
    cells = notebook.code
    importing = [number for number, cell in enumerate(cells) if _IMPORT.search(cell.source)]
    if not importing or importing[-1] == 0:
        return
    bound: set[str] = set()
    later: dict[str, Cell] = {}
    for number in importing:
        for name in _imported(cells[number]):
            if number and name not in bound:
                later.setdefault(name, cells[number])
        bound |= _imported(cells[number])
        if number == 0:
            later.clear()
    if later:
        yield from _too_early(notebook, later)


def _too_early(notebook: Notebook, later: dict[str, Cell]) -> Iterator[Finding]:
    word = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(later)))})\b")
    waiting = dict(later)
    for cell in notebook.code:
        for name in [name for name, place in waiting.items() if place is cell]:
            del waiting[name]
        if not waiting or not word.search(cell.source) or "raises-exception" in cell.tags:
            continue
        for statement in _body(cell):
            for name, node in needed_names(statement, ""):
                if name in waiting and isinstance(node, ast.Name):
                    there = waiting.pop(name)
                    line = cell.lines[min(node.lineno, len(cell.lines)) - 1]
                    message = f"'{name}' is used here, and imported only at {_place(notebook, there, name)}"
                    span = Span(notebook.section.path, line, line)
                    yield found("import-order", message, span, "import it in an earlier cell")
            for name in _bound(statement) & waiting.keys():
                del waiting[name]  # it is something else until then


def _imported(cell: Cell) -> set[str]:
    """Return the names that the imports of a cell bind, outside of functions."""
    names: set[str] = set()
    for statement in _body(cell):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    return names


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    return {node.id for node in walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _body(cell: Cell) -> Sequence[ast.stmt]:
    if not is_python(cell.source):
        return ()
    try:
        return tree(cell.source).body
    except CodeError:
        return ()  # reported by `select`


def _place(notebook: Notebook, cell: Cell, name: str) -> Span:
    for statement in _body(cell):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = {alias.asname or alias.name.split(".")[0] for alias in statement.names}
            if name in names:
                line = cell.lines[min(statement.lineno, len(cell.lines)) - 1]
                return Span(notebook.section.path, line, line)
    return cell.span
