"""What docutils' HTML says wrongly to those who hear a page instead of seeing it."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

__all__ = ["connect"]


def _visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Write an entry of the bibliography as what a list holds; the role that docutils gives it is withdrawn."""
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def _depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.depart_citation(self, node)


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(nodes.citation, override=True, html=(_visit_citation, _depart_citation))
