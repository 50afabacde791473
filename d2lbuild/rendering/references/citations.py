"""Citations as books write them, "(Vaswani et al., 2017)" and "Vaswani et al. (2017)", and the list of what was cited.

The whole reference stands in an attribute of the link, ``aria-description``: screen readers read it out, and the style
sheet shows it under a pointer or the keyboard's focus. So it needs no script and no id, and it is not part of the text:
neither searched for, nor copied, nor printed. A ``title`` would be shown to pointers alone.
"""

import re
from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator
from sphinxcontrib.bibtex.directives import BibliographyDirective
from sphinxcontrib.bibtex.domain import BibtexDomain
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle, format_references
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle
from sphinxcontrib.bibtex.style.template import SphinxReferenceInfo

from d2lbuild.rendering.api.objects import builder_of
from d2lbuild.rendering.content_digest import digest
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.reading_order import depths
from d2lbuild.rendering.references.numbered_references import page_words

__all__ = ["citing_pages", "connect", "digests_of_works"]

_ARXIV = re.compile(
    r"\b(?:arxiv\.org/abs/|arxiv:)\s?([a-z-]+(?:\.[A-Z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?", re.IGNORECASE
)
"""How works name a preprint, with its number."""


def _set_style(app: Sphinx) -> None:
    """Write citations with author and year, in round brackets."""
    brackets = BracketStyle(left="(", right=")")
    language = app.config.language
    persons = PersonStyle(sep2=translated(language, " and "), last_sep=translated(language, ", and "))
    _works(app.env).reference_style = AuthorYearReferenceStyle(
        bracket_textual=brackets, bracket_parenthetical=brackets, person=persons
    )


def _works(env: BuildEnvironment) -> BibtexDomain:
    domain = env.domains["cite"]
    assert isinstance(domain, BibtexDomain)
    return domain


# --- in the text ------------------------------------------------------------------------------------------------------


class Citation(nodes.reference):
    """A link to a work in the list; `work` is the whole reference, as plain words."""


class DescribeCitations(SphinxPostTransform):
    """Makes links to works of a page say what the works are."""

    default_priority = 20  # when references are resolved

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the citations of a page."""
        for citation in self.document.findall(nodes.inline):
            if "bibtex-citation" in citation["classes"]:
                for link in list(citation.findall(nodes.reference)):
                    address = link["refuri"] if "refuri" in link else f"#{link['refid']}"
                    work = Citation(
                        "", "", *link.children, internal=True, refuri=address, work=link.get("reftitle", "")
                    )
                    link.replace_self(work)


def _visit_citation(self: HTML5Translator, node: Citation) -> None:
    attributes = {"CLASS": "reference internal d2l-citation", "href": node["refuri"]}
    if node["work"]:
        attributes["aria-description"] = node["work"]
    self.body.append(self.starttag(node, "a", "", **attributes))


def _depart_citation(self: HTML5Translator, node: Citation) -> None:  # noqa: ARG001
    self.body.append("</a>")


# --- the list ---------------------------------------------------------------------------------------------------------


class Bibliography(BibliographyDirective):
    """``bibliography``, with anchors that are made of the works' keys: they stay when other works come and go."""

    def run(self) -> Sequence[nodes.Node]:
        """Make the list's place."""
        lists = _works(self.env).bibliographies
        before = set(lists)
        made = super().run()
        for name in lists.keys() - before:
            taken: set[str] = set()
            for key, node in lists[name].citation_nodes.items():
                anchor = start = "work-" + re.sub(r"\W+", "-", key.casefold()).strip("-")
                number = 1
                while anchor in taken:
                    number += 1
                    anchor = f"{start}-{number}"
                taken.add(anchor)
                node["ids"] = [anchor]
        return made


class FinishBibliography(SphinxPostTransform):
    """Puts before each work how it is cited, makes links of the preprints' numbers, and says which pages cite it."""

    default_priority = 8  # when works are put into the list, and before references are resolved

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the works of a page."""
        listed = list(self.document.findall(nodes.citation))
        if not listed:
            return
        works = {work.citation_id: work for work in _works(self.env).citations}
        citing = citing_pages(self.env)
        for node in listed:
            work = works.get(node["ids"][0])
            paragraph = next(node.findall(nodes.paragraph), None)
            if work is None or paragraph is None:
                continue
            for label in list(node.findall(nodes.label)):
                node.remove(label)
            _link_preprints(paragraph)
            words = _as_cited(self.env, work)
            paragraph.insert(0, [nodes.inline(words, words, classes=["d2l-cited-as"]), nodes.Text(" ")])
            paragraph += self._back_links(citing.get(work.key, []))

    def _back_links(self, pages: list[str]) -> list[nodes.Node]:
        builder, here = builder_of(self.env), self.env.current_document.docname
        links = nodes.inline("", "", classes=["d2l-cited-in", "no-search"])
        for page in pages:
            words = page_words(self.env, page)
            links += nodes.Text(", " if len(links) else translated(self.config.language, "Cited in "))
            links += nodes.reference(words, words, internal=True, refuri=builder.get_relative_uri(here, page))
        return [nodes.Text(" "), links] if pages else []


def _link_preprints(paragraph: nodes.paragraph) -> None:
    for text in list(paragraph.findall(nodes.Text)):
        if isinstance(text.parent, nodes.reference) or not _ARXIV.search(text):
            continue
        pieces: list[nodes.Node] = []
        at = 0
        for match in _ARXIV.finditer(text):
            pieces.append(nodes.Text(text[at : match.start()]))
            words = match[0].replace("ArX", "arX")  # what begins a sentence has got a capital letter
            pieces.append(nodes.reference("", words, refuri=f"https://arxiv.org/abs/{match[1]}"))
            at = match.end()
        assert text.parent is not None
        text.parent.replace(text, [*pieces, nodes.Text(text[at:])])


def _as_cited(env: BuildEnvironment, work: Any) -> str:
    """Return how a work is cited: "Vaswani et al., 2017"."""
    page = work.bibliography_key.docname
    info = SphinxReferenceInfo(builder_of(env), page, page, work.citation_id, None, "", "")
    style = _works(env).reference_style
    return str(format_references(style, "alp", [(work.entry, work.formatted_entry, info)]))


def citing_pages(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return the pages that cite each work, in the book's order."""
    order = {page: number for number, page in enumerate(depths(env))}
    found: dict[str, set[str]] = {}
    for reference in _works(env).citation_refs:
        for target in reference.targets:
            found.setdefault(target.key, set()).add(reference.docname)
    return {key: sorted(pages, key=lambda page: (order.get(page, len(order)), page)) for key, pages in found.items()}


def digests_of_works(env: BuildEnvironment) -> dict[str, str]:
    """Return, by key, digests of all that pages show of the works that are listed."""
    return {
        work.key: digest(work.citation_id, work.bibliography_key, repr(work.entry), str(work.formatted_entry.text))
        for work in _works(env).citations
    }


def connect(app: Sphinx) -> None:
    """Register with Sphinx, after sphinxcontrib-bibtex."""
    app.add_node(Citation, html=(_visit_citation, _depart_citation))
    app.add_directive("bibliography", Bibliography, override=True)
    app.add_post_transform(DescribeCitations)
    app.add_post_transform(FinishBibliography)
    app.connect("builder-inited", _set_style, priority=600)
