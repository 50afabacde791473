"""What packages import and a build has no use for, from a database to the network: stand-ins take its place.

MyST-NB imports what runs notebooks, and it runs none of ours; Sphinx what asks servers; Beautiful Soup what finds by
style. Together they take as long to import as one page takes to build, several times over.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

from d2lbuild.rendering.sphinx_speed.override import Override, fits

__all__ = ["import_lightly", "overrides", "without_runners"]

_PACKAGE = "myst_nb.core.execute"
_RUNNERS = {"cache": "NotebookClientCache", "direct": "NotebookClientDirect", "inline": "NotebookClientInline"}


@contextmanager
def without_runners() -> Iterator[None]:
    """Let MyST-NB, if it is imported here for the first time, find empty classes in their place."""
    if _PACKAGE in sys.modules or not fits("myst-nb", "1.4"):
        yield
        return
    for module, runner in _RUNNERS.items():
        name = f"{_PACKAGE}.{module}"
        stand_in = ModuleType(name)
        setattr(stand_in, runner, type(runner, (), {}))
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for module in _RUNNERS:
            sys.modules.pop(f"{_PACKAGE}.{module}", None)


class _Later(ModuleType):
    """Stands for a module until somebody asks for something in it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or sys.modules.get(self.__name__) is self:
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


class _UnknownError(Exception):
    """Stands for an exception that nobody raises here."""

    def __init__(self, *arguments: Any, **_details: Any) -> None:
        super().__init__(*arguments)


class _LaterCall:
    """Stands for a function or class of a module until somebody calls it."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(import_module(self._module), self._name)(*arguments, **options)


# In this order: later modules import earlier ones.
_IMPORTED_LIGHTLY: dict[tuple[str, str, str], dict[str, tuple[str, ...]]] = {
    ("nbformat", "5", "nbformat"): {
        "jsonschema": ("Draft4Validator",),
        "jsonschema.exceptions": ("ErrorTree", "ValidationError"),
    },
    ("imagesize", "2", "imagesize"): {"urllib.error": ("HTTPError",), "urllib.request": ("Request", "urlopen")},
    ("beautifulsoup4", "4", "bs4"): {"soupsieve": (), "charset_normalizer": ()},
    ("Sphinx", "9.0", "sphinx.transforms.post_transforms.images"): {"sphinx.util.requests": ()},
    ("Sphinx", "9.0", "sphinx.transforms.post_transforms.code"): {"sphinx.ext.doctest": ()},
    ("myst-parser", "5", "myst_parser.mdit_to_docutils.sphinx_"): {
        "sphinx.util.requests": (),
        "sphinx.ext.intersphinx": ("InventoryAdapter",),
    },
    ("myst-parser", "5", "myst_parser.sphinx_ext.myst_refs"): {"sphinx.ext.intersphinx": ("InventoryAdapter",)},
    ("sphinxcontrib-bibtex", "2.7", "sphinxcontrib.bibtex.nodes"): {"sphinx.writers.latex": ("LaTeXTranslator",)},
    ("myst-nb", "1.4", "myst_nb.ext.glue"): {"IPython": (), "IPython.display": ("display",)},
}
"""Modules, and what they import and do not use, with the names that they take from it."""


def import_lightly() -> None:
    """Import some modules without what they have no use for here; what is imported already stays as it is."""
    for (distribution, versions, module), others in _IMPORTED_LIGHTLY.items():
        if fits(distribution, versions):
            with _standing_in(others):
                import_module(module)


@contextmanager
def _standing_in(modules: dict[str, tuple[str, ...]]) -> Iterator[None]:
    made = {name: _Later(name) for name in modules if name not in sys.modules}
    for name, module in made.items():
        for one in modules[name]:
            # Exceptions are the bases of others, so they have to be classes.
            setattr(module, one, _UnknownError if one.endswith("ValidationError") else _LaterCall(name, one))
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]


_OTHER_BUILDERS = frozenset(
    {f"sphinx.builders.{name}" for name in ("changes", "epub3", "dirhtml", "latex", "linkcheck", "manpage")}
    | {f"sphinx.builders.{name}" for name in ("singlehtml", "texinfo", "text", "xml")}
    | {f"sphinxcontrib.{name}" for name in ("applehelp", "devhelp", "htmlhelp", "serializinghtml", "qthelp")}
)


def overrides() -> list[Override]:
    """Return what makes Sphinx start faster: it loads the builder of ours alone."""

    def without_others(every: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in every if name not in _OTHER_BUILDERS)

    return [
        Override("Sphinx", "9.0", "sphinx.application", "builtin_extensions", without_others),
        # Each of them reads what all installed packages offer, again for each question.
        Override("Sphinx", "9.0", "sphinx.theming", "entry_points", lambda _: _entry_points),
        Override("pybtex", "0.26", "pybtex.plugin", "entry_points", lambda _: _entry_points),
        Override("sphinxcontrib-bibtex", "2.7", "sphinxcontrib.bibtex.plugin", "entry_points", lambda _: _entry_points),
    ]


_installed = cache(metadata.entry_points)


def _entry_points(**wanted: str) -> Any:
    return _installed().select(**wanted)
