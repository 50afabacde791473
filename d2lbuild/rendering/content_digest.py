"""Digests of values: the same for equal values, in any process, whatever the order of a set or the hash of a string.

They decide what a build makes again, so what they cannot describe gets a description that never repeats.
"""

import ast
import dataclasses
import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from uuid import uuid4

from docutils import nodes

__all__ = ["digest", "digest_of_file", "digest_of_folder", "digest_of_tools"]

_PLAIN = (str, int, float, complex, bool, bytes, type(None), type(Ellipsis))
_PLAIN_KINDS = frozenset(_PLAIN)
_TOOLS = (
    *("sphinx", "docutils", "myst-nb", "myst-parser", "markdown-it-py", "mdit-py-plugins", "nbformat", "pygments"),
    *("sphinx-copybutton", "sphinxcontrib-bibtex", "pybtex", "pybtex-docutils", "latexcodec"),
    *("furo", "sphinx-basic-ng", "accessible-pygments", "jinja2", "beautifulsoup4", "pystemmer", "snowballstemmer"),
    *("nh3", "segno", "tinycss2"),
)


def digest(*values: object) -> str:
    """Return a digest of values: plain ones, collections of them, dataclasses, nodes of documents."""
    found = hashlib.sha256()
    for value in values:
        for piece in _described(value):
            found.update(piece.encode(errors="surrogatepass"))
            found.update(b"\0")
    return found.hexdigest()


def _described(value: object) -> Iterator[str]:
    """Yield pieces that tell a value from all others."""
    kind = type(value)
    if kind in _PLAIN:
        yield repr(value)
    elif isinstance(value, nodes.Element):
        yield value.pformat()
    elif isinstance(value, Mapping):
        yield "{"
        yield from sorted("\1".join(_described(item)) for item in value.items())
        yield "}"
    elif isinstance(value, AbstractSet):
        yield "<"
        yield from sorted("\1".join(_described(item)) for item in value)
        yield ">"
    elif isinstance(value, tuple | list) and {*map(type, value)} <= _PLAIN_KINDS:
        yield repr(list(value))
    elif isinstance(value, tuple | list):
        yield "("
        for item in value:
            yield from _described(item)
        yield ")"
    else:
        yield from _other(value)


def _other(value: object) -> Iterator[str]:
    yield type(value).__qualname__
    if isinstance(value, Enum):
        yield value.name
    elif isinstance(value, PurePath | str | int):
        yield str(value)
    elif isinstance(value, ast.AST):
        yield ast.dump(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for name in _fields(type(value)):
            yield from _described(getattr(value, name))
    elif inspect.isfunction(value) or inspect.isclass(value):
        yield f"{value.__module__}.{value.__qualname__}"
    else:
        text = repr(value)
        # The address of an object says nothing about it.
        yield text if " at 0x" not in text else uuid4().hex


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def digest_of_file(path: Path) -> str:
    """Return a digest of a file's content; empty if there is no such file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


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
    return digest(sys.version_info[:3], _of_files(code), theme, [(name, _version(name)) for name in _TOOLS])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
