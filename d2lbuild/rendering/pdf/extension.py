"""What Sphinx does for the PDF alone: outputs as nodes, links by page, the codes of the forum's threads."""

import hashlib
import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import segno
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from d2lbuild.files import write_if_changed
from d2lbuild.rendering import still_pages
from d2lbuild.rendering.api.objects import builder_of
from d2lbuild.rendering.pdf.html_nodes import nodes_of_html
from d2lbuild.rendering.reader_texts import reader_texts
from d2lbuild.rendering.website.page_ends import Discussions

__all__ = ["connect"]


class Works(nodes.General, nodes.Element):
    """The list of what was cited."""


class Work(nodes.General, nodes.Element):
    """One work of it."""


class QuietLink(nodes.Inline, nodes.TextElement):
    """A link whose address is not printed."""


class OutputsAsNodes(SphinxPostTransform):
    """Makes nodes of the HTML of outputs."""

    default_priority = 11  # when the form of each output is chosen
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the outputs of a page."""
        for output in list(self.document.findall(nodes.container)):
            if output.get("nb_element") == "cell_code_output":
                found = nodes_of_html(output.children)
                output.children = []
                output.extend(found)
                if not output.children:
                    output.parent.remove(output)


class WorksAsList(SphinxPostTransform):
    """Makes one list of the works of a page, before Sphinx puts them to its end."""

    default_priority = 700
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the works of a page."""
        works: Works | None = None
        for node in list(self.document.findall(nodes.citation)):
            before = node.parent.index(node) - 1
            if works is None or before < 0 or node.parent[before] is not works:
                works = Works()
                node.parent.insert(before + 1, works)
            work = Work("", *[child for child in node.children if not isinstance(child, nodes.label)], ids=node["ids"])
            node.parent.remove(node)
            works += work


class LinksOfLists(SphinxPostTransform):
    """Lets links of the list of works, and of the reference of the library, be without a footnote each."""

    default_priority = 399  # before Sphinx makes the footnotes
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the lists of a page."""
        lists = [*self.document.findall(nodes.citation), *self.document.findall(addnodes.desc)]
        for node in lists:
            for link in list(node.findall(nodes.reference)):
                if urlsplit(link.get("refuri", "")).scheme in {"http", "https"}:
                    link.replace_self(QuietLink("", "", *link.children, address=link["refuri"]))


class PicturesBesideEachOther(SphinxPostTransform):
    """Gives images that stand alone in a paragraph, several of them, a part of the line each."""

    default_priority = 401
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the paragraphs of a page."""
        for paragraph in self.document.findall(nodes.paragraph):
            images = [node for node in paragraph.children if isinstance(node, nodes.image)]
            others = [
                node for node in paragraph.children if not isinstance(node, nodes.image) and node.astext().strip()
            ]
            if len(images) > 1 and not others:
                for image in images:
                    image.attributes.setdefault("width", "48%" if len(images) in {2, 4} else "31%")


class CodesOfThreads(SphinxPostTransform):
    """Draws the codes that lead a reader of the paper to the forum, as images of the page."""

    default_priority = 30
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the threads of a page."""
        for node in self.document.findall(Discussions):
            node["words"] = reader_texts(self.config.language)["discuss"]
            node["codes"] = [(address, self._code(address)) for address, _ in node["threads"]]

    def _code(self, address: str) -> str:
        """Draw a code; return the name that it has among the images."""
        name = f"qr-{hashlib.sha256(address.encode()).hexdigest()[:16]}.svg"
        path = Path(self.env.doctreedir).parent / "codes" / name
        if not path.is_file():
            drawing = io.BytesIO()
            code = segno.make(address, micro=False)
            code.save(drawing, kind="svg", border=0, svgclass=None, lineclass=None)
            write_if_changed(path, drawing.getvalue())
        builder: Any = builder_of(self.env)
        return str(builder.take_image(path))


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    for kind in (Works, Work, QuietLink):
        app.add_node(kind)
    still_pages.connect(app)
    app.add_post_transform(OutputsAsNodes)
    app.add_post_transform(WorksAsList)
    app.add_post_transform(LinksOfLists)
    app.add_post_transform(PicturesBesideEachOther)
    app.add_post_transform(CodesOfThreads)
