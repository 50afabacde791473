"""Python cells as syntax trees: IPython's magics are masked for the parser and put back afterwards."""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["CodeError", "forget_trees", "is_python", "mask", "masked_tree", "tree", "unmask", "walk"]

_MARKER = "pass  #d2lbuild-magic:"
_MAGIC = re.compile(r"(?P<indent>\s*)(?P<magic>[%!].*|.*[\w)\]]\?{1,2}|\?{1,2}\S.*|[\w.,\s\[\]]+=\s*[%!]\S.*)$")
_MAGIC_SIGNS = frozenset("%!?")
"""One of them is in every magic."""
_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_DEEPEST = 200
_DEEPENING = (*"+-*/%@&|^~.([{:<>=", "not ", "await ", " else ")
"""What makes code one level deeper."""
_MASKED = re.compile(re.escape(_MARKER))
_PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "debug"})


@dataclass(frozen=True, slots=True)
class CodeError(Exception):
    """A cell that is not Python."""

    message: str
    line: int
    """Counted from 1 within the cell."""
    column: int = 0
    """Counted from 1; 0 if it is not known."""


def is_python(source: str) -> bool:
    """Whether the cell is Python at all: not one that a cell magic hands to something else (``%%bash``)."""
    match = _CELL_MAGIC.match(source)
    return match is None or match[1] in _PYTHON_CELL_MAGICS


def mask(source: str) -> str:
    """Replace the lines that only IPython understands by statements of the same number of lines."""
    if _MAGIC_SIGNS.isdisjoint(source):
        return source
    return "\n".join(_masked_line(line) for line in source.split("\n"))


def unmask(source: str) -> str:
    """Put back what `mask` took out."""
    return _MASKED.sub("", source) if _MARKER in source else source


def _masked_line(line: str) -> str:
    match = _MAGIC.match(line)
    if match is None or line.lstrip().startswith("#"):
        return line
    return f"{match['indent']}{_MARKER}{line[len(match['indent']) :]}"


@lru_cache(maxsize=16384)
def _parsable(source: str) -> tuple[str, ast.Module]:
    try:
        try:
            return source, _parsed(source)
        except SyntaxError:
            masked = mask(source)  # it may be a magic
            return masked, _parsed(masked)
    except SyntaxError as error:
        raise CodeError(error.msg, error.lineno or 1, max(error.offset or 0, 0)) from None
    except ValueError as error:  # a NUL character in early 3.11, half of a surrogate pair
        raise CodeError(str(error), 1) from None
    except (RecursionError, MemoryError):
        raise CodeError("the code is nested too deeply", 1) from None


def _parsed(source: str) -> ast.Module:
    """Return the tree of code; RecursionError if it is too deep for those who go down into it."""
    module = ast.parse(source)
    if sum(source.count(sign) for sign in _DEEPENING) > _DEEPEST:  # most code has far fewer, and need not be measured
        level: list[ast.AST] = [module]
        depth = 0
        while level:
            level = [inner for one in level for inner in ast.iter_child_nodes(one)]
            depth += 1
        if depth > _DEEPEST:
            raise RecursionError
    return module


def masked_tree(source: str) -> tuple[str, ast.Module]:
    """Return a cell with its magics masked, if it has any, and its syntax tree. Raises CodeError."""
    return _parsable(source)


def tree(source: str) -> ast.Module:
    """Return the abstract syntax tree of a cell; lines are those of the cell. Raises CodeError."""
    return _parsable(source)[1]


def forget_trees() -> None:
    """Drop the trees of all cells: a book's take a hundred megabytes, and nobody asks for them when it is checked."""
    _parsable.cache_clear()


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and all below it in the order of `ast.walk`, in half its time; contexts (`Load`) are left out."""
    found = [node]
    for one in found:
        for name in one._fields:
            value = getattr(one, name, None)
            if isinstance(value, list):
                found += [inner for inner in value if isinstance(inner, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                found.append(value)
    return found
