"""References as books write them, "Section 3.1", "Fig. 2.1.3", a title where there is no number; links into pages.

Sphinx loads the doctree of the target's page for each reference, and warns of pages that are not numbered (a preface).
Here a collector remembers, for each page, which ids name which section, figure or table; that is all a reference needs.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from d2lbuild.rendering.api.objects import builder_of
from d2lbuild.rendering.sources.myst import OF_FRAMEWORK, PAGE_SCHEME
from d2lbuild.rendering.website.framework_tabs import frameworks_around
from d2lbuild.source.links import anchor_key, unique_key

__all__ = ["connect", "page_words", "reference_target"]

logger = logging.getLogger(__name__)

_IN_CODE = re.compile(r":numref:`([^`\s]+)`")
_STORE = "d2lbuild_targets"
_PLACES = "d2lbuild_places"
_KINDS: dict[type[nodes.Element], str] = {nodes.section: "section", nodes.figure: "figure", nodes.table: "table"}
_Targets = dict[str, dict[str, tuple[str, str]]]
"""By page and id: the kind of thing and its first id, under which Sphinx keeps its number."""
_Places = dict[str, dict[str, str]]
"""By page and `anchor_key`: the id of a heading."""


def _targets(env: BuildEnvironment) -> _Targets:
    found: _Targets = env.__dict__.setdefault(_STORE, {})
    return found


def _places(env: BuildEnvironment) -> _Places:
    found: _Places = env.__dict__.setdefault(_PLACES, {})
    return found


class TargetCollector(EnvironmentCollector):
    """Remembers the ids of sections, figures and tables of each page, and what its headings are called."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG002
        """Forget a page that is read again or gone."""
        _targets(env).pop(docname, None)
        _places(env).pop(docname, None)

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
            _places(env)[docname] = _places(other).get(docname, {})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Look through a page that was read."""
        found: dict[str, tuple[str, str]] = {}
        for kind, name in _KINDS.items():
            for node in doctree.findall(kind):
                for identifier in node["ids"]:
                    found[identifier] = (name, node["ids"][0])
        first = next(iter(doctree.findall(nodes.section)), None)
        for identifier in first["ids"] if first else ():
            found[identifier] = ("section", "")
        page = app.env.current_document.docname
        _targets(app.env)[page] = found
        places: dict[str, str] = {}
        for section in doctree.findall(nodes.section):
            if section["ids"] and isinstance(section.next_node(), nodes.title) and not frameworks_around(section):
                places[unique_key(_words(section.next_node()), places)] = section["ids"][0]
        _places(app.env)[page] = places


def _words(title: nodes.Node | None) -> str:
    """Return a title without its references, whose words are settled only later."""
    if isinstance(title, nodes.Text):
        return title.astext()
    if title is None or isinstance(title, addnodes.pending_xref):
        return ""
    return "".join(map(_words, title.children))


# --- targets ----------------------------------------------------------------------------------------------------------


def reference_target(env: BuildEnvironment, label: str) -> tuple[str, str, str]:
    """Return a label's page, its id there and the words for it; empty strings if there is no such label."""
    name = label.lower()
    standard = env.domains.standard_domain
    page, identifier = standard.anonlabels.get(name, ("", ""))
    kind, first = _targets(env).get(page, {}).get(identifier, ("", identifier))
    title = standard.labels.get(name, ("", "", ""))[2]
    return page, identifier, _numbered(env, page, kind, first) or title or (label if page else "")


def page_words(env: BuildEnvironment, page: str) -> str:
    """Return how a page is referred to: "Section 3.1", or its title if it has no number."""
    return _numbered(env, page, "section", "") or env.titles[page].astext()


def _numbered(env: BuildEnvironment, page: str, kind: str, first: str) -> str:
    if kind == "section":
        number = env.toc_secnumbers.get(page, {}).get(f"#{first}" if first else "")
    else:
        number = env.toc_fignumbers.get(page, {}).get(kind, {}).get(first)
    if not number:
        return ""
    form: str = env.config.numfig_format[kind]
    return form % ".".join(map(str, number))


def _place(env: BuildEnvironment, page: str, fragment: str) -> str:
    """Return the id of a place on a page that a link names by a label or a heading; empty if there is none."""
    key = anchor_key(fragment)
    for name, (where, identifier) in env.domains.standard_domain.anonlabels.items():
        if where == page and anchor_key(name) == key:
            return identifier
    for name, (where, _) in env.domains["math"].data["objects"].items():
        if where == page and anchor_key(name) == key:
            return nodes.make_id(f"equation-{name}")
    return _places(env).get(page, {}).get(key, "")


# --- resolving --------------------------------------------------------------------------------------------------------


class ResolveNumberedReferences(SphinxPostTransform):
    """Resolves ``numref``, and links to places on pages, before Sphinx's own resolver sees them."""

    default_priority = 9

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Replace each reference of the page by a link, and those in the docstrings of its code by words."""
        for node in list(self.document.findall(addnodes.pending_xref)):
            if node.get("reftype") == "numref":
                node.replace_self(self._link(node))
        for link in list(self.document.findall(nodes.reference)):
            if link.get("refuri", "").startswith(f"{PAGE_SCHEME}:"):
                self._lead_to_page(link)
        for code in self.document.findall(nodes.literal_block):
            of_book = code.parent.get("nb_element") == "cell_code_source" or "d2l-listing" in code["classes"]
            if of_book and ":numref:`" in code.rawsource:
                text = _IN_CODE.sub(lambda match: reference_target(self.env, match[1])[2] or match[1], code.rawsource)
                code.rawsource = text
                code[:] = [nodes.Text(text)]

    def _link(self, node: addnodes.pending_xref) -> nodes.Node:
        name = str(node["reftarget"])
        page, identifier, text = reference_target(self.env, name)
        if not page:
            logger.warning("undefined label: %s", name, location=node, type="ref", subtype="numref")
            return nodes.inline(name, name, classes=["d2l-undefined"])
        link = nodes.reference("", "", internal=True, refuri=self._address(page, identifier))
        link += nodes.inline(text, text, classes=["std", "std-numref"])
        return link

    def _lead_to_page(self, link: nodes.reference) -> None:
        page, _, fragment = str(link["refuri"]).removeprefix(f"{PAGE_SCHEME}:").partition("#")
        page = unquote(page)
        if page not in self.env.found_docs:  # somebody wrote such an address
            link.replace_self(link.children)
            return
        link["refuri"] = self._address(page, _place(self.env, page, unquote(fragment)) if fragment else "")
        link["internal"] = True

    def _address(self, page: str, identifier: str) -> str:
        here = self.env.current_document.docname
        if page == here and identifier:
            return f"#{identifier}"
        address = builder_of(self.env).get_relative_uri(here, page)
        return f"{address}#{identifier}" if identifier else address


# --- labels that several frameworks have ------------------------------------------------------------------------------


def _share_numbers(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Give what frameworks have in place of each other, ``fig_x`` and ``fig_x@jax``, one number; the next go up to it.

    A reader sees one of them, and a reference in prose for all says one number.
    """
    shared = dict(_versions(env))
    if not shared:
        return []
    spared: dict[tuple[str, tuple[int, ...]], int] = {}
    for page, kinds in env.toc_fignumbers.items():
        for kind, numbers in kinds.items():
            for identifier, number in numbers.items():
                counter = (kind, number[:-1])
                if first := numbers.get(shared.get((page, identifier), "")):
                    spared[counter] = spared.get(counter, 0) + 1
                    numbers[identifier] = first
                else:
                    numbers[identifier] = (*number[:-1], number[-1] - spared.get(counter, 0))
    return []


def _versions(env: BuildEnvironment) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield page and id of what a framework has in place of another thing, with that thing's id."""
    labels = env.domains.standard_domain.anonlabels
    for name, (page, identifier) in labels.items():
        if (first := name.rpartition(OF_FRAMEWORK)[0]) in labels:
            yield (page, identifier), labels[first][1]
    equations = env.domains["math"].data["objects"]
    for name, (page, _) in equations.items():
        if (first := name.rpartition(OF_FRAMEWORK)[0]) in equations:
            yield (page, nodes.make_id(f"equation-{name}")), nodes.make_id(f"equation-{first}")


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_env_collector(TargetCollector)
    app.add_post_transform(ResolveNumberedReferences)
    app.connect("env-get-updated", _share_numbers, priority=600)  # when everything is numbered
