"""References inside of titles and captions, where these are shown again: in the sidebar, in contents, by ``:ref:``.

Sphinx puts the bare targets there (``sec_x``, a work's key). Here each such place is marked when a page is read, and
the words are put in when everything is numbered and all works are known.
"""

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.transforms import SphinxContentsFilter, SphinxTransform

from d2lbuild.rendering.api.objects import builder_of
from d2lbuild.rendering.references.numbered_references import reference_target

__all__ = ["connect", "titles_of"]

_KEY = "d2l_reference"
_STORE = "d2lbuild_titles"
_Titles = dict[str, dict[str, nodes.title]]
"""By page and id: titles and captions that hold references."""


def _titles(env: BuildEnvironment) -> _Titles:
    found: _Titles = env.__dict__.setdefault(_STORE, {})
    return found


class MarkReferences(SphinxTransform):
    """Notes on the words of each reference in a title what it refers to; copies of titles keep the words only.

    Of a link to a file the words stay: where a title is shown again, Sphinx knows only links to pages.
    """

    default_priority = 700

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the titles and captions of a page."""
        for title in self.document.findall(nodes.TextElement):
            if isinstance(title, nodes.title | nodes.caption):
                for link in list(title.findall(addnodes.download_reference)):
                    assert link.parent is not None
                    link.parent.replace(link, link.children)
                for reference in title.findall(addnodes.pending_xref):
                    words = reference.next_node(nodes.Element)
                    if words is not None:
                        words[_KEY] = [reference.get("refdomain", ""), reference["reftype"], reference["reftarget"]]


class TitleCollector(EnvironmentCollector):
    """Remembers the titles and captions that hold references: what a label is called."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG002
        """Forget a page that is read again or gone."""
        _titles(env).pop(docname, None)

    def merge_other(self, app: Sphinx, env: BuildEnvironment, docnames: Any, other: BuildEnvironment) -> None:  # noqa: ARG002
        """Take over what a parallel reader has found."""
        for docname in docnames:
            if docname in _titles(other):
                _titles(env)[docname] = _titles(other)[docname]

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Look through a page that was read."""
        found: dict[str, nodes.title] = {}
        for node in doctree.findall(nodes.TextElement):
            if isinstance(node, nodes.title | nodes.caption) and next(_marked(node), None) is not None:
                assert node.parent is not None
                visitor = SphinxContentsFilter(doctree)
                node.walkabout(visitor)
                copy = nodes.title("", "", *visitor.get_entry_text())
                found.update(dict.fromkeys(node.parent["ids"], copy))
        if found:
            _titles(app.env)[app.env.current_document.docname] = found


def _marked(node: nodes.Element) -> Iterator[nodes.Element]:
    return (inner for inner in node.findall(nodes.Element) if _KEY in inner)


def _settle(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Put the words of references into all titles of the environment, and into what labels are called."""
    if not _titles(env):
        return []
    for page, titles in _titles(env).items():
        for shown in (env.titles[page], env.longtitles[page], env.tocs[page], *titles.values()):
            for node in list(_marked(shown)):
                assert node.parent is not None
                node.parent.replace(node, nodes.Text(_words(env, page, *node[_KEY])))
    labels = env.domains.standard_domain.labels
    for name, (page, identifier, _) in list(labels.items()):
        if title := _titles(env).get(page, {}).get(identifier):
            labels[name] = (page, identifier, title.astext())
    return []


def _words(env: BuildEnvironment, page: str, domain: str, kind: str, target: str) -> str:
    if kind == "numref" and domain == "std":
        return reference_target(env, target)[2] or target
    if domain not in env.domains:
        return target
    words = nodes.inline(target, target)
    reference = addnodes.pending_xref("", words, refdomain=domain, reftype=kind, reftarget=target, refexplicit=False)
    found = env.domains[domain].resolve_xref(env, page, builder_of(env), kind, target, reference, words)
    return (found or words).astext()


def titles_of(env: BuildEnvironment) -> list[tuple[str, str]]:
    """Return what labels with references in their titles are called: other pages may show that."""
    labels = env.domains.standard_domain.labels
    return sorted(
        (name, title) for name, (page, identifier, title) in labels.items() if identifier in _titles(env).get(page, {})
    )


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_transform(MarkReferences)
    app.add_env_collector(TitleCollector)
    app.connect("env-get-updated", _settle, priority=700)  # when numbers are settled
