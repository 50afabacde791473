"""Turns what only some frameworks see into tab sets, one tab a framework, all of them switched together.

Pieces that stand next to each other share a tab set. This is done when a page is written, after numbers and references
are settled, so that a piece that stands in two tabs is numbered once.
"""

from collections.abc import Sequence
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_design.shared import create_component

__all__ = [
    "SYNC_GROUP",
    "TAB_KEY",
    "FrameworksDirective",
    "GroupFrameworks",
    "HighlightLanguages",
    "MarkSavedCode",
    "cell_metadata",
    "frameworks_around",
]

SYNC_GROUP = "framework"
"""The name under which a reader's choice is kept, also in an address: ``?framework=jax``."""

TAB_KEY = "d2l_tab"
"""The attribute of a tab's content that names its framework."""

_KEY = "d2l_frameworks"


class FrameworksDirective(Directive):
    """``{d2l-frameworks} pytorch jax``: prose that only these frameworks see."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Parse the prose into a container that carries the frameworks' names."""
        piece = nodes.container(classes=["d2l-frameworks"])
        piece[_KEY] = self.arguments[0].split()
        piece.source, piece.line = self.state_machine.get_source_and_line(self.lineno)
        self.state.nested_parse(self.content, self.content_offset, piece)
        return [piece]


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

    default_priority = 149

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Add the badges of a page."""
        for cell in list(self.document.findall(nodes.container)):
            if cell_metadata(cell).get("saved"):
                text = f"saved in {self.config.d2lbuild_package}"
                badge = nodes.container(classes=["d2l-saved"])
                badge += nodes.inline(text, text)
                cell["classes"].append("d2l-has-badge")
                cell.insert(0, badge)


class GroupFrameworks(SphinxPostTransform):
    """Groups adjacent pieces of single frameworks into tab sets."""

    default_priority = 150

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Make the tab sets of a page."""
        parents = {id(node.parent): node.parent for node in self.document.findall(nodes.container) if _frameworks(node)}
        for parent in parents.values():
            self._group(parent)

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
                    children.append(self._tab_set(run))
                    run = []
                if child is not None:
                    children.append(child)
        parent.children = []
        parent.extend(children)

    def _tab_set(self, pieces: Sequence[nodes.Element]) -> nodes.Element:
        tabs = []
        used: set[int] = set()
        for name, title in self.config.d2lbuild_frameworks:
            mine = [piece for piece in pieces if name in _frameworks(piece)]
            if not mine:
                continue
            label = nodes.rubric(title, title, classes=["sd-tab-label"])
            label["sync_id"], label["sync_group"] = name, SYNC_GROUP
            content = create_component("tab-content", classes=["sd-tab-content"])
            content[TAB_KEY] = name
            for piece in mine:
                content += self._copy(piece, name) if id(piece) in used else piece
                used.add(id(piece))
            tabs.append(create_component("tab-item", classes=["sd-tab-item"], children=[label, content]))
        tab_set: nodes.Element = create_component("tab-set", classes=["sd-tab-set", "d2l-tabs"], children=tabs)
        return tab_set

    def _copy(self, piece: nodes.Element, framework: str) -> nodes.Element:
        """Copy a piece for a further tab, with ids of its own and the numbers that it has in the first."""
        copy = piece.deepcopy()
        numbers = self.env.toc_fignumbers.get(self.env.current_document.docname, {})
        for node in copy.findall(nodes.Element):
            for known in numbers.values():
                known.update({f"{name}-{framework}": known[name] for name in node["ids"] if name in known})
            node["ids"] = [f"{name}-{framework}" for name in node["ids"]]
        return copy
