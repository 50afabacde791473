"""What Sphinx does for outputs: formulas in their HTML, names for pictures, and what opens what is hidden."""

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.website.framework_tabs import cell_metadata

__all__ = ["connect"]

_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="math[^"]*">\s*(?:\\\((?P<inline>[^<]*)\\\)|\\\[(?P<display>[^<]*)\\\])\s*</(?P=tag)>'
)
_CODE = "cell_code_source"
_OUTPUT = "cell_code_output"
_OPENED = {
    "both": ("Show code and output", "Hide code and output"),
    _OUTPUT: ("Show output", "Hide output"),
    _CODE: ("Show code", "Hide code"),
}
"""What opens and closes hidden parts of a cell."""


class TakeOutFormulas(SphinxTransform):
    """Makes nodes of the formulas in the HTML of outputs, so that Sphinx knows of them and the page loads MathJax."""

    default_priority = 800  # before the domain of formulas looks at the page

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Look through the HTML of a page."""
        for node in list(self.document.findall(nodes.raw)):
            html = node.astext()
            if 'class="math' in html and "text_html" in node["classes"]:
                node.parent.replace(node, list(_parts(html)))


def _parts(html: str) -> Iterator[nodes.Node]:
    place = 0
    for found in _FORMULA.finditer(html):
        yield _raw(html[place : found.start()])
        place = found.end()
        if found["inline"] is not None:
            yield nodes.math(text=unescape(found["inline"]).strip())
        else:
            yield nodes.math_block(text=unescape(found["display"]).strip(), nowrap=False, number=None)
    yield _raw(html[place:])


class NamePictures(SphinxPostTransform):
    """Says of the pictures of outputs what they are, and folds those that are not to be seen at once."""

    default_priority = 10
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the cells of a page."""
        for cell in self.document.findall(nodes.container):
            pictures = cell_metadata(cell).get("pictures", ())
            shown = [image for image in cell.findall(nodes.image) if pictures]
            for image, picture in zip(shown, pictures, strict=False):
                image["alt"] = picture["name"]
                image["classes"].append("d2l-picture")
                if folded := picture.get("folded"):
                    image["loading"] = "lazy"
                    before = f'<details class="d2l-folded"><summary>{folded}</summary>'
                    image.parent.replace(image, [_raw(before), image, _raw("</details>")])


def _raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def _open_hidden(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Begin what a reader can open, with words that say what it is."""
    inside = [part.get("nb_element") for part in node]
    what = "both" if {_CODE, _OUTPUT} <= {*inside} else _OUTPUT if _OUTPUT in inside else _CODE
    show, hide = (escape(translated(self.config.language, words)) for words in _OPENED[what])
    self.body.append(
        f'<details class="d2l-hidden"><summary><span class="d2l-show">{show}</span>'
        f'<span class="d2l-hide">{hide}</span></summary>\n'
    )


def _close_hidden(self: HTML5Translator, _node: HideCodeCellNode) -> None:
    self.body.append("</details>\n")


def connect(app: Sphinx) -> None:
    """Register all of it."""
    app.add_transform(TakeOutFormulas)
    app.add_post_transform(NamePictures)
    app.add_node(HideCodeCellNode, override=True, html=(_open_hidden, _close_hidden))
