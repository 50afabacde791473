"""The generated library: the `#@save` pieces of one edition, made into one importable module.

The module is a pure function of the notebooks and the configuration. It is extracted before aliases are expanded: it
keeps the names below ``d2l.`` and defines them, so that a reader's ``d2l.matmul`` runs.
"""

import ast
import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from d2lbuild.config import Framework
from d2lbuild.edition.alias_definitions import alias_definitions
from d2lbuild.edition.code import CodeError, is_python, tree, walk
from d2lbuild.edition.collect import Collector, Import, SavedBlock
from d2lbuild.edition.saved import global_names
from d2lbuild.model import Finding, Notebook, Span

__all__ = ["Library", "SavedBlock", "extract", "used_names"]


@dataclass(frozen=True)
class Library:
    """The library of one framework."""

    framework: Framework
    package: str
    imports: tuple[Import, ...]
    blocks: tuple[SavedBlock, ...]
    findings: tuple[Finding, ...] = ()
    title: str = ""
    import_places: Mapping[str, Span] = field(default_factory=dict)
    """Where each name that the module imports is imported."""

    @cached_property
    def source(self) -> str:
        """The module's text."""
        return _GAP.join(text for text, _ in _parts(self)) + "\n"

    @cached_property
    def fault(self) -> SyntaxError | None:
        """What keeps the module from being Python."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in strings are not worth a word here
                compile(self.source, self.framework.module, "exec", dont_inherit=True)
        except SyntaxError as error:
            return error
        return None

    @cached_property
    def places(self) -> tuple[Span | None, ...]:
        """For each line of `source`, the line that it comes from; None for what belongs to no single one."""
        found: list[Span | None] = []
        for text, places in _parts(self):
            found += [None] * (len(_GAP) - 1) if found else []
            found += places or [None] * (text.count("\n") + 1)
        return tuple(found)

    @cached_property
    def pieces(self) -> Mapping[str, tuple[tuple[str, frozenset[str]], ...]]:
        """For each name of the module, the code that defines it and the names that code reads."""
        found: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for one in self.imports:
            found.setdefault(one.bound, []).append((one.statement, frozenset()))
        for block in self.blocks:
            uses = global_names(block.code, self.package) if block.names else frozenset()
            for name in block.names:
                found.setdefault(name, []).append((block.code, uses))
        for name, line in alias_definitions(self.framework.aliases):
            found.setdefault(name, []).append((line, global_names(line, self.package)))
        return {name: tuple(pieces) for name, pieces in found.items()}

    def closure(self, names: frozenset[str] | None) -> tuple[str, ...]:
        """Return the names of the library that `names` lead to, directly or not; all of them for None."""
        if names is None:
            return tuple(sorted(self.pieces))
        seen: set[str] = set()
        waiting = [name for name in names if name in self.pieces]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += [use for _, uses in self.pieces[name] for use in uses if use in self.pieces]
        return tuple(sorted(seen))

    @cached_property
    def _effects(self) -> str:
        # Kept: in a large book all of its notebooks ask.
        header = self.framework.header.text if self.framework.header else ""
        return _digest([header, *(block.code for block in self.blocks if not block.names)])

    def digests(self, names: frozenset[str] | None) -> dict[str, str]:
        """Return, by name, digests of all code that a notebook which uses `names` can reach; none if it uses nothing.

        The name ``""`` stands for the header and the statements that only have effects: importing the module runs them.
        Where a piece stands in the book does not matter.
        """
        if names is not None and not names:
            return {}
        return {"": self._effects} | {
            name: _digest(code for code, _ in self.pieces[name]) for name in self.closure(names)
        }


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def extract(notebooks: Sequence[Notebook], framework: Framework, *, package: str = "d2l", title: str = "") -> Library:
    """Collect what the notebooks of one framework save, in their order, before aliases are expanded."""
    collector = Collector(package)
    for notebook in notebooks:
        collector.take(notebook)
    collector.finish()
    blocks = [entry.block(package) for entry in collector.entries.values()]
    return Library(
        framework,
        package,
        tuple(collector.imports.values()),
        tuple(blocks),
        tuple(collector.findings),
        title,
        {name: span for name, (what, span) in collector.bound.items() if isinstance(what, str)},
    )


def used_names(notebook: Notebook, package: str, module: str) -> frozenset[str] | None:
    """Return the names of the library that a notebook's code can reach; None if that cannot be told.

    It cannot where code does not parse, imports ``*``, or handles the module as a value. The empty set means that the
    notebook does not import the library.
    """
    names: set[str] = set()
    imported = False
    for cell in notebook.code:
        if not is_python(cell.source):
            continue
        try:
            nodes = walk(tree(cell.source))
        except CodeError:
            return None
        found = _names_of(nodes, package, module)
        if found is None:
            return None
        names |= found[0]
        imported = imported or found[1]
    return frozenset(names | {""}) if imported else frozenset(names)


def _names_of(nodes: Sequence[ast.AST], package: str, module: str) -> tuple[set[str], bool] | None:
    names: set[str] = set()
    imported = False
    attributes = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            imported = True
            if node.module == package:
                continue  # from d2l import torch as d2l
            if any(alias.name == "*" for alias in node.names):
                return None
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names):
            imported = True
        elif isinstance(node, ast.Attribute):
            value = node.value
            if isinstance(value, ast.Name) and value.id == package:
                names.add(node.attr)
            elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == package:
                names |= {node.attr} if value.attr == module else set()
        elif isinstance(node, ast.Name) and node.id == package and id(node) not in attributes:
            return None
    return names, imported


# --- writing ---


# An existing book keeps its hand-written header above such a mark in the module itself, and must find it again.
_MARK = """\
################ WARNING ################
# The part below is generated automatically by d2lbuild from the chapters{title}.
# Edit those, not this file."""


_GAP = "\n\n\n"

_Places = Sequence[Span | None]


def _parts(library: Library) -> Iterator[tuple[str, _Places]]:
    """Yield the parts of the module, with the place of each line where they have some."""
    framework = library.framework
    header = framework.header.text.strip("\n") if framework.header else ""
    already = {one for node in _body(header) for one in _imports_of(node)}
    imports = [one for one in library.imports if one not in already]
    if Import("", "sys", None) not in {*imports, *already}:
        imports.append(Import("", "sys", None))
    if header:
        yield header, _header_places(framework)
    yield _MARK.format(title=f" of “{library.title}”" if library.title else ""), ()
    if block := _import_block(imports):
        yield block, _import_places(library, block)
    yield f"{library.package} = sys.modules[__name__]", ()
    early, late = _split_aliases(library)
    if early:
        yield "\n".join(["# Aliases that the definitions below need", *early]), _alias_places(framework, early)
    for one in library.blocks:
        yield f"# {one.span.path}:{one.span.first}\n{one.code}", (one.span, *one.places)
    if late:
        yield "\n".join(["# Aliases", *late]), _alias_places(framework, late)


def _body(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except SyntaxError:
        return []  # a check of the whole module reports it


def _header_places(framework: Framework) -> _Places:
    assert framework.header
    text, span = framework.header.text, framework.header.span
    first = span.first + len(text) - len(text.lstrip("\n"))
    return [Span(span.path, line, line) for line in range(first, first + text.strip("\n").count("\n") + 1)]


def _import_places(library: Library, block: str) -> _Places:
    places: list[Span | None] = [None] * (block.count("\n") + 1)
    for node in ast.parse(block).body:
        names = [one.bound for one in _imports_of(node)]
        for line in range(node.lineno - 1, node.end_lineno or node.lineno):
            places[line] = next((library.import_places[name] for name in names if name in library.import_places), None)
    return places


def _alias_places(framework: Framework, lines: Sequence[str]) -> _Places:
    known = {one.text: one.span for one in framework.aliases.plain}
    return [None, *(place for line in lines for place in [known.get(line)] * (line.count("\n") + 1))]


def _imports_of(node: ast.stmt) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import("", alias.name, alias.asname) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (Import(node.module or "", alias.name, alias.asname) for alias in node.names)


def _import_block(imports: Sequence[Import]) -> str:
    """Return the imports in the usual order: the standard library first, plain imports before ``from``."""
    groups: list[str] = []
    for standard in (True, False):
        chosen = [one for one in imports if one.standard is standard]
        lines = sorted({one.statement for one in chosen if not one.module})
        for module in sorted({one.module for one in chosen if one.module}):
            names = sorted({one.clause for one in chosen if one.module == module})
            line = f"from {module} import {', '.join(names)}"
            if len(line) > 88:
                line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
            lines.append(line)
        if lines:
            groups.append("\n".join(lines))
    return "\n\n".join(groups)


def _split_aliases(library: Library) -> tuple[list[str], list[str]]:
    """Return the aliases that importing the module needs before its definitions, and the others."""
    needed: set[str] = set().union(*(block.eager for block in library.blocks))
    early: list[str] = []
    late: list[str] = []
    for name, line in alias_definitions(library.framework.aliases):
        (early if name in needed else late).append(line)
    return early, late
