"""What is wrong with a library module, and with the notebooks that use it: found without importing anything.

Every finding leads to a line of the chapters (or of a hand-written header), never to one of the generated module.
"""

import ast
import builtins
import re
import symtable
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, cached_property

from d2lbuild.edition.code import CodeError, is_python, tree, walk
from d2lbuild.edition.library import Library
from d2lbuild.edition.module_names import defined_names, needed_names
from d2lbuild.edition.saved import definition_lines
from d2lbuild.model import Cell, Finding, Notebook, Severity, Span

__all__ = [
    "LibraryNames",
    "check_edition",
    "check_library",
    "check_notebook",
    "imports_another",
    "joined",
    "mentions",
    "place",
]

_IPYTHON = frozenset({"display", "get_ipython"})
"""Names that a kernel adds to Python's own."""

_BUILTINS = frozenset(vars(builtins)) | _IPYTHON | {"__file__", "__path__", "__class__", "__module__", "__qualname__"}

_RULES = frozenset(
    {
        "library-syntax",
        "other-library",
        "saved-order",
        "undefined-library-name",
        "undefined-name",
        "unknown-library-name",
    }
)


def joined(found: Mapping[str, Iterable[Finding]]) -> tuple[Finding, ...]:
    """Join the findings of several frameworks: one that only some of them have says which."""
    owners: dict[Finding, list[str]] = {}
    for framework, findings in found.items():
        for finding in dict.fromkeys(findings):
            owners.setdefault(finding, []).append(framework)
    return tuple(
        replace(finding, message=f"{finding.message}, in {', '.join(names)}")
        if finding.rule in _RULES and len(names) < len(found)
        else finding
        for finding, names in owners.items()
    )


@dataclass(frozen=True, slots=True)
class LibraryNames:
    """What a library module has, for those who use it."""

    package: str
    module: str
    defined: frozenset[str]
    """What its statements define; with ``*`` in it, its names are not known."""
    set_later: frozenset[str]
    """What its functions set once they are called."""
    reverse: tuple[tuple[str, str], ...] = ()
    """The reverse aliases: names that they speak of stand in notebooks only."""

    @property
    def open(self) -> bool:
        """Whether the module imports ``*``, so that its names are not known."""
        return "*" in self.defined

    def lacks(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of `names` that it does not have."""
        missing = {one for one in names if not (one.startswith("__") and one.endswith("__"))} - self.defined
        return frozenset(missing - self.set_later if missing else missing)

    def nearest(self, name: str) -> str:
        """Return a hint that names the nearest name that it has; empty if none is near."""
        near = get_close_matches(name, self.defined, n=1)
        return f"did you mean '{near[0]}'?" if near else ""


def check_edition(notebooks: Iterable[Notebook], library: Library) -> tuple[Finding, ...]:
    """Return what is wrong with the library, and uses of names that it lacks."""
    found, names = check_library(library)
    every = list(found)
    if names is not None:
        known = {one.span for one in found}  # a notebook's cell may be what was saved
        for notebook in notebooks:
            every += (one for one in check_notebook(notebook, names) if one.span not in known)
    return tuple(dict.fromkeys(every))


def check_library(library: Library) -> tuple[tuple[Finding, ...], LibraryNames | None]:
    """Return what is wrong with a library, and its names; None where those are not known."""
    if library.fault:
        text = f"the library module is not Python: {library.fault.msg}"
        return (Finding("library-syntax", text, place(library, library.fault.lineno or 1)),), None
    module = _Module(library, ast.parse(library.source))
    order = list(_order(module))
    late = {(finding.span, name) for name, finding in order}
    found = [finding for _, finding in order]
    if module.names.open:
        return tuple(dict.fromkeys(found)), None
    found += [one for name, one in _undefined(module) if (one.span, name) not in late]
    found += _undefined_attributes(module)
    return tuple(dict.fromkeys(found)), module.names


# --- the module ---


@dataclass(frozen=True)
class _Module:
    """A library as Python sees it."""

    library: Library
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.library.package

    @cached_property
    def names(self) -> LibraryNames:
        """What it has."""
        defined = frozenset[str]().union(*(names for _, names in self.statements))
        framework = self.library.framework
        return LibraryNames(self.package, framework.module, defined, self._set_later(), framework.aliases.reverse)

    @cached_property
    def statements(self) -> Sequence[tuple[ast.stmt, frozenset[str]]]:
        """Its statements, each with the names that it defines."""
        return [(node, defined_names(node, self.package)) for node in self.tree.body]

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """All of its syntax tree."""
        return walk(self.tree)

    def _set_later(self) -> frozenset[str]:
        """Return what its functions set once they are called."""
        found: set[str] = set()
        lines = self.library.source.split("\n")
        for statement in self.tree.body:
            first, last = definition_lines(statement)
            if not _may_set(self.package).search("\n".join(lines[first - 1 : last])):
                continue
            for node in walk(statement):
                if isinstance(node, ast.Global):
                    found.update(node.names)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    found |= {node.attr} if _is_package(node.value, self.package) else set()
        return frozenset(found)


@cache
def _may_set(package: str) -> re.Pattern[str]:
    """Return what finds code that may set a name of the module: most need no closer look."""
    return re.compile(
        rf"\bglobal\b|\b{re.escape(package)}\s*\.\s*\w+\b\s*[^\w\s(.\[]|\b{re.escape(package)}\s*\.\s*\w+\s+in\b"
    )


def mentions(code: str, package: str) -> frozenset[str]:
    """Return the attributes of the package that a text may mention: a quick look before code is parsed."""
    return frozenset(_mention(package).findall(code))


@cache
def _mention(package: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(package)}\s*\.\s*(\w+)")


def place(library: Library, line: int) -> Span | None:
    """Return where a line of the module comes from; None for what belongs to no single line."""
    return library.places[line - 1] if 0 < line <= len(library.places) else None


def _subject(library: Library, line: int) -> str:
    """Name a line of the module: most have a place, but aliases may have none."""
    return "this" if place(library, line) else f"the alias `{library.source.splitlines()[line - 1]}`"


def _way_to_have(library: Library, name: str, line: int) -> str:
    if place(library, line):
        return f"save what defines '{name}', or import it in a saved cell"
    return f"import '{name}' in the framework's header.py, or save what defines it"


def _is_package(node: ast.expr, package: str) -> bool:
    return isinstance(node, ast.Name) and node.id == package


def _undefined(module: _Module) -> Iterator[tuple[str, Finding]]:
    library = module.library
    # Python's own tables tell quickly whether there is any such name; pyflakes then says where, and knows more forms.
    names = _unbound(symtable.symtable(library.source, library.framework.module, "exec")) - module.names.defined
    if not names:
        return
    from pyflakes.checker import Checker  # noqa: PLC0415 - slow to import
    from pyflakes.messages import UndefinedName  # noqa: PLC0415

    lines = library.source.split("\n")
    word = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
    spans = [(node, *definition_lines(node)) for node in module.tree.body]
    suspects = [node for node, first, last in spans if word.search("\n".join(lines[first - 1 : last]))]
    for message in Checker(ast.Module(suspects, []), builtins=_IPYTHON).messages:
        name = str(message.message_args[0]) if isinstance(message, UndefinedName) else ""
        # A name in an annotation that is a string is never looked up.
        if name in names and lines[message.lineno - 1].encode()[message.col :].startswith(name.encode()):
            text = f"{_subject(library, message.lineno)} uses '{name}', which the library module does not have"
            hint = module.names.nearest(name) or _way_to_have(library, name, message.lineno)
            yield name, Finding("undefined-name", text, place(library, message.lineno), hint=hint)


def _unbound(table: symtable.SymbolTable) -> set[str]:
    """Return the global names that code reads and Python does not have."""
    names = {one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced()}
    names -= _BUILTINS
    return names.union(*(_unbound(child) for child in table.get_children()))


def _undefined_attributes(module: _Module) -> Iterator[Finding]:
    library = module.library
    missing = module.names.lacks(mentions(library.source, module.package))
    for node in module.nodes if missing else ():
        if isinstance(node, ast.Attribute) and node.attr in missing and _is_package(node.value, module.package):
            name = f"{module.package}.{node.attr}"
            text = f"{_subject(library, node.lineno)} uses `{name}`, which the library module does not have"
            hint = module.names.nearest(node.attr) or f"mark what defines '{node.attr}' with `#@save`"
            yield Finding("undefined-library-name", text, place(library, node.lineno), hint=hint)


# --- the order of definitions ---


def _order(module: _Module) -> Iterator[tuple[str, Finding]]:
    """Yield each name that is needed while the module is imported but defined only further down."""
    package = module.package
    first: dict[str, ast.stmt] = {}
    for node, names in module.statements:
        for name in names:
            first.setdefault(name, node)
    known: set[str] = set()
    for node, names in module.statements:
        compound = isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try)
        own = names if compound else frozenset()  # such a statement may define a name before it reads it
        for name, reader in needed_names(node, package):
            builtin = isinstance(reader, ast.Name) and hasattr(builtins, name)
            if name in first and name not in known and name not in own and not builtin:
                needs = {one: {need for need, _ in needed_names(node, package)} for one, node in first.items()}
                circle = _circle(needs, sorted(names), name)
                yield name, _too_late(module.library, reader, first[name], name, circle)
        known |= names


def _too_late(library: Library, reader: ast.expr, defined: ast.stmt, name: str, circle: Sequence[str]) -> Finding:
    there = place(library, defined.lineno) or "the end of the module"
    text = f"{_subject(library, reader.lineno)} needs '{name}' on import, which is only defined at {there}"
    if circle:
        text = f"{_subject(library, reader.lineno)} needs '{name}' on import, in a circle: {' needs '.join(circle)}"
    hint = "break the circle" if circle else f"move this below the definition of '{name}', or save that earlier"
    return Finding("saved-order", text, place(library, reader.lineno), hint=hint)


def _circle(needs: Mapping[str, set[str]], owners: Sequence[str], name: str) -> list[str]:
    """Return the way from one of the owners over `name` back to it; empty if there is none."""
    for owner in owners:
        ways = deque([[owner, name]])
        seen = {name}
        while ways:
            way = ways.popleft()
            if way[-1] == owner:
                return way
            for following in sorted(needs.get(way[-1], set()) - (seen - {owner})):
                seen.add(following)
                ways.append([*way, following])
    return []


# --- notebooks ---


def check_notebook(notebook: Notebook, names: LibraryNames) -> Iterator[Finding]:
    """Yield uses of names that the library lacks."""
    cells = [cell for cell in notebook.code if is_python(cell.source) and "raises-exception" not in cell.tags]
    text = "\n".join(cell.source for cell in cells)
    if not names.lacks(mentions(text, names.package)) and not imports_another(text, names.package, names.module):
        return
    trees = [(cell, walk(found)) for cell in cells if (found := _tree(cell))]
    attached = {names.module}
    for cell, nodes in trees:
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and node.module == names.package:
                for other in _others(node, names):
                    message = f"this imports `{names.package}.{other}`, the library of another framework"
                    hint = "mark the cell for the frameworks that it is for"
                    yield Finding("other-library", message, _at(notebook, cell, node), Severity.WARNING, hint)
                    return
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                attached |= {node.attr} if _is_package(node.value, names.package) else set()
    for cell, nodes in trees:
        used = list(_used(nodes, names.package, names.module))
        missing = {name for name in names.lacks(name for name, _ in used) - attached if not _rewritten(names, name)}
        for name, node in used:
            if name in missing:
                hint = names.nearest(name) or f"mark what defines '{name}' with `#@save`"
                message = f"the library has no '{name}'"
                yield Finding("unknown-library-name", message, _at(notebook, cell, node), Severity.ERROR, hint)


def _others(node: ast.ImportFrom, names: LibraryNames) -> Iterator[str]:
    """Yield the libraries of other frameworks that are imported under the name of the package."""
    return (alias.name for alias in node.names if alias.name != names.module and alias.asname == names.package)


def imports_another(code: str, package: str, module: str) -> bool:
    """Whether a text may import names from the library, or another framework's: a quick look."""
    return bool(re.search(rf"from\s+{re.escape(package)}(\.|\s+import\s+(?!{re.escape(module)}\b))", code))


def _rewritten(names: LibraryNames, name: str) -> bool:
    """Whether a reverse alias speaks of the name: it stands in notebooks only, and the module does not define it."""
    word = re.compile(rf"\b{re.escape(names.package)}\\?\.{re.escape(name)}\b")
    return any(word.search(pattern) or re.fullmatch(pattern, f"{names.package}.{name}") for pattern, _ in names.reverse)


def _tree(cell: Cell) -> ast.Module | None:
    try:
        return tree(cell.source)
    except CodeError:
        return None  # reported by `select`


def _at(notebook: Notebook, cell: Cell, node: ast.stmt | ast.expr | ast.alias) -> Span:
    line = cell.lines[((node.end_lineno if isinstance(node, ast.Attribute) else node.lineno) or 1) - 1]
    return Span(notebook.section.path, line, line)


def _used(nodes: Iterable[ast.AST], package: str, own: str) -> Iterator[tuple[str, ast.Attribute | ast.alias]]:
    """Yield the names of the library that a cell uses, with the nodes that do."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and _is_package(node.value, package):
            yield node.attr, node
        elif isinstance(node, ast.ImportFrom) and node.module == f"{package}.{own}":
            yield from ((alias.name, alias) for alias in node.names if alias.name != "*")
