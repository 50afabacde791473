"""What Sphinx does for the EPUB alone: formulas as MathML, one framework without tabs, places of saved names."""

import re
from html import escape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from d2lbuild.rendering import still_pages
from d2lbuild.rendering.epub.formulas import Formulas, NotConvertedError
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.reader_texts import reader_texts
from d2lbuild.rendering.references.citations import Citation
from d2lbuild.rendering.sources.raw_html import BookHtml
from d2lbuild.rendering.website.framework_tabs import FrameworkPanel, FrameworkSet, cell_metadata
from d2lbuild.rendering.website.page_ends import Discussions

__all__ = ["EpubTranslator", "connect", "saved_anchor"]

logger = logging.getLogger(__name__)

_ELSEWHERE = re.compile(
    r"<(?:img|iframe|video|audio|source|object|embed)\b[^>]*?\s(?:src|data)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)",
    re.IGNORECASE,
)
"""What an element of HTML shows, if that lies on another site."""


def saved_anchor(name: str) -> str:
    """Return what the place is called where a name of the library is saved."""
    return f"saved-{name}"


class PlacesOfNames(SphinxPostTransform):
    """Gives cells that save names the targets of the index."""

    default_priority = 140  # while cells are what they were read as
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the cells of a page."""
        known: set[str] = set()
        for cell in self.document.findall(nodes.container):
            for name in cell_metadata(cell).get("saves", {}).values():
                if name not in known:
                    known.add(name)
                    cell["ids"].append(saved_anchor(name))


class EpubTranslator(HTML5Translator):
    """Writes one page; whether there is HTML of another origin in it, `is_mixed` says."""

    is_mixed = False

    def visit_raw(self, node: nodes.raw) -> None:
        """Write HTML as it came: the page is made XHTML as a whole."""
        self.is_mixed = True
        for address in _ELSEWHERE.findall(node.astext()):
            logger.warning("%s lies elsewhere: it is left out", address, location=node, type="d2l", subtype="elsewhere")
        super().visit_raw(node)

    def visit_footnote_reference(self, node: nodes.Element) -> None:
        """Write the mark of a footnote, which readers of books show beside it."""
        before = len(self.body)
        super().visit_footnote_reference(node)
        self._say_kind(before, "noteref")

    def visit_footnote(self, node: nodes.footnote) -> None:
        """Begin a footnote."""
        before = len(self.body)
        super().visit_footnote(node)
        self._say_kind(before, "footnote")

    def _say_kind(self, before: int, kind: str) -> None:
        """Say what something is in the words of EPUB too, beside its role."""
        role = f'role="doc-{kind}"'
        for at in range(before, len(self.body)):
            self.body[at] = self.body[at].replace(role, f'{role} epub:type="{kind}"')


# --- formulas ---------------------------------------------------------------------------------------------------------


def _formulas(self: HTML5Translator) -> Formulas:
    builder: Any = self.builder
    found: Formulas = builder.formulas
    return found


def _mathml(self: HTML5Translator, node: nodes.math | nodes.math_block, *, display: bool) -> str:
    """Return a formula; one that is not understood is shown as it is written."""
    tex = node.astext()
    try:
        return _formulas(self).mathml(tex, display=display)
    except NotConvertedError as error:
        at: nodes.Node | None = node
        while at is not None and not at.line:
            at = at.parent
        place = (self.builder.current_docname, at.line if at is not None else None)
        logger.warning(
            "the formula `%s` cannot be written as MathML: %s; it is shown as it is written",
            " ".join(tex.split()),
            error,
            location=place,
            type="d2l",
            subtype="formula",
        )
        kind = "pre" if display else "code"
        return f'<{kind} class="d2l-tex">{escape(tex.strip() if display else " ".join(tex.split()))}</{kind}>'


def _visit_math(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_mathml(self, node, display=False))
    raise nodes.SkipNode


def _visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>\n')
    self.body.append(f"{_mathml(self, node, display=True)}\n</div>\n")
    raise nodes.SkipNode


# --- other nodes ------------------------------------------------------------------------------------------------------


def _nothing(self: HTML5Translator, node: nodes.Element) -> None:
    """Write what stands in a node, and nothing around it."""


def _skip(_self: HTML5Translator, _node: nodes.Element) -> None:
    raise nodes.SkipNode


_HIDDEN = {(True, True): "Code and output", (False, True): "Output", (True, False): "Code", (False, False): "Code"}
"""What opens hidden parts of a cell: whether there is code, and whether output."""


def _visit_hidden(self: HTML5Translator, node: HideCodeCellNode) -> None:
    inside = {part.get("nb_element") for part in node}
    code, output = "cell_code_source" in inside, "cell_code_output" in inside
    words = translated(self.config.language, _HIDDEN[code, output])
    self.body.append(f'<details class="d2l-hidden"><summary>{escape(words)}</summary>\n')


def _depart_hidden(self: HTML5Translator, node: HideCodeCellNode) -> None:  # noqa: ARG001
    self.body.append("</details>\n")


def _visit_citation(self: HTML5Translator, node: Citation) -> None:
    attributes = {"href": node["refuri"], "role": "doc-biblioref", "epub:type": "biblioref"}
    self.body.append(self.starttag(node, "a", "", CLASS="d2l-citation", **attributes))


def _depart_link(self: HTML5Translator, node: nodes.Element) -> None:  # noqa: ARG001
    self.body.append("</a>")


def _visit_discussions(self: HTML5Translator, node: Discussions) -> None:
    words = escape(reader_texts(self.config.language)["discuss"])
    for address, _ in node["threads"]:
        self.body.append(f'<p class="d2l-discussion"><a href="{escape(address)}">{words}</a></p>\n')
    raise nodes.SkipNode


def connect(app: Sphinx) -> None:
    """Register with Sphinx, in place of what the website has."""
    still_pages.connect(app)
    app.add_post_transform(PlacesOfNames)
    app.add_html_math_renderer("mathml", (_visit_math, None), (_visit_math_block, None))
    app.add_node(FrameworkSet, override=True, html=(_nothing, _nothing))
    app.add_node(FrameworkPanel, override=True, html=(_nothing, _nothing))
    app.add_node(HideCodeCellNode, override=True, html=(_visit_hidden, _depart_hidden))
    app.add_node(Citation, override=True, html=(_visit_citation, _depart_link))
    app.add_node(Discussions, override=True, html=(_visit_discussions, None))
    app.add_node(BookHtml, override=True, html=(_skip, None))
