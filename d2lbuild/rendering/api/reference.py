"""`autoclass`, `autofunction` and `automodule`-like directives of existing books, without importing anything.

The generated library's source is read with `ast`: no framework has to be installed where pages are made.
"""

import ast
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from d2lbuild.rendering.locale import translated

__all__ = ["AutoClass", "AutoFunction", "arguments_of"]

logger = logging.getLogger(__name__)

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_OPTIONS = (
    "members",
    "undoc-members",
    "private-members",
    "special-members",
    "inherited-members",
    "show-inheritance",
    "member-order",
    "exclude-members",
    "noindex",
    "no-index",
)


@functools.lru_cache(maxsize=16)
def _module(path: Path, _changed: int) -> dict[str, ast.stmt]:
    """Return what a module defines, by name; the last definition wins. Reread when the file has changed."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | _Function)}


class _Auto(SphinxDirective):
    """What both directives share: finding the definition and writing its description."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = dict.fromkeys(_OPTIONS, directives.unchanged)
    kind = ""

    def run(self) -> list[nodes.Node]:
        """Describe the named object; warn where the library has no such name."""
        module, name = self._place(self.arguments[0].split("(")[0].strip())
        path = self.config.d2lbuild_modules.get(module)
        if path is None:
            return []
        self.env.note_dependency(path)
        found = _module(Path(path), Path(path).stat().st_mtime_ns).get(name)
        if found is None:
            logger.warning(
                "the library %s has no %s called %s",
                module,
                self.kind,
                name,
                location=self.get_location(),
                type="d2l",
                subtype="name",
            )
            return []
        lines = list(self._describe(found, module))
        container = nodes.Element()
        container.document = self.state.document
        source, line = self.get_source_info()
        content = StringList(lines, items=[(source, line - 1)] * len(lines))
        self.state.nested_parse(content, 0, container)
        return container.children

    def _place(self, target: str) -> tuple[str, str]:
        known: Sequence[str] = list(self.config.d2lbuild_modules)
        prefix, _, name = target.rpartition(".")
        module = prefix or self.env.ref_context.get("py:module") or ""
        if module not in known:
            # The other frameworks' editions say `currentmodule:: d2l.torch` too.
            module = known[0] if known else ""
        return module, name

    def _describe(self, found: ast.stmt, module: str) -> Iterator[str]:
        raise NotImplementedError


class AutoFunction(_Auto):
    """``.. autofunction:: name``."""

    kind = "function"

    def _describe(self, found: ast.stmt, module: str) -> Iterator[str]:
        if isinstance(found, _Function):
            yield from _object("function", f"{found.name}({arguments_of(found)})", module, found)
        elif isinstance(found, ast.ClassDef):
            yield from _class(found, module, self.config.language, members=False)


class AutoClass(_Auto):
    """``.. autoclass:: Name`` with ``:members:``."""

    kind = "class"

    def _describe(self, found: ast.stmt, module: str) -> Iterator[str]:
        if isinstance(found, ast.ClassDef):
            yield from _class(found, module, self.config.language, members="members" in self.options)
        elif isinstance(found, _Function):
            yield from _object("function", f"{found.name}({arguments_of(found)})", module, found)


def _class(found: ast.ClassDef, module: str, language: str, *, members: bool) -> Iterator[str]:
    functions = [node for node in found.body if isinstance(node, _Function)]
    starts = [node for node in functions if node.name == "__init__"]
    signature = f"({arguments_of(starts[0], method=True)})" if starts else ""
    yield from _object("class", found.name + signature, module, found)
    if found.bases:
        bases = ", ".join(f"``{ast.unparse(base)}``" for base in found.bases)
        yield from (f"   {translated(language, 'Bases: {names}').format(names=bases)}", "")
    if not members:
        return
    for node in functions:
        if not node.name.startswith("_") and ast.get_docstring(node):
            signature = f"{found.name}.{node.name}({arguments_of(node, method=True)})"
            yield from ("   " + line if line else "" for line in _object("method", signature, module, node))


def _object(kind: str, signature: str, module: str, node: _Function | ast.ClassDef) -> Iterator[str]:
    # The index has the names of the libraries already.
    yield from (f".. py:{kind}:: {signature}", f"   :module: {module}", "   :no-index-entry:", "")
    docstring = inspect.cleandoc(ast.get_docstring(node) or "")
    yield from (f"   {line}" if line else "" for line in docstring.split("\n"))
    yield ""


def arguments_of(node: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool = False) -> str:
    """Return the parameters of a function as source; those of a method without `self`."""
    arguments = node.args
    static = any(isinstance(found, ast.Name) and found.id == "staticmethod" for found in node.decorator_list)
    if method and not static:
        # `self` comes first, before or after a `/`.
        first = arguments.posonlyargs or arguments.args
        copy = ast.arguments(
            posonlyargs=arguments.posonlyargs[1:],
            args=arguments.args if arguments.posonlyargs else arguments.args[1:],
            vararg=arguments.vararg,
            kwonlyargs=arguments.kwonlyargs,
            kw_defaults=arguments.kw_defaults,
            kwarg=arguments.kwarg,
            defaults=arguments.defaults,
        )
        arguments = copy if first else arguments
    return ast.unparse(arguments)
