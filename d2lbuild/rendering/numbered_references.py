"""Numbered references: "Section 3.1", "Fig. 2.1.3", and the title where a target has no number.

Sphinx loads the doctree of the target's page for each reference, and warns of pages that are not numbered (a preface).
Here a collector remembers, for each page, which ids name which section, figure or table; that is all a reference needs.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from d2lbuild.rendering.api_objects import builder_of

__all__ = ["ResolveNumberedReferences", "TargetCollector"]

logger = logging.getLogger(__name__)

_IN_CODE = re.compile(r":numref:`([^`\s]+)`")
_STORE = "d2lbuild_targets"
_Targets = dict[str, dict[str, tuple[str, str]]]
"""By page and id: the kind of thing and its first id, under which Sphinx keeps its number."""


def _targets(env: BuildEnvironment) -> _Targets:
    if not hasattr(env, _STORE):
        setattr(env, _STORE, {})
    found: _Targets = getattr(env, _STORE)
    return found


class TargetCollector(EnvironmentCollector):
    """Remembers the ids of sections, figures and tables of each page."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG002
        """Forget a page that is read again or gone."""
        _targets(env).pop(docname, None)

    def merge_other(
        self,
        app: Sphinx,  # noqa: ARG002
        env: BuildEnvironment,
        docnames: AbstractSet[str],
        other: BuildEnvironment,
    ) -> None:
        """Take over what a parallel reader has found."""
        for docname in docnames:
            _targets(env)[docname] = _targets(other).get(docname, {})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Look through a page that was read."""
        found: dict[str, tuple[str, str]] = {}
        kinds = {nodes.section: "section", nodes.figure: "figure", nodes.table: "table"}
        for kind, name in kinds.items():
            for node in doctree.findall(kind):
                for identifier in node["ids"]:
                    found[identifier] = (name, node["ids"][0])
        first = next(iter(doctree.findall(nodes.section)), None)
        for identifier in first["ids"] if first else ():
            found[identifier] = ("section", "")
        _targets(app.env)[app.env.current_document.docname] = found


class ResolveNumberedReferences(SphinxPostTransform):
    """Resolves ``numref`` before Sphinx's own resolver sees it."""

    default_priority = 9

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Replace each reference of the page by a link, and those in the docstrings of its code by words."""
        for node in list(self.document.findall(addnodes.pending_xref)):
            if node.get("reftype") == "numref":
                node.replace_self(self._link(node))
        for code in self.document.findall(nodes.literal_block):
            of_book = code.parent.get("nb_element") == "cell_code_source" or "d2l-listing" in code["classes"]
            if of_book and ":numref:`" in code.rawsource:
                text = _IN_CODE.sub(lambda match: self._target(match[1])[2] or match[1], code.rawsource)
                code.rawsource = text
                code[:] = [nodes.Text(text)]

    def _link(self, node: addnodes.pending_xref) -> nodes.Node:
        name = str(node["reftarget"])
        page, identifier, text = self._target(name)
        if not page:
            logger.warning("undefined label: %s", name, location=node, type="ref", subtype="numref")
            return nodes.inline(name, name, classes=["d2l-undefined"])
        address = builder_of(self.env).get_relative_uri(self.env.current_document.docname, page)
        link = nodes.reference("", "", internal=True, refuri=f"{address}#{identifier}" if identifier else address)
        link += nodes.inline(text, text, classes=["std", "std-numref"])
        return link

    def _target(self, label: str) -> tuple[str, str, str]:
        """Return a label's page, its id there and the words for it; empty strings if there is no such label."""
        name = label.lower()
        standard = self.env.domains.standard_domain
        page, identifier = standard.anonlabels.get(name, ("", ""))
        kind, first = _targets(self.env).get(page, {}).get(identifier, ("", identifier))
        title = standard.labels.get(name, ("", "", ""))[2]
        return page, identifier, self._numbered(page, kind, first) or title or (label if page else "")

    def _numbered(self, page: str, kind: str, first: str) -> str:
        if kind == "section":
            number = self.env.toc_secnumbers.get(page, {}).get(f"#{first}" if first else "")
        else:
            number = self.env.toc_fignumbers.get(page, {}).get(kind, {}).get(first)
        if not number:
            return ""
        form: str = self.config.numfig_format[kind]
        return form % ".".join(map(str, number))
