"""The generated library: the `#@save` pieces of one edition, made into one importable module.

The module is a pure function of the notebooks and the configuration. It is extracted before aliases are expanded: it
keeps the names below ``d2l.`` and defines them, so that a reader's ``d2l.matmul`` runs.
"""

import ast
import copy
import hashlib
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from textwrap import indent

from d2lbuild.config import Framework
from d2lbuild.edition.alias_definitions import alias_definitions
from d2lbuild.edition.code import CodeError, is_python, mask, tree
from d2lbuild.edition.saved import (
    SavedStatement,
    definition_lines,
    docstring_with,
    global_names,
    parses,
    saved_statements,
)
from d2lbuild.model import Finding, LabelKind, Notebook, Severity, Span

__all__ = ["Library", "SavedBlock", "extract", "used_names"]


@dataclass(frozen=True, slots=True)
class SavedBlock:
    """One piece of the library: a definition with its joined methods, or a statement."""

    names: tuple[str, ...]
    """What it defines; empty for a statement that only does something."""
    code: str
    span: Span
    uses: frozenset[str]
    """All names that it reads, those of the library and others."""
    eager: frozenset[str]
    """Those among them that are read while the module is imported (bases, decorators, defaults, plain statements)."""
    places: tuple[Span, ...] = ()
    """For each line of `code`, its line in the chapters."""


@dataclass(frozen=True)
class Library:
    """The library of one framework."""

    framework: Framework
    package: str
    imports: tuple["_Import", ...]
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
    def parsed(self) -> ast.Module | SyntaxError:
        """The module's syntax tree, or what keeps it from being one."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in strings are not worth a word here
                tree = ast.parse(self.source)
                compile(tree, self.framework.module, "exec", dont_inherit=True)
        except SyntaxError as error:
            return error
        return tree

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
            for name in block.names:
                found.setdefault(name, []).append((block.code, block.uses))
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

    def digests(self, names: frozenset[str] | None) -> dict[str, str]:
        """Return, by name, digests of all code that a notebook which uses `names` can reach; none if it uses nothing.

        The name ``""`` stands for the header and the statements that only have effects: importing the module runs them.
        Where a piece stands in the book does not matter.
        """
        if names is not None and not names:
            return {}
        header = self.framework.header.text if self.framework.header else ""
        found = {"": _digest([header, *(block.code for block in self.blocks if not block.names)])}
        return found | {name: _digest(code for code, _ in self.pieces[name]) for name in self.closure(names)}


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def extract(notebooks: Sequence[Notebook], framework: Framework, *, package: str = "d2l", title: str = "") -> Library:
    """Collect what the notebooks of one framework save, in their order, before aliases are expanded."""
    collector = _Collector(package)
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
            nodes = list(ast.walk(tree(cell.source)))
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


# --- collecting ---


@dataclass(frozen=True, slots=True)
class _Import:
    """One name that the module imports."""

    module: str
    """Empty for a plain ``import``."""
    name: str
    asname: str | None

    @property
    def bound(self) -> str:
        return self.asname or (self.name if self.module else self.name.split(".")[0])

    @property
    def whole(self) -> str:
        """The full name of what is bound."""
        return f"{self.module}.{self.name}" if self.module else self.name if self.asname else self.bound

    @property
    def clause(self) -> str:
        return f"{self.name} as {self.asname}" if self.asname else self.name

    @property
    def statement(self) -> str:
        return f"from {self.module} import {self.clause}" if self.module else f"import {self.clause}"

    @property
    def standard(self) -> bool:
        """Whether it comes from Python's standard library."""
        return (self.module or self.name).split(".")[0] in sys.stdlib_module_names


@dataclass(frozen=True, slots=True)
class _Code:
    """Lines of code with their places in the chapters."""

    text: str
    places: tuple[Span, ...]

    def replaced(self, text: str) -> "_Code":
        """Return other text with these places; lines between what both begin and end with have that of the first."""
        old, new = self.text.split("\n"), text.split("\n")
        most = min(len(old), len(new))
        same = next((n for n in range(most) if old[n] != new[n]), most)
        end = next((n for n in range(most - same) if old[-1 - n] != new[-1 - n]), most - same)
        between = (self.places[min(same, len(old) - 1)],) * (len(new) - same - end)
        return _Code(text, self.places[:same] + between + self.places[len(old) - end :])


@dataclass(slots=True)
class _Entry:
    """A saved statement while methods may still join it."""

    saved: SavedStatement
    names: tuple[str, ...]
    code: _Code
    span: Span
    methods: dict[str, _Code] = field(default_factory=dict)

    def block(self, package: str) -> SavedBlock:
        code = self.code
        for name, method in self.methods.items():
            code = _join(code, name, method)
        text = code.text
        module = ast.parse(text)
        eager = frozenset().union(*(_eager_names(one, package) for one in module.body))
        return SavedBlock(self.names, text, self.span, global_names(module, package), eager, code.places)


@dataclass(slots=True)
class _Collector:
    """Goes through the notebooks; later definitions of a name replace earlier ones."""

    package: str
    entries: dict[tuple[str, ...], _Entry] = field(default_factory=dict)
    imports: dict[_Import, _Import] = field(default_factory=dict)
    bound: dict[str, tuple[ast.stmt | str, Span]] = field(default_factory=dict)
    """What each name was bound to last: a statement, or the full name of what was imported."""
    strays: list[tuple[str, str, Span]] = field(default_factory=list)
    """Methods whose class was not there yet: class, method and place."""
    findings: list[Finding] = field(default_factory=list)

    def take(self, notebook: Notebook) -> None:
        for cell in notebook.code:
            statements, unused = saved_statements(cell.source)
            for line in unused:
                span = _span(notebook, cell.lines, line)
                hint = "put it at the end of the first line of a definition or an assignment, or above it"
                self._find("idle-save", "`#@save` saves nothing here", span, Severity.WARNING, hint)
            for saved in statements:
                places = tuple(_span(notebook, cell.lines, line) for line in saved.lines)
                first = _span(notebook, cell.lines, saved.first)
                span = replace(first, last=places[-1].last)
                if mask(saved.code) != saved.code and not parses(saved.code):
                    hint = "a library module cannot have magics: leave them in a cell of their own"
                    self._find("saved-magic", "what is saved here is not plain Python", span, Severity.ERROR, hint)
                else:
                    self._add(saved, _Code(saved.code, places), span, _label_before(notebook, span.first))

    def finish(self) -> None:
        """Report the methods that no class has taken."""
        classes = {
            name: entry.span
            for (name, *_), entry in self.entries.items()
            if name in entry.names and isinstance(entry.saved.node, ast.ClassDef)
        }
        for owner, name, span in self.strays:
            if owner in classes:
                message = (
                    f"the method '{name}' is saved for the class '{owner}', which is only saved at {classes[owner]}"
                )
                self._find("method-before-class", message, span, Severity.ERROR, "move one of the two")
            else:
                message = f"the method '{name}' is saved for the class '{owner}', which is not saved before it"
                near = get_close_matches(owner, classes, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"mark the class `{owner}` with `#@save`"
                self._find("unsaved-class", message, span, Severity.ERROR, hint)

    def _add(self, saved: SavedStatement, code: _Code, span: Span, label: str) -> None:
        node = saved.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                one = _Import(module, alias.name, alias.asname)
                if alias.name.split(".")[0] != self.package and module.split(".")[0] != self.package:
                    self.imports.setdefault(one, one)
                    self._bind(one.bound, one.whole, span)
            return
        definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if label:
                code = code.replaced(docstring_with(code.text, f"Defined in :numref:`{label}`"))
            if saved.joins:
                self._join(saved.joins, node.name, code, span)
                return
            names: tuple[str, ...] = (node.name,)
        else:
            names = tuple(_assigned_names(node))
            if names == (self.package,):
                return  # `d2l = sys.modules[__name__]` is always there
        for name in names if definition or _plain_assignment(node) else ():
            self._bind(name, node, span)
        self.entries.pop(names, None)  # what it replaces does not stay behind
        self.entries[names if definition else (*names, f"{span} {len(self.entries)}")] = _Entry(
            saved, names, code, span
        )

    def _join(self, owner: str, name: str, code: _Code, span: Span) -> None:
        entry = self.entries.get((owner,))
        if entry is None or not isinstance(entry.saved.node, ast.ClassDef):
            self.strays.append((owner, name, span))
            return
        entry.methods.pop(name, None)
        entry.methods[name] = code

    def _bind(self, name: str, what: ast.stmt | str, span: Span) -> None:
        """Remember what a name is bound to, and report it if that was something else before."""
        earlier = self.bound.get(name)
        self.bound[name] = what, span
        if earlier and not _same(earlier[0], what) and not _reads(what, name):
            message = f"'{name}' is saved twice, with different code; the one at {earlier[1]} is lost"
            self._find("saved-twice", message, span, Severity.WARNING, "give one of them another name")

    def _find(self, rule: str, message: str, span: Span, severity: Severity, hint: str) -> None:
        self.findings.append(Finding(rule, message, span, severity, hint))


def _span(notebook: Notebook, lines: Sequence[int], line: int) -> Span:
    line = lines[min(line, len(lines)) - 1]
    return Span(notebook.section.path, line, line)


def _same(one: ast.stmt | str, other: ast.stmt | str) -> bool:
    """Whether both do the same; docstrings do not count."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return _dump(one) == _dump(other)


def _dump(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
        node = copy.copy(node)
        node.body = node.body[1:]
    return ast.dump(node)


def _reads(what: ast.stmt | str, name: str) -> bool:
    """Whether an assignment builds on what the name was before: ``f = jit(f)``."""
    return isinstance(what, ast.Assign) and any(
        isinstance(node, ast.Name) and node.id == name for node in ast.walk(what.value)
    )


def _plain_assignment(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets)


def _label_before(notebook: Notebook, line: int) -> str:
    """Return the label of the heading that `line` stands under."""
    before = [
        label
        for label in notebook.section.labels
        if label.kind is LabelKind.SECTION
        and label.span.first < line
        and (label.frameworks is None or notebook.framework in label.frameworks)
    ]
    return before[-1].name if before else ""


def _assigned_names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds or changes: also ``d2l.TABLE['key'] = …`` belongs to ``TABLE``."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    while targets:
        target = targets.pop(0)
        if isinstance(target, ast.Tuple | ast.List):
            targets = [*target.elts, *targets]
        elif isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Subscript | ast.Starred):
            targets.insert(0, target.value)
        elif isinstance(target, ast.Attribute):
            if isinstance(target.value, ast.Name):
                yield target.attr
            else:
                targets.insert(0, target.value)


def _eager_names(node: ast.stmt, package: str) -> frozenset[str]:
    """Return the names that are read as soon as the statement is executed."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [default for default in node.args.kw_defaults if default]
        parts: Iterable[ast.AST] = [*node.decorator_list, *node.args.defaults, *defaults]
    elif isinstance(node, ast.ClassDef):
        keywords = [keyword.value for keyword in node.keywords]
        inner = frozenset().union(*(_eager_names(one, package) for one in node.body))
        parts = [*node.decorator_list, *node.bases, *keywords]
        return inner.union(*(global_names(part, package) for part in parts))
    else:
        parts = [node]
    return frozenset().union(*(global_names(part, package) for part in parts))


def _join(code: _Code, name: str, method: _Code) -> _Code:
    """Put a method at the end of a class; one of the same name in the class goes."""
    owner = ast.parse(code.text).body[0]
    assert isinstance(owner, ast.ClassDef)
    lines, places = code.text.split("\n"), list(code.places)
    for node in reversed(owner.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name and len(owner.body) > 1:
            first, last = definition_lines(node)
            while first > 1 and not lines[first - 2].strip():
                first -= 1
            del lines[first - 1 : last], places[first - 1 : last]
    text = "\n".join([*lines, "", indent(method.text, "    ")])
    return _Code(text, (*places, method.places[0], *method.places))


# --- writing ---


# An existing book keeps its hand-written header above such a mark in the module itself, and must find it again.
_MARK = """\
# ################ WARNING ################
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
    if _Import("", "sys", None) not in {*imports, *already}:
        imports.append(_Import("", "sys", None))
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


def _imports_of(node: ast.stmt) -> Iterator[_Import]:
    if isinstance(node, ast.Import):
        yield from (_Import("", alias.name, alias.asname) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (_Import(node.module or "", alias.name, alias.asname) for alias in node.names)


def _import_block(imports: Sequence[_Import]) -> str:
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
