"""What stands at the end of a page: where it is discussed, and how its code ran.

Both are nodes without children that become HTML when the page is written, so that their words do not get into the
search index. A part for one framework has its name in ``data-framework``: the theme shows that of the reader's choice.
"""

from html import escape

import segno
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from d2lbuild.rendering.reader_texts import reader_texts

__all__ = ["connect"]

_MASK = 2


class Discussions(nodes.General, nodes.Element):
    """Threads of the forum: `threads` are pairs of an address and the frameworks that it is for."""


class RunRecord(nodes.General, nodes.Element):
    """How the code ran: `lines` are pairs of a framework and a text."""


class DiscussionsDirective(Directive):
    """``{d2l-discussions}``: an address a line, and after it the frameworks that it is for."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Make the node."""
        lines = [line.split() for line in self.content if line.strip()]
        return [Discussions(threads=[(address, frameworks) for address, *frameworks in lines])]


class RunRecordDirective(Directive):
    """``{d2l-run-record}``: a framework, a colon and a text a line; the text is no markup."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Make the node."""
        pairs = (line.partition(":") for line in self.content if line.strip())
        return [RunRecord(lines=[(framework.strip(), text.strip()) for framework, _, text in pairs])]


def _visit_discussions(self: HTML5Translator, node: Discussions) -> None:
    titles = dict(self.config.d2lbuild_frameworks)
    words = reader_texts(self.config.language)["discuss"]
    self.body.append('<div class="d2l-discussions">\n')
    for address, frameworks in node["threads"]:
        # In a site for one framework, all that it has is for that one.
        names = [name for name in frameworks if name in titles] if len(titles) > 1 else []
        self.body += [_thread(address, name, titles.get(name, ""), words) for name in names or [""]]
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _thread(address: str, framework: str, title: str, words: str) -> str:
    """Return a link to a thread; on paper it is a code to scan."""
    name = f' <span class="d2l-framework-name">{escape(title)}</span>' if title else ""
    # Any mask can be read; to find the best one takes ten times as long as all the rest.
    code = segno.make(address, micro=False, mask=_MASK).svg_inline(
        border=0, omitsize=True, svgclass="d2l-qr", lineclass=None
    )
    hidden = code.replace("<svg", '<svg aria-hidden="true"', 1)
    return (
        f"<p{_only(framework)}>{hidden}"
        f'<a href="{escape(address)}">{escape(words)}</a>{name}'
        f'<span class="d2l-address" aria-hidden="true">{escape(address.rsplit("://", maxsplit=1)[-1])}</span></p>\n'
    )


def _visit_run_record(self: HTML5Translator, node: RunRecord) -> None:
    several = len(self.config.d2lbuild_frameworks) > 1
    self.body.append('<div class="d2l-run-record">\n')
    self.body += [f"<p{_only(name if several else '')}>{escape(text)}</p>\n" for name, text in node["lines"]]
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _only(framework: str) -> str:
    return f' data-framework="{framework}"' if framework else ""


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(Discussions, html=(_visit_discussions, None))
    app.add_node(RunRecord, html=(_visit_run_record, None))
    app.add_directive("d2l-discussions", DiscussionsDirective)
    app.add_directive("d2l-run-record", RunRecordDirective)
