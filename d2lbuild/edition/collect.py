"""Collects what notebooks save: blocks of code, each line with its place, and imports.

Methods join the classes that earlier notebooks saved; later definitions of a name replace earlier ones.
"""

import ast
import copy
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from textwrap import indent

from d2lbuild.edition.code import mask, tree, walk
from d2lbuild.edition.saved import (
    SavedStatement,
    definition_lines,
    docstring_with,
    global_names,
    parses,
    saved_statements,
)
from d2lbuild.model import Finding, LabelKind, Notebook, Severity, Span

__all__ = ["Collector", "Import", "SavedBlock"]


@dataclass(frozen=True, slots=True)
class SavedBlock:
    """One piece of the library: a definition with its joined methods, or a statement."""

    names: tuple[str, ...]
    """What it defines; empty for a statement that only does something."""
    code: str
    span: Span
    eager: frozenset[str]
    """The names that it reads while the module is imported (bases, decorators, defaults, plain statements)."""
    places: tuple[Span, ...] = ()
    """For each line of `code`, its line in the chapters."""


@dataclass(frozen=True, slots=True)
class Import:
    """One name that the module imports."""

    module: str
    """Empty for a plain ``import``."""
    name: str
    asname: str | None

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.asname or (self.name if self.module else self.name.split(".")[0])

    @property
    def whole(self) -> str:
        """The full name of what is bound."""
        return f"{self.module}.{self.name}" if self.module else self.name if self.asname else self.bound

    @property
    def clause(self) -> str:
        """What stands behind ``import``."""
        return f"{self.name} as {self.asname}" if self.asname else self.name

    @property
    def statement(self) -> str:
        """The import as a statement of its own."""
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
    methods: dict[str, tuple[SavedStatement, _Code]] = field(default_factory=dict)

    def block(self, package: str) -> SavedBlock:
        code = self.code
        own = {getattr(node, "name", None) for node in getattr(self.saved.node, "body", ())}
        for name, (_, method) in self.methods.items():
            code = _join(_without(code, name) if name in own else code, method)
        if own.isdisjoint(self.methods):
            # The statements say what the code as a whole would, and need not be parsed again.
            parts = [_eager_names(self.saved.node, package)]
            parts += [_eager_names(method.node, package, method.lines) for method, _ in self.methods.values()]
        else:
            parts = [_eager_names(one, package) for one in tree(code.text).body]
        return SavedBlock(self.names, code.text, self.span, frozenset().union(*parts), code.places)


@dataclass(slots=True)
class Collector:
    """Goes through the notebooks; later definitions of a name replace earlier ones."""

    package: str
    entries: dict[tuple[str, ...], _Entry] = field(default_factory=dict)
    imports: dict[Import, Import] = field(default_factory=dict)
    bound: dict[str, tuple[ast.stmt | str, Span]] = field(default_factory=dict)
    """What each name was bound to last: a statement, or the full name of what was imported."""
    strays: list[tuple[str, str, Span]] = field(default_factory=list)
    """Methods whose class was not there yet: class, method and place."""
    findings: list[Finding] = field(default_factory=list)

    def take(self, notebook: Notebook) -> None:
        """Collect what a notebook saves."""
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
                one = Import(module, alias.name, alias.asname)
                if alias.name.split(".")[0] != self.package and module.split(".")[0] != self.package:
                    self.imports.setdefault(one, one)
                    self._bind(one.bound, one.whole, span)
            return
        definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if label:
                code = code.replaced(docstring_with(saved, f"Defined in :numref:`{label}`"))
            if saved.joins:
                self._join(saved, node.name, code, span)
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

    def _join(self, saved: SavedStatement, name: str, code: _Code, span: Span) -> None:
        owner = saved.joins or ""
        entry = self.entries.get((owner,))
        if entry is None or not isinstance(entry.saved.node, ast.ClassDef):
            self.strays.append((owner, name, span))
            return
        entry.methods.pop(name, None)
        entry.methods[name] = saved, code

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
        isinstance(node, ast.Name) and node.id == name for node in walk(what.value)
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


def _eager_names(node: ast.stmt, package: str, lines: Sequence[int] = ()) -> frozenset[str]:
    """Return the names that are read as soon as the statement is executed; of a method, decorators on `lines` only."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [default for default in node.args.kw_defaults if default]
        decorators = [one for one in node.decorator_list if not lines or one.lineno in lines]
        parts: Iterable[ast.AST] = [*decorators, *node.args.defaults, *defaults]
    elif isinstance(node, ast.ClassDef):
        keywords = [keyword.value for keyword in node.keywords]
        inner = frozenset().union(*(_eager_names(one, package) for one in node.body))
        parts = [*node.decorator_list, *node.bases, *keywords]
        return inner.union(*(global_names(part, package) for part in parts))
    else:
        parts = [node]
    return frozenset().union(*(global_names(part, package) for part in parts))


def _join(code: _Code, method: _Code) -> _Code:
    """Put a method at the end of a class."""
    text = "\n".join([code.text, "", _indented(method.text)])
    return _Code(text, (*code.places, method.places[0], *method.places))


def _without(code: _Code, name: str) -> _Code:
    """Take a method out of a class, unless nothing else is in it."""
    owner = tree(code.text).body[0]
    assert isinstance(owner, ast.ClassDef)
    lines, places = code.text.split("\n"), list(code.places)
    for node in reversed(owner.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name and len(owner.body) > 1:
            first, last = definition_lines(node)
            while first > 1 and not lines[first - 2].strip():
                first -= 1
            del lines[first - 1 : last], places[first - 1 : last]
    return _Code("\n".join(lines), tuple(places))


def _indented(code: str) -> str:
    """Indent a definition by four spaces, but not what its strings hold, other than the docstring."""
    definition = tree(code).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    first = definition.body[0]
    docstring = ast.get_docstring(definition) is not None
    lines = code.split("\n")
    rest = "\n".join(lines[first.end_lineno :] if docstring else lines)
    if not any(mark in rest for mark in ('"""', "'''", "\\\n")):
        return indent(code, "    ")
    kept: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(code + "\n").readline):
        if not docstring or token.start[0] != first.lineno:  # only strings begin on one line and end on another
            kept.update(range(token.start[0] + 1, token.end[0] + 1))
    return "\n".join(
        line if number in kept or not line.strip() else f"    {line}" for number, line in enumerate(lines, start=1)
    )
