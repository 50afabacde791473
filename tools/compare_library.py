"""Compares the library that d2lbuild makes of a book with the modules that the book's repository holds.

    python tools/compare_library.py BOOK [--framework NAME,…] [--no-ignore-provenance]

Each module is compared definition by definition: functions, the members of classes one by one, assignments, imports,
other statements. Of several definitions of one name the last counts, as it does when the module is imported. Comments,
layout and the order of definitions do not count, nor does white space in docstrings.

Sentences such as "Defined in :numref:`sec_x`" are left out unless asked for, but counted: d2lbook skipped the cell
right before a definition when it looked for a heading, so that its modules often name the one above. The exit code is 1
if anything differs.
"""

import argparse
import ast
import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from d2lbuild.config import load_config
from d2lbuild.errors import D2lbuildError
from d2lbuild.extraction import libraries
from d2lbuild.model import Label
from d2lbuild.pipeline import select_frameworks
from d2lbuild.source.book import load_book

_PROVENANCE = re.compile(r"Defined in :numref:`+([^`]*)`+\.?")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a module says last about one name."""

    code: str
    """Python without comments and without the docstring."""
    docstring: str
    """White space folded, without the sentence on where it is defined."""
    labels: tuple[str, ...]
    """What that sentence names."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A name about which two modules disagree."""

    name: str
    kind: str
    text: str = ""
    """A diff from the book's module to the generated one."""


def definitions(source: str) -> dict[str, Definition]:
    """Return the definitions of a module by name, the members of classes as ``Class.member``."""
    found: dict[str, Definition] = {}
    for node in ast.parse(source).body:
        for name, one in _named(node):
            for member in [other for other in found if other.startswith(f"{name}.")]:
                del found[member]  # those of an earlier class of this name
            found[name] = one
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                found |= {f"{node.name}.{name}": one for name, one in _named(inner)}
    return found


def _named(node: ast.stmt) -> Iterator[tuple[str, Definition]]:
    """Yield the names that a statement defines; one that defines none goes by its own text."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            clause = ast.unparse(alias)
            module = f"from {'.' * node.level}{node.module or ''} " if isinstance(node, ast.ImportFrom) else ""
            yield f"import of {alias.asname or alias.name}", Definition(f"{module}import {clause}", "", ())
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        docstring, body, labels = _split(node.body)
        yield node.name, Definition(_text(node, body), docstring, labels)
    elif isinstance(node, ast.ClassDef):
        docstring, _, labels = _split(node.body)
        yield node.name, Definition(_text(node, []), docstring, labels)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield ast.unparse(target), Definition(ast.unparse(node), "", ())
    elif not _is_string(node):
        yield ast.unparse(node), Definition(ast.unparse(node), "", ())


def _split(body: Sequence[ast.stmt]) -> tuple[str, list[ast.stmt], tuple[str, ...]]:
    """Return the docstring, what follows it and other strings, and the labels that any of them names."""
    strings = []
    rest = list(body)
    while rest and _is_string(rest[0]):
        strings.append(ast.literal_eval(rest.pop(0).value))  # type: ignore[attr-defined]
    text = " ".join(_PROVENANCE.sub(" ", strings[0] if strings else "").split())
    return text, rest, tuple(dict.fromkeys(label for one in strings for label in _PROVENANCE.findall(one)))


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _text(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, body: list[ast.stmt]) -> str:
    copy = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(copy, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    copy.body = body or [ast.Pass()]
    return ast.unparse(copy)


def compare(book: Mapping[str, Definition], made: Mapping[str, Definition], *, provenance: bool) -> list[Difference]:
    """Return what differs between the book's own module and the generated one."""
    found = []
    for name in dict.fromkeys([*book, *made]):
        there, here = book.get(name), made.get(name)
        if here is None:
            found.append(Difference(name, "only in the book's module"))
        elif there is None:
            found.append(Difference(name, "only in the generated module"))
        elif there.code != here.code:
            found.append(Difference(name, "differs", _diff(there.code, here.code)))
        elif there.docstring != here.docstring:
            found.append(Difference(name, "has another docstring", _diff(there.docstring, here.docstring)))
        elif provenance and there.labels != here.labels:
            found.append(Difference(name, f"names {', '.join(here.labels)}, not {', '.join(there.labels)}"))
    return found


def _diff(there: str, here: str) -> str:
    lines = difflib.unified_diff(there.splitlines(), here.splitlines(), "book", "generated", lineterm="", n=2)
    return "\n".join(list(lines)[2:])


def provenance(
    book: Mapping[str, Definition], made: Mapping[str, Definition], labels: Mapping[str, Label]
) -> tuple[int, int, int]:
    """Count the definitions that say where they stand in both modules, those that disagree, and the latter's cause.

    The cause is that the book's module names an earlier heading of the same page than the generated one.
    """
    both = [(book[name].labels, made[name].labels) for name in book.keys() & made.keys()]
    both = [(there, here) for there, here in both if there and here]
    other = [(there, here) for there, here in both if there != here]
    return len(both), len(other), sum(_earlier(labels.get(there[0]), labels.get(here[0])) for there, here in other)


def _earlier(there: Label | None, here: Label | None) -> bool:
    return bool(there and here and there.span.path == here.span.path and there.span.first < here.span.first)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the modules of a book, print what differs, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("book", type=Path, metavar="BOOK", help="the book's folder")
    parser.add_argument("--framework", default="all", metavar="NAME,…", help="only these frameworks")
    parser.add_argument(
        "--ignore-provenance",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="leave out the sentences that say where something is defined",
    )
    options = parser.parse_args(argv)
    try:
        config = load_config(options.book)
        names = select_frameworks(config, options.framework.replace(",", " ").split())
        made, labels = libraries(config, names), load_book(config).labels
    except D2lbuildError as error:
        print(f"error: {error.message}", *error.findings, sep="\n", file=sys.stderr)
        return error.exit_code
    code = 0
    for name in names:
        module = config.framework(name).module
        path = config.root / (config.framework(name).library_file or f"{config.library.package}/{module}.py")
        shown = path.relative_to(config.root)
        if not path.is_file():
            print(f"{name}: the book has no {shown} to compare with")
            code = 1
            continue
        there, here = definitions(path.read_text(encoding="utf-8")), definitions(made[name].source)
        differences = compare(there, here, provenance=not options.ignore_provenance)
        print(f"{name}: {shown}: {len(there)} definitions, {len(differences)} differences")
        for one in differences:
            print(f"  {one.name}: {one.kind}")
            if one.text:
                print(indent(one.text, "      "))
        both, other, earlier = provenance(there, here, labels)
        print(f"  {both} say where they are defined: {other} otherwise, {earlier} of them by an earlier heading")
        code = 1 if differences else code
    return code


if __name__ == "__main__":
    sys.exit(main())
