"""Docutils: searching documents, which some sixty transforms do on each page.

Most look for a kind of node that few pages have. So it is noted which kinds of nodes have been made, or read from a
file, since work on a page began; a document made since cannot hold any other, and is not looked through for them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from docutils import nodes
from sphinx.util.nodes import NodeMatcher

from d2lbuild.rendering.sphinx_speed.override import Override

__all__ = ["note_kind", "one_page", "overrides"]

_DOCUTILS = ("docutils", "0.22")
_kinds: set[type] = set()
"""Of nodes that have been made: what a document may hold."""


def overrides() -> list[Override]:
    """Return what makes searches faster."""
    return [
        Override(*_DOCUTILS, "docutils.nodes", "Element.__init__", _noting),
        # Generators in generators, one for each level of a document, make each search slow.
        Override(*_DOCUTILS, "docutils.nodes", "Node._fast_findall", lambda _: _find_kind),
        Override(*_DOCUTILS, "docutils.nodes", "Node._superfast_findall", lambda _: _find_all),
        Override(*_DOCUTILS, "docutils.nodes", "Node.findall", _findall),
    ]


@contextmanager
def one_page() -> Iterator[None]:
    """Forget afterwards which kinds of nodes were made inside of this: no other page has these nodes."""
    before = frozenset(_kinds)
    try:
        yield
    finally:
        _kinds.intersection_update(before)


def note_kind(kind: object) -> None:
    """Say that nodes of this kind may come from a file."""
    if isinstance(kind, type) and issubclass(kind, nodes.Element):
        _kinds.add(kind)


def _noting(original: Any) -> Any:
    _kinds.clear()  # what was made since the last site is not known

    def __init__(self: nodes.Element, *arguments: Any, **attributes: Any) -> None:  # noqa: N807 - stands for it
        _kinds.add(type(self))
        original(self, *arguments, **attributes)

    return __init__


def _is_absent(cls: type, root: nodes.Node) -> bool:
    """Whether a document cannot hold this kind. Of a root that was made before anything was noted, nothing is known."""
    return (
        isinstance(root, nodes.document)
        and type(root) in _kinds
        and not issubclass(nodes.Text, cls)
        and not any(issubclass(kind, cls) for kind in _kinds)
    )


def _find_kind(self: nodes.Node, cls: type) -> Iterator[nodes.Node]:
    if isinstance(self, cls):
        yield self
    if not self.children or _is_absent(cls, self):
        return
    levels = [iter(self.children)]
    while levels:
        for child in levels[-1]:
            if isinstance(child, cls):
                yield child
            if child.children:
                levels.append(iter(child.children))
                break
        else:
            levels.pop()


def _find_all(self: nodes.Node) -> Iterator[nodes.Node]:
    yield self
    if not self.children:
        return
    levels = [iter(self.children)]
    while levels:
        for child in levels[-1]:
            yield child
            if child.children:
                levels.append(iter(child.children))
                break
        else:
            levels.pop()


def _find_where(self: nodes.Node, condition: Callable[[nodes.Node], bool]) -> Iterator[nodes.Node]:
    return (node for node in _find_all(self) if condition(node))


def _findall(original: Any) -> Any:
    def findall(  # noqa: PLR0917 - these are the original's
        self: Any,
        condition: Any = None,
        include_self: bool = True,
        descend: bool = True,
        siblings: bool = False,
        ascend: bool = False,
    ) -> Iterator[nodes.Node]:
        if not include_self or not descend or siblings or ascend:
            found: Iterator[nodes.Node] = original(self, condition, include_self, descend, siblings, ascend)
        elif condition is None:
            found = self._superfast_findall()
        elif isinstance(condition, type):
            found = self._fast_findall(condition)
        elif type(condition) is NodeMatcher and len(condition.classes) == 1:
            found = filter(condition, self._fast_findall(condition.classes[0]))
        else:
            found = _find_where(self, condition)
        return found

    return findall
