"""Docutils: walking through documents, settings."""

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from typing import Any

from docutils import nodes
from docutils.utils import DependencyList

from d2lbuild.rendering.sphinx_speed.override import Override

__all__ = ["overrides"]

_DOCUTILS = ("docutils", "0.22")
_MYST = ("myst-parser", "5")


def overrides() -> list[Override]:
    """Return what makes work on documents faster."""
    return [
        # These write a debugging message for each node and each visit, which nobody sees.
        Override(*_DOCUTILS, "docutils.nodes", "Node.walkabout", lambda _: _walkabout),
        Override(*_DOCUTILS, "docutils.nodes", "NodeVisitor.dispatch_visit", lambda _: _dispatch_visit),
        Override(*_DOCUTILS, "docutils.nodes", "NodeVisitor.dispatch_departure", lambda _: _dispatch_departure),
        Override("Sphinx", "9.0", "sphinx.util.docutils", "SphinxTranslator.dispatch_visit", _visits("visit")),
        Override("Sphinx", "9.0", "sphinx.util.docutils", "SphinxTranslator.dispatch_departure", _visits("depart")),
        # The options of all components are collected and parsed three times a page.
        Override(*_MYST, "myst_parser.mdit_to_docutils.base", "get_default_settings", _remembered_settings),
        Override("Sphinx", "9.0", "sphinx.util.docutils", "_get_settings", _settings_with_defaults),
        # Hardly any text has a character that was escaped.
        Override(*_DOCUTILS, "docutils.nodes", "unescape", _unescape_some),
    ]


# --- walking ---


def _walkabout(self: nodes.Node, visitor: nodes.NodeVisitor) -> bool:
    call_depart = True
    stop = False
    try:
        try:
            visitor.dispatch_visit(self)
        except nodes.SkipNode:
            return stop
        except nodes.SkipDeparture:
            call_depart = False
        try:
            for child in self.children[:]:
                if child.walkabout(visitor):
                    stop = True
                    break
        except nodes.SkipSiblings:
            pass
    except nodes.SkipChildren:
        pass
    except nodes.StopTraversal:
        stop = True
    if call_depart:
        visitor.dispatch_departure(self)
    return stop


def _dispatch_visit(self: nodes.NodeVisitor, node: nodes.Node) -> Any:
    return getattr(self, f"visit_{node.__class__.__name__}", self.unknown_visit)(node)


def _dispatch_departure(self: nodes.NodeVisitor, node: nodes.Node) -> Any:
    return getattr(self, f"depart_{node.__class__.__name__}", self.unknown_departure)(node)


def _visits(verb: str) -> Callable[[Any], Any]:
    """Look for a method through the classes of a node once for each class, not for each node."""

    def make(original: Any) -> Any:
        known: dict[tuple[type, type], str] = {}

        def dispatch(self: Any, node: nodes.Node) -> None:
            kind = (type(self), type(node))
            name = known.get(kind)
            method = getattr(self, name, None) if name else None
            if method is None:
                names = (f"{verb}_{one.__name__}" for one in type(node).__mro__)
                name = next((one for one in names if getattr(self, one, None)), "")
                if not name:
                    original(self, node)
                    return
                known[kind] = name
                method = getattr(self, name)
            method(node)

        return dispatch

    return make


# --- settings ---


def _remembered_settings(original: Any) -> Any:
    known: dict[tuple[Any, ...], Any] = {}

    def get_default_settings(*components: Any) -> Any:
        if components not in known:
            known[components] = original(*components)
        return deepcopy(known[components])

    return get_default_settings


def _settings_with_defaults(original: Any) -> Any:
    known: dict[tuple[Any, ...], tuple[Mapping[str, Any], Any]] = {}

    def _get_settings(*components: Any, defaults: Mapping[str, Any], read_config_files: bool = False) -> Any:
        kinds = (*(one if isinstance(one, type) else type(one) for one in components), read_config_files)
        if kinds not in known or known[kinds][0] != defaults:
            found = original(*components, defaults=defaults, read_config_files=read_config_files)
            known[kinds] = dict(defaults), found
        settings = copy(known[kinds][1])
        for name, value in vars(settings).items():
            if isinstance(value, list | dict):
                setattr(settings, name, copy(value))
        settings.record_dependencies = DependencyList()
        return settings

    return _get_settings


# --- text ---


def _unescape_some(original: Any) -> Any:
    def unescape(text: str, restore_backslashes: bool = False, respect_whitespace: bool = False) -> str:
        if "\0" not in text:
            return text
        restored: str = original(text, restore_backslashes, respect_whitespace)
        return restored

    return unescape
