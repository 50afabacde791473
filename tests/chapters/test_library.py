"""Nothing lies idle in the library of our own book: its notebooks call every function and every method of it."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.edition.code import is_python, tree
from d2lbuild.edition.library import Library
from d2lbuild.edition.saved import saved_statements
from d2lbuild.edition.select import has_page, select
from d2lbuild.extraction import libraries
from d2lbuild.model import Notebook
from d2lbuild.pipeline import select_frameworks
from d2lbuild.source.book import load_book

ROOT = Path(__file__).parents[2]
NAMES = [framework.name for framework in load_config(ROOT).frameworks]

CALLED_BY_FRAMEWORKS = {"forward", "call", "build"}
"""Methods that are called when an object of their class is: `model(X)`."""


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(ROOT)


@pytest.fixture(scope="module")
def made(config: Config) -> dict[str, Library]:
    return dict(libraries(config, select_frameworks(config, ["all"])))


@pytest.fixture(scope="module")
def notebooks(config: Config) -> dict[str, list[Notebook]]:
    sections = load_book(config).sections.values()
    return {name: [select(one, name, NAMES) for one in sections if has_page(one, name)] for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_call_everything_that_is_saved(
    made: dict[str, Library], notebooks: dict[str, list[Notebook]], name: str
) -> None:
    definitions = dict(_definitions(made[name]))
    assert len(definitions) > 20
    assert idle(definitions, _executed(notebooks[name])) == set()


def idle(definitions: dict[str, ast.AST], executed: Iterable[ast.AST]) -> set[str]:
    """Return the definitions that the executed code leads to neither directly nor by way of other definitions."""
    waiting = list(executed)
    read: set[str] = set()
    left = dict(definitions)
    while waiting:
        for node in waiting:
            for one in ast.walk(node):
                read |= {one.id} if isinstance(one, ast.Name) else set()
                read |= {one.attr} if isinstance(one, ast.Attribute) else set()
        found = {name for name in left if _is_called(name, read)}
        waiting = [left.pop(name) for name in found]
    return set(left)


def _is_called(name: str, read: set[str]) -> bool:
    owner, _, method = name.rpartition(".")
    if method.startswith("__") or method in CALLED_BY_FRAMEWORKS:
        return owner in read
    return method in read


def _definitions(library: Library) -> Iterator[tuple[str, ast.AST]]:
    """Yield each function, method and value with its tree; of a class without its methods, what is left."""
    for block in library.blocks:
        for node in ast.parse(block.code).body:
            if isinstance(node, ast.ClassDef):
                methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
                yield from ((f"{node.name}.{one.name}", one) for one in methods)
                node.body = [one for one in node.body if one not in methods] or [ast.Pass()]
                yield node.name, node
            elif isinstance(node, ast.FunctionDef):
                yield node.name, node
            elif isinstance(node, ast.Assign):
                yield from ((one.id, node.value) for one in node.targets if isinstance(one, ast.Name))


def _executed(notebooks: Iterable[Notebook]) -> Iterator[ast.AST]:
    """Yield the statements of notebooks that are not saved, and the decorators of those that are."""
    for notebook in notebooks:
        for cell in notebook.code:
            if not is_python(cell.source):
                continue
            saved = {one.node.lineno for one in saved_statements(cell.source)[0]}
            for node in tree(cell.source).body:
                yield from getattr(node, "decorator_list", []) if node.lineno in saved else [node]


def test_what_lies_idle_is_found() -> None:
    source = "def f(): return g()\ndef g(): pass\ndef h(): return h()\n"
    definitions: dict[str, ast.AST] = {
        node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)
    }
    assert idle(dict(definitions), [ast.parse("d2l.f()")]) == {"h"}
    assert idle(dict(definitions), [ast.parse("x = 1")]) == {"f", "g", "h"}
