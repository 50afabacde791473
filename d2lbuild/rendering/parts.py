"""Parts of the book: the tables of contents of the first page that have a caption.

Chapters are counted through the book, from one part to the next. Sphinx begins again with 1 at each numbered table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

__all__ = ["Part", "connect", "parts_of_book"]


@dataclass(frozen=True, slots=True)
class Part:
    """Pages that follow each other."""

    title: str
    """Empty where the table has no caption: such pages belong to no part."""
    pages: Sequence[str]
    """Those that the table itself lists; never empty."""
    numbered: bool


def parts_of_book(env: BuildEnvironment) -> list[Part]:
    """Return what the tables of contents of the first page list, table by table."""
    contents = env.tocs.get(env.config.root_doc)
    found = []
    for table in contents.findall(addnodes.toctree) if contents is not None else ():
        pages = [page for _, page in table["entries"] if page in env.found_docs]
        if pages:
            found.append(Part(table.get("caption") or "", pages, bool(table.get("numbered"))))
    return found


def _counted_on(tree: nodes.document) -> nodes.document:
    """Let one table, the last, number what all numbered tables of a page list."""
    tables = [table for table in tree.findall(addnodes.toctree) if table.get("numbered")]
    if len(tables) > 1:
        whole: Any = tables[0].copy()
        whole["entries"] = [entry for table in tables for entry in table["entries"]]
        for table in tables:
            table["numbered"] = 0
        tree.append(whole)
    return tree


class _Counting:
    """Gives Sphinx other trees while it assigns numbers; what readers see is made of the true ones."""

    def begin(self, _app: Sphinx, env: Any) -> list[str]:
        self._before = vars(env).get("get_doctree")
        load = env.get_doctree
        env.get_doctree = lambda name: _counted_on(load(name))
        return []

    def end(self, _app: Sphinx, env: Any) -> list[str]:
        if self._before is None:
            del env.get_doctree
        else:
            env.get_doctree = self._before
        return []


def connect(app: Sphinx) -> None:
    """Register with Sphinx, before and after it numbers the sections."""
    counting = _Counting()
    app.connect("env-get-updated", counting.begin, priority=400)
    app.connect("env-get-updated", counting.end, priority=510)
