"""The pages of the API reference: what each framework's library holds, as notebooks for MyST-NB.

They are made from the libraries' source alone: nothing is imported, and no framework has to be installed.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import nbformat

from d2lbuild.config.types import Aliases, Config
from d2lbuild.edition.library import Library, SavedBlock
from d2lbuild.edition.parity import ParityRow, parity
from d2lbuild.model import Book, LabelKind, Section, Span
from d2lbuild.rendering.api.entries import Definition, Described, Entry, is_public, methods_of
from d2lbuild.rendering.api.reference import arguments_of
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.sources.page_notebook import LinePositions, Prose, markdown_cell

__all__ = ["ApiPage", "api_objects", "api_pages", "first_api_page"]

_DEFINED_IN = re.compile(r"\s*\bDefined in :(?:num)?ref:`([^`]+)`\.?\s*\Z")
_GROUPS = {"class": "Classes", "function": "Functions", "data": "Values"}
_SHORT = 60
"""Characters of a value that stands beside its name."""
_OUTER, _INNER = ":" * 8, ":" * 6
"""Fences of entries and of what stands in them; the translation of a docstring makes none of colons."""


@dataclass(frozen=True, slots=True)
class ApiPage:
    """One page of the API reference."""

    name: str
    """As the ids of sections: ``api/pytorch``."""
    notebook: nbformat.NotebookNode
    positions: LinePositions


def first_api_page(described: Mapping[str, Described]) -> str:
    """Return the page that the book's contents lead to; empty if there is nothing to describe."""
    pages = [one.page for one in described.values()]
    return _overview_page(described) if len(pages) > 1 else "".join(pages)


def _overview_page(described: Mapping[str, Described]) -> str:
    folder = next(iter(described.values())).page.rpartition("/")[0]
    return f"{folder}/index"


def api_objects(described: Mapping[str, Described]) -> dict[str, dict[str, object]]:
    """Return, by framework, the page, the module and the names with their kinds: what links lead to."""
    found: dict[str, dict[str, object]] = {}
    for framework, one in described.items():
        objects = {}
        for entry in one.entries:
            objects[entry.name] = entry.kind
            for method in methods_of(entry.definition) if entry.definition else ():
                objects[f"{entry.name}.{method.name}"] = _method_kind(method)
        found[framework] = {"page": one.page, "module": one.module, "objects": objects}
    return found


def api_pages(
    described: Mapping[str, Described], config: Config, book: Book, prose: Mapping[str, Prose]
) -> Iterator[ApiPage]:
    """Write all pages; `prose` translates docstrings, by framework."""
    if len(described) > 1:
        yield _overview(described, config.language)
    for framework, one in described.items():
        title = translated(config.language, "API Reference")
        if len(described) > 1:
            title = translated(config.language, "`{module}` for {framework}")
            title = title.format(module=one.module, framework=one.library.framework.title)
        yield _Writer(one, config, book, prose[framework]).page(title)


# --- one framework ---


@dataclass(frozen=True, slots=True)
class _Writer:
    described: Described
    config: Config
    book: Book
    prose: Prose

    @property
    def library(self) -> Library:
        return self.described.library

    def _text(self, text: str) -> str:
        return translated(self.config.language, text)

    def page(self, title: str) -> ApiPage:
        """Write the page of the library."""
        module, entries = self.described.module, self.described.entries
        package = self.library.package
        groups = {kind: [entry for entry in entries if entry.kind == kind] for kind in _GROUPS}
        opening = [
            f"# {title}",
            "",
            self._text("What the chapters save for later use. The code that defines a name can be opened below it."),
            "",
            f"```python\nfrom {package} import {self.library.framework.module} as {package}\n```",
        ]
        for kind, chosen in groups.items():
            if chosen:
                opening += ["", f"{_INNER}{{d2l-names}} {self._text(_GROUPS[kind])}"]
                opening += [*(f"{entry.name} {module}.{entry.name}" for entry in chosen), _INNER]
        texts: list[tuple[str, Span | None]] = [("\n".join(opening), None)]
        for kind, chosen in groups.items():
            if chosen:
                texts.append((f"## {self._text(_GROUPS[kind])}", None))
            texts += [("\n".join(self._entry(entry)), entry.blocks[0].span) for entry in chosen]
        aliases = _alias_table(self.library, {entry.name for entry in entries}, self.config.language)
        if aliases:
            texts.append(("\n".join(aliases), None))
        return _page(self.described.page, texts)

    def _entry(self, entry: Entry) -> Iterator[str]:
        module = self.described.module
        node = entry.definition
        code = "\n".join(block.code for block in entry.blocks)
        label, text = "", ""
        options = [f":library: {module}"]
        signature = entry.name
        if node is not None:
            label, text = self._docstring(node)
            signature += _signature(node)
        elif value := _short_value(code):
            options.append(f":value: {value}")
        yield from (f"{_OUTER}{{d2l-{entry.kind}}} {signature}", *options, "")
        if isinstance(node, ast.ClassDef) and node.bases:
            names = ", ".join(self._base(base) for base in node.bases)
            yield from (self._text("Bases: {names}").format(names=names), "")
        yield from (text, "")
        yield from self._origin(entry.blocks, label, code if node or ":value:" not in options[-1] else "")
        for method in methods_of(node) if node else ():
            yield from ("", *self._method(method, module, label))
        yield _OUTER

    def _method(self, method: ast.FunctionDef | ast.AsyncFunctionDef, module: str, owner_label: str) -> Iterator[str]:
        label, text = self._docstring(method)
        kind = _method_kind(method)
        yield f"{_INNER}{{d2l-{kind}}} {method.name}{_signature(method, method=True) if kind == 'method' else ''}"
        yield from (f":library: {module}", ":no-contents-entry:")
        decorators = {one.id for one in method.decorator_list if isinstance(one, ast.Name)}
        yield from (f":{name}:" for name in ("classmethod", "staticmethod") if name in decorators)
        yield from ([":async:"] if isinstance(method, ast.AsyncFunctionDef) else [])
        yield from ("", text, "")
        if label and label != owner_label:
            yield from (self._defined_in(label), "")
        yield _INNER

    def _docstring(self, node: Definition) -> tuple[str, str]:
        """Return the label that a docstring ends with, and the rest of it as MyST."""
        text = ast.get_docstring(node) or ""
        if not text and isinstance(node, ast.ClassDef):
            starts = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
            text = (ast.get_docstring(starts[-1]) if starts else "") or ""
        text = inspect.cleandoc(text)
        match = _DEFINED_IN.search(text)
        label = match[1] if match and match[1] in self.book.labels else ""
        rest = text[: match.start()] if match and label else text
        return label, self.prose(rest, True)[0].strip("\n") if rest.strip() else ""

    def _base(self, base: ast.expr) -> str:
        text = ast.unparse(base)
        name = text.removeprefix(f"{self.library.package}.")
        known = {one for block in self.library.blocks for one in block.names}
        if name in known and is_public(name):
            return f"{{py:class}}`{text} <{self.described.module}.{name}>`"
        return f"`{text}`"

    # --- where it comes from ---

    def _origin(self, blocks: Sequence[SavedBlock], label: str, code: str) -> Iterator[str]:
        sections = {str(section.path): section for section in self.book.sections.values()}
        places = dict.fromkeys(self._place(block.span, sections, label) for block in blocks)
        yield f"{_INNER}{{container}} d2l-origin"
        words = [place for place in places if place]
        if words:
            yield self._text("Defined in {places}").format(places=", ".join(words)) + self._file(blocks[0].span)
        if code:
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
            yield from ("", f"{fence}{{d2l-listing}}", code, fence)
        yield _INNER

    def _place(self, span: Span, sections: Mapping[str, Section], label: str) -> str:
        section = sections.get(str(span.path))
        if not label and section is not None:
            label = _label_before(section, span.first, self.library.framework.name)
        if label in self.book.labels:
            return self._reference(label)
        return f"{{doc}}`/{section.id}`" if section else ""

    def _reference(self, label: str) -> str:
        return self.prose(f":numref:`{label}`", True)[0].strip()

    def _defined_in(self, label: str) -> str:
        fence = ":" * 4
        words = self._text("Defined in {places}").format(places=self._reference(label))
        return f"{fence}{{container}} d2l-origin\n{words}\n{fence}"

    def _file(self, span: Span) -> str:
        repository = self.config.html.repository.rstrip("/")
        if not repository:
            return ""
        words = self._text("{file}, line {line}").format(file=span.path.name, line=span.first)
        return f" · [{words}]({repository}/blob/HEAD/{span.path}?plain=1#L{span.first})"


def _label_before(section: Section, line: int, framework: str) -> str:
    """Return the label of the heading that a line stands under."""
    before = [
        label.name
        for label in section.labels
        if label.kind is LabelKind.SECTION
        and label.span.first < line
        and (label.frameworks is None or framework in label.frameworks)
    ]
    return before[-1] if before else ""


def _signature(node: Definition, *, method: bool = False) -> str:
    if not isinstance(node, ast.ClassDef):
        return f"({arguments_of(node, method=method)})"
    starts = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    return f"({arguments_of(starts[-1], method=True)})" if starts else ""


def _method_kind(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    names = {ast.unparse(one).rpartition(".")[2] for one in method.decorator_list}
    return "property" if names & {"property", "cached_property"} else "method"


def _short_value(code: str) -> str:
    """Return what a short statement assigns; empty if it is long, or does something else."""
    body = ast.parse(code).body
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.AnnAssign) or body[0].value is None:
        return ""
    value = ast.unparse(body[0].value)
    return value if len(value) <= _SHORT and "\n" not in value else ""


# --- aliases ---


def _alias_table(library: Library, defined: set[str], language: str) -> list[str]:
    """Return a table of the framework-neutral names; those that the chapters define are entries of their own."""
    package = library.package
    rows = [(name, call, body) for name, call, body in _aliases(library.framework.aliases, package)]
    rows = sorted(row for row in dict.fromkeys(rows) if is_public(row[0]) and row[0] not in defined)
    if not rows:
        return []
    words = translated(
        language, "What {framework} calls otherwise than other frameworks; pages show what the names stand for."
    )
    return [
        f"## {translated(language, 'Names of other libraries')}",
        "",
        words.format(framework=library.framework.title),
        "",
        f"| {translated(language, 'name')} | {translated(language, 'stands for')} |",
        "|---|---|",
        *(f"| {_code(f'{package}.{call}')} | {_code(body)} |" for _, call, body in rows),
    ]


def _aliases(aliases: Aliases, package: str) -> Iterator[tuple[str, str, str]]:
    """Yield each alias's name, the way it is written, and what that stands for."""
    for name, target in aliases.simple.items():
        yield name, name, target
    for name, method in aliases.fluent.items():
        yield name, f"{name}(x, …)", f"x.{method}(…)"
    for call, body in aliases.args:
        yield call.partition("(")[0], call, body
    for line in aliases.plain:
        name, _, body = line.text.partition("=")
        if body.strip() != f"{package}.{name.strip()}":
            yield name.strip(), name.strip(), body.strip()


def _code(text: str) -> str:
    """Return code for a cell of a table."""
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{text}{ticks}".replace("|", "\\|").replace("\n", " ")


# --- all frameworks ---


def _overview(described: Mapping[str, Described], language: str) -> ApiPage:
    libraries = {framework: one.library for framework, one in described.items()}
    package = next(iter(libraries.values())).package
    toctree = ["```{toctree}", ":maxdepth: 1", "", *(f"/{one.page}" for one in described.values()), "```"]
    rows = [row for row in parity(libraries) if row.kind in {"class", "function", "value"} and "." not in row.name]
    names = translated(
        language,
        "Names of `{package}` that the chapters save. Where frameworks expect different arguments, these are shown.",
    )
    table = [
        f"## {translated(language, 'Which framework has what')}",
        "",
        names.format(package=package),
        "",
        ":::{container} d2l-parity",
        f"| {translated(language, 'name')} | {' | '.join(library.framework.title for library in libraries.values())} |",
        "|---" * (len(libraries) + 1) + "|",
        *(_parity_line(row, described) for row in rows),
        ":::",
    ]
    what = translated(language, "The library `{package}` holds what the chapters save, one module a framework.")
    opening = f"# {translated(language, 'API Reference')}\n\n{what.format(package=package)}"
    return _page(_overview_page(described), [(opening, None), ("\n".join(toctree), None), ("\n".join(table), None)])


def _parity_line(row: ParityRow, described: Mapping[str, Described]) -> str:
    cells = []
    for framework, one in described.items():
        signature = row.signatures.get(framework)
        if signature is None:
            cells.append("–")
            continue
        words = signature if row.differs and signature else "✓"
        text = words.replace("|", "\\|").replace("`", "'").replace("<", "\\<")
        linked = any(entry.name == row.name for entry in one.entries)
        cells.append(f"{{py:obj}}`{text} <{one.module}.{row.name}>`" if linked else f"`{text}`")
    return f"| `{row.name}` | {' | '.join(cells)} |"


def _page(name: str, texts: Sequence[tuple[str, Span | None]]) -> ApiPage:
    cells = [markdown_cell(f"api-{number}", text) for number, (text, _) in enumerate(texts)]
    positions = LinePositions(
        tuple((span.first,) if span else () for _, span in texts),
        tuple(span.path if span else None for _, span in texts),
    )
    node = nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})  # type: ignore[no-untyped-call]
    return ApiPage(name, node, positions)
