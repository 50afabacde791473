"""The Sphinx extension that makes pages of our notebooks: tabs, references, the library's reference, run records."""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx
from sphinx.ext.mathjax import html_visit_displaymath
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from d2lbuild.rendering import book_language, parts
from d2lbuild.rendering.absent_figures import AbsentFigure
from d2lbuild.rendering.api import index as api_index
from d2lbuild.rendering.api import objects as api_objects
from d2lbuild.rendering.api.directives import DIRECTIVES
from d2lbuild.rendering.api.reference import AutoClass, AutoFunction
from d2lbuild.rendering.outputs import on_pages
from d2lbuild.rendering.references import citations, numbered_references, title_references
from d2lbuild.rendering.references.code_links import LinkLibraryNames, use_linking_formatter
from d2lbuild.rendering.sources import foreign_files, nested_pieces, raw_html
from d2lbuild.rendering.website import accessible_pages, framework_tabs, furniture, page_ends, theme_labels
from d2lbuild.rendering.website.navigation import Navigation

__all__ = ["setup"]

_DISPLAYS = tuple(
    rf"\begin{{{name}{star}}}"
    for name in ("align", "alignat", "equation", "eqnarray", "flalign", "gather", "multline")
    for star in ("", "*")
)
"""Environments that are displays by themselves, so that nothing may be put around their lines."""


class RunNotice(Directive):
    """``{d2l-run-notice}``: that code did not run, or not to its end. The text is no markup."""

    has_content = True
    option_spec: ClassVar = {"place": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Make a block that stands above the code."""
        text = "\n".join(self.content).strip()
        notice = nodes.container("", nodes.paragraph(text, text), classes=["d2l-run-notice"])
        notice[nested_pieces.PLACE] = self.options.get("place", "")
        return [notice]


def _visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a display; Sphinx would put a `split` around the lines of an `align`, which MathJax refuses."""
    if not node.astext().lstrip().startswith(_DISPLAYS):
        html_visit_displaymath(self, node)
        return
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    before, after = self.builder.config.mathjax_display
    lines = [line for line in node.astext().splitlines() if line.strip()]
    self.body.append(before + self.encode("\n".join(lines)) + after + "</div>\n")
    raise nodes.SkipNode


class SingleIds(SphinxPostTransform):
    """Takes the ids off the wrappers that the theme puts around tables and formulas: the inner nodes have them too."""

    default_priority = 501
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Look through the wrappers of a page."""
        for node in self.document.findall(nodes.container):
            if {"table-wrapper", "math-wrapper"} & set(node["classes"]):
                node["ids"] = []


def _set_up_builder(app: Sphinx) -> None:
    app.registry.html_block_math_renderers["mathjax"] = (_visit_display, None)
    use_linking_formatter(app)
    environment: Any = app.env
    # MyST-NB would put the images of outputs beside the site's folder.
    outputs = Path(app.doctreedir).parent / "outputs"
    # Directives such as `include` would read any file of this machine into a page.
    environment.settings["file_insertion_enabled"] = False
    # Other Markdown beside the notebooks is what pages link to, although MyST-NB would make pages of it.
    app.project.source_suffix = (".ipynb",)
    environment.mystnb_config = environment.mystnb_config.copy(output_folder=str(outputs))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    book_language.connect(app)
    app.add_config_value("d2lbuild_package", "d2l", "env", types=frozenset({str}))
    app.add_config_value("d2lbuild_modules", {}, "env", types=frozenset({dict}))
    app.add_config_value("d2lbuild_root", "", "", types=frozenset({str}))
    app.add_config_value("d2lbuild_sources", {}, "", types=frozenset({dict}))
    app.add_directive("d2l-absent-figure", AbsentFigure)
    app.add_directive("d2l-run-notice", RunNotice)
    app.add_directive("autoclass", AutoClass)
    app.add_directive("autofunction", AutoFunction)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    numbered_references.connect(app)
    title_references.connect(app)
    citations.connect(app)
    nested_pieces.connect(app)
    parts.connect(app)
    framework_tabs.connect(app)
    app.add_post_transform(LinkLibraryNames)
    app.add_post_transform(SingleIds)
    api_objects.connect(app)
    api_index.connect(app)
    on_pages.connect(app)
    page_ends.connect(app)
    furniture.connect(app)
    theme_labels.connect(app)
    foreign_files.connect(app)
    raw_html.connect(app)
    accessible_pages.connect(app)
    Navigation().connect(app)
    app.connect("builder-inited", _set_up_builder, priority=900)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
