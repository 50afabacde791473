"""Digests of values: the same for equal values, in any process, whatever the order of a set or the hash of a string.

They decide what a build makes again, so what they cannot describe gets a description that never repeats.
"""

import ast
import dataclasses
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import cache
from operator import attrgetter
from pathlib import Path, PurePath
from typing import Any
from uuid import uuid4

from d2lbuild.equipment import installed_version
from d2lbuild.rendering.kept_digests import digest_of_file

__all__ = ["digest", "digest_of_folder", "digest_of_tools"]

_PLAIN_KINDS = frozenset({str, int, float, complex, bool, bytes, type(None), type(Ellipsis)})
_TOOLS = (
    *("sphinx", "docutils", "myst-nb", "myst-parser", "markdown-it-py", "mdit-py-plugins", "nbformat", "pygments"),
    *("sphinx-copybutton", "sphinxcontrib-bibtex", "pybtex", "pybtex-docutils", "latexcodec"),
    *("furo", "sphinx-basic-ng", "accessible-pygments", "jinja2", "beautifulsoup4", "pystemmer", "snowballstemmer"),
    *("nh3", "segno", "tinycss2", "math-core"),
)


def digest(*values: object) -> str:
    """Return a digest of values: plain ones, collections of them, dataclasses, nodes of documents."""
    return hashlib.sha256("\0".join(_described(values)).encode(errors="surrogatepass")).hexdigest()


def _described(value: object) -> list[str]:
    pieces: list[str] = []
    _describe(value, pieces)
    return pieces


def _describe(value: object, pieces: list[str]) -> None:
    """Add pieces that tell a value from all others; a book has some hundred thousand values."""
    kind: Any = type(value)
    if kind in _PLAIN_KINDS:
        pieces.append(repr(value))
    elif kind is tuple or kind is list:
        _describe_items(value, pieces)  # type: ignore[arg-type]
    elif (fields := _fields(kind)) is not None:
        pieces.append(kind.__qualname__)
        _describe_items(fields(value), pieces)
    elif _is_node(value):
        pieces.append(value.pformat())  # type: ignore[attr-defined]
    elif isinstance(value, Mapping):
        pieces += ["{", *sorted("\1".join(_described(item)) for item in value.items()), "}"]
    elif isinstance(value, AbstractSet):
        pieces += ["<", *sorted("\1".join(_described(item)) for item in value), ">"]
    elif isinstance(value, tuple | list):
        _describe_items(value, pieces)
    else:
        pieces += [kind.__qualname__, _in_words(value)]


def _is_node(value: object) -> bool:
    nodes = sys.modules.get("docutils.nodes")  # notebooks are made without it
    return nodes is not None and isinstance(value, nodes.Element)


def _describe_items(values: Sequence[object], pieces: list[str]) -> None:
    if {*map(type, values)} <= _PLAIN_KINDS:
        pieces.append(repr([*values]))
        return
    pieces.append("(")
    for value in values:
        _describe(value, pieces)
    pieces.append(")")


def _in_words(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, PurePath | str | int):
        return str(value)
    if isinstance(value, ast.AST):
        return ast.dump(value)
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}"
    text = repr(value)
    # The address of an object says nothing about it.
    return text if " at 0x" not in text else uuid4().hex


@cache
def _fields(kind: type) -> Callable[[object], tuple[object, ...]] | None:
    """Return what takes the values out of a dataclass of this kind; None if it is something else."""
    if not dataclasses.is_dataclass(kind):
        return None
    names = tuple(field.name for field in dataclasses.fields(kind))
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def digest_of_folder(folder: Path) -> str:
    """Return a digest of the names and contents of all files below a folder."""
    return _of_files((str(path.relative_to(folder)), path) for path in sorted(folder.rglob("*")) if path.is_file())


def _of_files(files: Iterable[tuple[str, Path]]) -> str:
    return digest([(name, digest_of_file(path)) for name, path in files])


@cache
def digest_of_tools() -> str:
    """Return a digest of the programs that make pages: this one's code, and the versions of the packages it uses."""
    package = Path(__file__).parents[1]
    files = sorted(path for ending in ("py", "toml") for path in package.rglob(f"*.{ending}"))
    code = ((str(path.relative_to(package)), path) for path in files)
    theme = digest_of_folder(Path(__file__).parent / "theme" / "templates")
    return digest(sys.version_info[:3], _of_files(code), theme, [(name, installed_version(name)) for name in _TOOLS])
