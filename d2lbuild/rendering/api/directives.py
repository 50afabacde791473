"""The directives that the generated pages of the API reference are written with.

Entries look like those of Sphinx's Python domain, and are made known to it in `api_objects`.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.domains.python import PyFunction, PyMethod, PyProperty, PyVariable
from sphinx.domains.python._object import PyObject
from sphinx.util.docutils import SphinxDirective

# Not exported by the domain's package, as the classes above are.
from sphinx.domains.python import PyClasslike  # isort: skip

from d2lbuild.rendering.locale import translated

__all__ = ["DIRECTIVES"]


class _Described(PyObject):
    """A description whose anchor is the full name, which `api_objects` knows without having read the page."""

    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {
        **(PyObject.option_spec or {}),
        "library": directives.unchanged_required,
    }
    kind = ""

    def run(self) -> list[nodes.Node]:
        """Describe it as the directive of the Python domain does."""
        self.name = f"py:{self.kind}"
        return super().run()

    def add_target_and_index(self, name_cls: tuple[str, str], sig: str, signode: addnodes.desc_signature) -> None:  # noqa: ARG002
        """Put the anchor; the book may describe the same name elsewhere."""
        signode["ids"].append(f"{self.options['library']}.{name_cls[0]}")
        self.state.document.note_explicit_target(signode)


class _Class(_Described, PyClasslike):
    kind = "class"
    option_spec: ClassVar = {**PyClasslike.option_spec, **_Described.option_spec}


class _Function(_Described, PyFunction):
    kind = "function"
    option_spec: ClassVar = {**PyFunction.option_spec, **_Described.option_spec}


class _Method(_Described, PyMethod):
    kind = "method"
    option_spec: ClassVar = {**PyMethod.option_spec, **_Described.option_spec}


class _Property(_Described, PyProperty):
    kind = "property"
    option_spec: ClassVar = {**PyProperty.option_spec, **_Described.option_spec}


class _Data(_Described, PyVariable):
    kind = "data"
    option_spec: ClassVar = {**PyVariable.option_spec, **_Described.option_spec}


class _Names(SphinxDirective):
    """``{d2l-names} Classes``: links to entries of this page; the content has a name and an anchor on each line."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Make a compact list."""
        title = nodes.paragraph(self.arguments[0], self.arguments[0], classes=["d2l-names-title"])
        items = nodes.bullet_list(classes=["d2l-names"])
        for line in self.content:
            name, _, anchor = line.partition(" ")
            link = nodes.reference("", "", nodes.literal(name, name), internal=True, refuri=f"#{anchor}")
            items += nodes.list_item("", nodes.paragraph("", "", link))
        return [nodes.container("", title, items, classes=["d2l-names-group"])]


class _Listing(SphinxDirective):
    """``{d2l-listing}``: source code that a reader can open."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Fold the code."""
        code = "\n".join(self.content)
        block = nodes.literal_block(code, code, language="python", classes=["d2l-listing"])
        words = translated(self.config.language, "Source")
        before = nodes.raw("", f'<details class="d2l-source"><summary>{words}</summary>', format="html")
        return [before, block, nodes.raw("", "</details>", format="html")]


DIRECTIVES: dict[str, type[SphinxDirective]] = {
    "d2l-class": _Class,
    "d2l-function": _Function,
    "d2l-method": _Method,
    "d2l-property": _Property,
    "d2l-data": _Data,
    "d2l-names": _Names,
    "d2l-listing": _Listing,
}
