"""Figures whose image is not in the book: numbered and referred to like others, with words in the image's place."""

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

__all__ = ["AbsentFigure"]


class AbsentFigure(Directive):
    """``{d2l-absent-figure} WORDS``: the content is the caption, and ``:link:`` says where the image is."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged, "link": directives.uri}

    def run(self) -> list[nodes.Node]:
        """Make a figure of the caption."""
        words, link = self.arguments[0], self.options.get("link")
        figure = nodes.figure("", classes=["d2l-absent"])
        figure.source, figure.line = self.state_machine.get_source_and_line(self.lineno)
        instead = nodes.reference(words, words, refuri=link) if link else nodes.emphasis(words, words)
        figure += nodes.paragraph("", "", instead)
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        caption = next(content.findall(nodes.paragraph), None)
        if caption is not None:
            figure += nodes.caption(caption.rawsource, "", *caption.children)
        self.add_name(figure)
        return [figure]
