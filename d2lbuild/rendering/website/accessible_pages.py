"""What the HTML of docutils and Sphinx says wrongly to those who hear a page instead of seeing it."""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

__all__ = ["connect"]


def _visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Write an entry of the bibliography as what a list holds; the role that docutils gives it is withdrawn."""
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def _depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.depart_citation(self, node)


def _visit_title(self: HTML5Translator, node: nodes.title) -> None:
    """Write a title; that of a table of contents is a heading, which must say of what level."""
    begin = len(self.body)
    HTML5Translator.visit_title(self, node)
    if isinstance(node.parent, addnodes.compact_paragraph):
        self.body[begin] = self.body[begin].replace('role="heading"', 'role="heading" aria-level="2"')


def _depart_title(self: HTML5Translator, node: nodes.title) -> None:
    HTML5Translator.depart_title(self, node)


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(nodes.citation, override=True, html=(_visit_citation, _depart_citation))
    app.add_node(nodes.title, override=True, html=(_visit_title, _depart_title))
