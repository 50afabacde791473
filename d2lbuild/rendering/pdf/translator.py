"""The LaTeX of one page: Sphinx's translator, with the numbers of the website and the environments of our style.

Each block is written between comments that say which node it was made of: see `places`.
"""

import re
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.writers.latex import LaTeXTranslator

from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.pdf.formulas import display, inline
from d2lbuild.rendering.pdf.places import begin_of_block, begin_of_pages, end_of_block
from d2lbuild.rendering.website.framework_tabs import cell_metadata

__all__ = ["DEPTH", "PAGE_NAME", "BookTranslator", "saved_label"]

PAGE_NAME = "docname"
DEPTH = "d2l_depth"
"""Attributes of a page's document: its name, and how deep below the root it stands."""

_LONG_WORD = re.compile("[!-z|~]{40,}")
_BREAKING = re.compile(r"(?:[/:.,=]|\\[_&])(?=.)")
"""What a very long word may be broken after."""
_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_BLOCKS = (
    nodes.paragraph,
    nodes.math_block,
    nodes.literal_block,
    nodes.figure,
    nodes.image,
    nodes.table,
    nodes.bullet_list,
    nodes.enumerated_list,
    nodes.title,
    nodes.container,
    addnodes.desc,
)
"""What errors are told of, and what is set aside if it has one."""


def saved_label(name: str) -> str:
    """Return what the place is called where a name of the library is saved."""
    return f"saved:{name}"


class BookTranslator(LaTeXTranslator):
    """Writes one page; its LaTeX is `page_text`."""

    environments: ClassVar = {"cell_code_source": "dlinput", "cell_code_output": "dloutput"}

    def __init__(self, document: nodes.document, builder: Any, theme: Any) -> None:
        super().__init__(document, builder, theme)
        self._page: str = document[PAGE_NAME]
        self._is_root = self._page == self.config.root_doc
        self._depth = document[DEPTH] - 1
        self._labelled = False
        self.saved: list[str] = []
        self.this_is_the_title = 0
        self.curfilestack = [self._page]

    @property
    def page_text(self) -> str:
        """The LaTeX of the page."""
        return "".join(self.body)

    # --- places ---

    def dispatch_visit(self, node: nodes.Node) -> None:
        """Visit a node; a block's place is noted."""
        if not self._is_marked(node):
            super().dispatch_visit(node)
            return
        self._line(begin_of_block(self._page, self._position(node)))
        try:
            super().dispatch_visit(node)
        except nodes.SkipNode:
            self._line(end_of_block())
            raise

    def dispatch_departure(self, node: nodes.Node) -> None:
        """Leave a node."""
        super().dispatch_departure(node)
        if self._is_marked(node):
            self._line(end_of_block())

    def _is_marked(self, node: nodes.Node) -> bool:
        return (
            isinstance(node, _BLOCKS)
            and not isinstance(node.parent, nodes.TextElement | nodes.figure | nodes.table)
            and not (self.table or self.in_footnote or self.in_caption or self.in_title or self.in_parsed_literal)
            and not (isinstance(node, nodes.title) and not isinstance(node.parent, nodes.section))
            and not (isinstance(node, nodes.paragraph) and isinstance(node.parent, nodes.footnote))
        )

    def _position(self, node: nodes.Node) -> int:
        """Return the place of a node, or that of what it stands in."""
        found: nodes.Node | None = node
        while found is not None:
            if found.line:
                return found.line
            found = found.parent
        return 0

    def _line(self, text: str) -> None:
        """Write a line that says nothing to LaTeX."""
        self.body.append(text if not self.body or self.body[-1].endswith("\n") else f"%\n{text}")

    def visit_Text(self, node: nodes.Text) -> None:  # noqa: N802
        """Write words; very long ones, such as paths in messages of errors, may be broken."""
        super().visit_Text(node)
        if not (self.in_title or self.in_caption) and self.body:
            self.body[-1] = _LONG_WORD.sub(lambda word: _BREAKING.sub(r"\g<0>\\allowbreak{}", word[0]), self.body[-1])

    # --- pages and headings ---

    def visit_document(self, node: nodes.Element) -> None:  # noqa: ARG002
        """Begin a page."""
        self.sectionlevel = self._depth

    def visit_section(self, node: nodes.Element) -> None:  # noqa: ARG002
        """Begin a section."""
        self.sectionlevel += 1

    def depart_section(self, node: nodes.Element) -> None:  # noqa: ARG002
        """End a section."""
        self.sectionlevel -= 1

    def visit_title(self, node: nodes.Element) -> None:
        """Begin a title; that of a section is written when its words are known."""
        if not isinstance(node.parent, nodes.section):
            super().visit_title(node)
            return
        self.in_title = 1
        self.pushbody([])

    def depart_title(self, node: nodes.Element) -> None:
        """End a title."""
        section = node.parent
        if not isinstance(section, nodes.section):
            super().depart_title(node)
            return
        self.in_title = 0
        words = "".join(self.popbody()).strip()
        first = not self._labelled
        labels = self.hypertarget_to(section)
        if first:
            self._labelled = True
            labels += self.hypertarget(":doc", anchor=False)
            if self._is_root:
                self.body.append(f"\\dlroot{{{labels}}}\n")
                return
        number = self._section_number(section, first=first)
        level = _LEVELS[min(len(number) if number else self.sectionlevel, len(_LEVELS) - 1)]
        plain = self.escape(" ".join(node.astext().split()))
        heading = f"{{{level}}}{{{'.'.join(map(str, number))}}}" if number else f"{{{level}}}"
        command = "dlnumbered" if number else "dlunnumbered"
        self.body.append(f"\n\\{command}{heading}{{{words}}}{{{plain}}}{labels}\n")

    def _section_number(self, section: nodes.Element, *, first: bool) -> tuple[int, ...]:
        numbers = self.builder.env.toc_secnumbers.get(self._page, {})
        anchors = [""] if first else [f"#{name}" for name in section["ids"]]
        return tuple(next((numbers[anchor] for anchor in anchors if numbers.get(anchor)), ()))

    def visit_toctree(self, node: nodes.Element) -> None:
        """Keep the place of the pages that follow."""
        if names := [page for _, page in node["entries"] if page in self.builder.env.found_docs]:
            self._line(begin_of_pages(names))
        raise nodes.SkipNode

    # --- figures, tables and formulas ---

    def _number(self, kind: str, node: nodes.Element) -> str:
        numbers = self.builder.env.toc_fignumbers.get(self._page, {}).get(kind, {})
        found = next((numbers[name] for name in node["ids"] if name in numbers), ())
        return ".".join(map(str, found))

    def visit_figure(self, node: nodes.Element) -> None:
        """Begin a figure, under its number."""
        self.body.append(f"\n\\dlnumber{{figure}}{{{self._number('figure', node)}}}")
        super().visit_figure(node)

    def visit_table(self, node: nodes.Element) -> None:
        """Begin a table, under its number."""
        self.body.append(f"\n\\dlnumber{{table}}{{{self._number('table', node)}}}\n")
        super().visit_table(node)

    def visit_image(self, node: nodes.Element) -> None:
        """Write an image; one that cannot be shown was reported. A plot has room around it."""
        if node["uri"] not in self.builder.images:
            return
        plot = isinstance(node.parent, nodes.container) and node.parent.get("nb_element") == "cell_code_output"
        self.body.append("\n\\dlplot{" if plot else "")
        super().visit_image(node)
        self.body.append("}\n" if plot else "")

    def visit_math(self, node: nodes.Element) -> None:
        """Write a formula of the text."""
        formula = inline(node.astext())
        self.body.append(rf"\texorpdfstring{{{formula}}}{{}}" if self.in_title else formula)
        raise nodes.SkipNode

    def visit_math_block(self, node: nodes.Element) -> None:
        """Write a display."""
        label = node.get("label") or ""
        number = self._equation_number(self._page, label) if label else ""
        target = self.idescape(f"equation:{self._page}:{label}") if number else ""
        self.body.append(f"%\n{display(node.astext(), number, target)}%\n")
        raise nodes.SkipNode

    def visit_math_reference(self, node: nodes.Element) -> None:
        """Write a reference to a display."""
        number = self._equation_number(node["docname"], node["target"])
        target = self.idescape(f"equation:{node['docname']}:{node['target']}")
        self.body.append(rf"\hyperref[{target}]{{({number})}}")
        raise nodes.SkipNode

    def _equation_number(self, page: str, label: str) -> str:
        numbers = self.builder.env.toc_fignumbers.get(page, {}).get("displaymath", {})
        return ".".join(map(str, numbers.get(nodes.make_id(f"equation-{label}"), ())))

    # --- cells ---

    def visit_container(self, node: nodes.Element) -> None:
        """Begin a container: code and outputs have environments of their own, the rest has none."""
        for name in cell_metadata(node).get("saves", {}).values():
            if name not in self.saved:
                self.saved.append(name)
                self.body.append(f"\n\\phantomsection\\label{{{self.idescape(saved_label(name))}}}%\n")
        if name := self.environments.get(node.get("nb_element", "")):
            self.body.append(f"\n\\begin{{{name}}}\n")
        elif "d2l-run-notice" in node["classes"]:
            self.body.append("\n\\begin{dlnotice}\n")
        elif "d2l-saved" in node["classes"]:
            self.body.append("\n\\dlsaved{")

    def depart_container(self, node: nodes.Element) -> None:
        """End a container."""
        if name := self.environments.get(node.get("nb_element", "")):
            self.body.append(f"\n\\end{{{name}}}\n")
        elif "d2l-run-notice" in node["classes"]:
            self.body.append("\n\\end{dlnotice}\n")
        elif "d2l-saved" in node["classes"]:
            self.body.append("}\n")

    def visit_HideCodeCellNode(self, node: nodes.Element) -> None:  # noqa: N802 - the name of MyST-NB's class
        """Show what a reader of the website can open."""

    def depart_HideCodeCellNode(self, node: nodes.Element) -> None:  # noqa: N802
        """Go on after it."""

    # --- what stands at the end of a page, and the list of works ---

    def visit_Discussions(self, node: nodes.Element) -> None:  # noqa: N802
        """Write links to the forum, each with its code in the margin."""
        for address, code in node["codes"]:
            self.body.append(
                f"\n\\dldiscussion{{{self.encode_uri(address)}}}{{{code}}}{{{self.escape(node['words'])}}}\n"
            )
        raise nodes.SkipNode

    def visit_RunRecord(self, node: nodes.Element) -> None:  # noqa: N802
        """Write how the code ran."""
        for _, text in node["lines"]:
            self.body.append(f"\n\\dlrunrecord{{{self.escape(text)}}}\n")
        raise nodes.SkipNode

    def visit_Works(self, node: nodes.Element) -> None:  # noqa: N802, ARG002
        """Begin the list of works; existing books have a heading above it for the web alone."""
        if not self._labelled:
            self._labelled = True
            level = _LEVELS[min(self._depth + 1, len(_LEVELS) - 1)]
            words = self.escape(translated(self.config.language or "en", "References"))
            label = self.hypertarget(":doc", anchor=False)
            self.body.append(f"\n\\dlunnumbered{{{level}}}{{{words}}}{{{words}}}{label}\n")
        self.body.append("\n\\begin{dlworks}\n")

    def depart_Works(self, node: nodes.Element) -> None:  # noqa: N802, ARG002
        """End it."""
        self.body.append("\n\\end{dlworks}\n")

    def visit_Work(self, node: nodes.Element) -> None:  # noqa: N802
        """Begin a work, with the targets of its citations, whose names in LaTeX are sphinxcontrib-bibtex's own."""
        names = [f"cite.{self.curfilestack[-1]}:{one}" for one in node["ids"]]
        targets = "".join(f"\\dltarget{{{name}}}" for name in names)
        self.body.append(f"\n\\dlwork {self.hypertarget_to(node, anchor=True)}{targets}")

    def depart_Work(self, node: nodes.Element) -> None:  # noqa: N802
        """End it."""

    def visit_QuietLink(self, node: nodes.Element) -> None:  # noqa: N802
        """Begin a link."""
        self.body.append(f"\\sphinxhref{{{self.encode_uri(node['address'])}}}{{")

    def depart_QuietLink(self, node: nodes.Element) -> None:  # noqa: N802, ARG002
        """End it."""
        self.body.append("}")
