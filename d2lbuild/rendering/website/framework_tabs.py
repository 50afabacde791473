"""Turns what only some frameworks see into sets of panels, one panel a framework, all of them switched together.

Pieces that stand next to each other share a set. This is done when a page is written, after numbers and references are
settled, so that a piece that stands in two panels is numbered once. What a set becomes in the browser is in
`theme/static/book/frameworks.js`: tabs as WAI-ARIA describes them; without scripts the panels stand below each other,
each under its framework's name.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.sources.nested_pieces import PLACE

__all__ = [
    "FrameworkPanel",
    "FrameworkSet",
    "FrameworksDirective",
    "GroupFrameworks",
    "HighlightLanguages",
    "MarkSavedCode",
    "cell_metadata",
    "connect",
    "frameworks_around",
]

_KEY = "d2l_frameworks"


class FrameworksDirective(Directive):
    """``{d2l-frameworks} pytorch jax``: prose that only these frameworks see.

    The option `place` says where it goes: see `nested_pieces`.
    """

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"place": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Parse the prose into a container that carries the frameworks' names."""
        piece = nodes.container(classes=["d2l-frameworks"])
        piece[_KEY] = self.arguments[0].split()
        piece[PLACE] = self.options.get("place", "")
        piece.source, piece.line = self.state_machine.get_source_and_line(self.lineno)
        self.state.nested_parse(self.content, self.content_offset, piece)
        return [piece]


class FrameworkSet(nodes.General, nodes.Element):
    """Panels of which a reader sees one. `missing` are the page's frameworks that have none, with what is said then."""


class FrameworkPanel(nodes.General, nodes.Element):
    """What the framework `framework`, called `title`, has."""


def cell_metadata(node: nodes.Node) -> dict[str, Any]:
    """Return what the notebook says of a code cell; empty for any other node."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return {}
    metadata: dict[str, dict[str, Any]] = node.get("cell_metadata") or {}
    return metadata.get("d2lbuild", {})


def _frameworks(node: nodes.Node) -> Sequence[str]:
    """Return the frameworks that see a node; empty if all do."""
    if isinstance(node, nodes.container) and _KEY in node:
        names: Sequence[str] = node[_KEY]
        return names
    metadata = cell_metadata(node)
    return [] if metadata.get("everywhere", True) else metadata["frameworks"]


def frameworks_around(node: nodes.Node) -> Sequence[str]:
    """Return the frameworks that see what a node stands in; empty if all do."""
    above: nodes.Node | None = node
    while above is not None:
        if isinstance(above, FrameworkPanel):
            return [above["framework"]]
        if found := _frameworks(above):
            return found
        above = above.parent
    return []


class HighlightLanguages(SphinxPostTransform):
    """Gives code in other languages than Python its own highlighter."""

    default_priority = 148

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the code of a page."""
        for cell in self.document.findall(nodes.container):
            if lexer := cell_metadata(cell).get("lexer"):
                for block in cell.findall(nodes.literal_block):
                    if block.parent.get("nb_element") == "cell_code_source":
                        block["language"] = lexer


class MarkSavedCode(SphinxPostTransform):
    """Puts a small badge on code that the library holds."""

    default_priority = 200  # when what readers open is folded: for that, a cell must begin with its code

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Add the badges of a page."""
        for cell in list(self.document.findall(nodes.container)):
            if cell_metadata(cell).get("saved"):
                words = translated(self.config.language, "saved in {package}")
                text = words.format(package=self.config.d2lbuild_package)
                badge = nodes.container(classes=["d2l-saved"])
                badge += nodes.inline(text, text)
                cell["classes"].append("d2l-has-badge")
                cell.insert(0, badge)


class GroupFrameworks(SphinxPostTransform):
    """Groups adjacent pieces of single frameworks into sets of panels."""

    default_priority = 150

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Make the sets of a page."""
        parents = {id(node.parent): node.parent for node in self.document.findall(nodes.container) if _frameworks(node)}
        for parent in parents.values():
            self._group(parent)
        for number, found in enumerate(self.document.findall(FrameworkSet), start=1):
            found["number"] = number

    def _group(self, parent: nodes.Element) -> None:
        children: list[nodes.Node] = []
        run: list[nodes.Element] = []
        for child in [*parent.children, None]:
            if child is not None and _frameworks(child):
                assert isinstance(child, nodes.Element)
                run.append(child)
            elif run and isinstance(child, nodes.comment):
                children.append(child)
            else:
                if run:
                    children.append(self._set(run))
                    run = []
                if child is not None:
                    children.append(child)
        parent.children = []
        parent.extend(children)

    def _set(self, pieces: Sequence[nodes.Element]) -> FrameworkSet:
        found = FrameworkSet()
        used: set[int] = set()
        for name, title in self.config.d2lbuild_frameworks:
            mine = [piece for piece in pieces if name in _frameworks(piece)]
            if not mine:
                continue
            panel = FrameworkPanel(framework=name, title=title)
            for piece in mine:
                panel += self._copy(piece, name) if id(piece) in used else piece
                used.add(id(piece))
            found += panel
        there = {panel["framework"] for panel in found.children if isinstance(panel, FrameworkPanel)}
        words = translated(self.config.language, "{framework} has no version of this part.")
        found["missing"] = [
            (name, words.format(framework=title)) for name, title in self._of_page() if name not in there
        ]
        found["label"] = translated(self.config.language, "Framework")
        return found

    def _of_page(self) -> Iterator[tuple[str, str]]:
        names = page_frameworks(self.config, self.env.current_document.docname)
        return ((name, title) for name, title in self.config.d2lbuild_frameworks if name in names)

    def _copy(self, piece: nodes.Element, framework: str) -> nodes.Element:
        """Copy a piece for a further panel, with ids of its own and the numbers that it has in the first."""
        copy = piece.deepcopy()
        numbers = self.env.toc_fignumbers.get(self.env.current_document.docname, {})
        for node in copy.findall(nodes.Element):
            for known in numbers.values():
                known.update({f"{name}-{framework}": known[name] for name in node["ids"] if name in known})
            # Scripts find the copy of a link's target by this form of its id.
            node["ids"] = [f"{name}-{framework}" for name in node["ids"]]
        return copy


def page_frameworks(config: Config, page: str) -> Sequence[str]:
    """Return the frameworks that a page has versions for: all those of the site, unless it says otherwise."""
    names: Sequence[str] = config.d2lbuild_page_frameworks.get(page) or [name for name, _ in config.d2lbuild_frameworks]
    return names


# --- HTML -------------------------------------------------------------------------------------------------------------


def _tag(tag: str, attributes: Mapping[str, str]) -> str:
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag} {written}>"


def _visit_set(self: HTML5Translator, node: FrameworkSet) -> None:
    number = node["number"]
    tabs = {"class": "d2l-tablist", "role": "tablist", "aria-label": node["label"]}
    self.body.append(f'<div class="d2l-tabs">\n{_tag("div", tabs)}\n')
    for at, panel in enumerate(panel for panel in node.children if isinstance(panel, FrameworkPanel)):
        name = panel["framework"]
        tab = {
            "type": "button",
            "role": "tab",
            "id": f"d2l-tab-{number}-{name}",
            "aria-controls": f"d2l-panel-{number}-{name}",
            "aria-selected": "false" if at else "true",
            "tabindex": "-1" if at else "0",
            "data-choose": name,
        }
        self.body.append(f"{_tag('button', tab)}{escape(panel['title'])}</button>\n")
    self.body.append("</div>\n")
    for name, text in node["missing"]:
        self.body.append(f"{_tag('p', {'class': 'd2l-missing', 'data-framework': name})}{escape(text)}</p>\n")


def _visit_panel(self: HTML5Translator, node: FrameworkPanel) -> None:
    assert node.parent is not None
    name, number = node["framework"], node.parent["number"]
    panel = {
        "class": "d2l-panel",
        "role": "tabpanel",
        "id": f"d2l-panel-{number}-{name}",
        "aria-labelledby": f"d2l-tab-{number}-{name}",
        "tabindex": "0",
        "data-framework": name,
    }
    self.body.append(f'{_tag("div", panel)}\n<p class="d2l-panel-title">{escape(node["title"])}</p>\n')


def _depart(self: HTML5Translator, node: nodes.Element) -> None:  # noqa: ARG001
    self.body.append("</div>\n")


def _fill_templates(app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Tell the templates which frameworks the site has, and which of them the page."""
    here = page_frameworks(app.config, page)
    context["d2l_frameworks"] = [
        {"name": name, "title": title, "here": name in here} for name, title in app.config.d2lbuild_frameworks
    ]


def connect(app: Sphinx) -> None:
    """Register everything about frameworks with Sphinx."""
    app.add_config_value("d2lbuild_frameworks", [], "env", types=frozenset({list}))
    app.add_config_value("d2lbuild_page_frameworks", {}, "", types=frozenset({dict}))
    app.add_node(FrameworkSet, html=(_visit_set, _depart))
    app.add_node(FrameworkPanel, html=(_visit_panel, _depart))
    app.add_directive("d2l-frameworks", FrameworksDirective)
    app.add_post_transform(HighlightLanguages)
    app.add_post_transform(MarkSavedCode)
    app.add_post_transform(GroupFrameworks)
    app.connect("html-page-context", _fill_templates)
