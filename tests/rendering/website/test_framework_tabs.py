from docutils import nodes
from docutils.utils import new_document

from d2lbuild.rendering.website.framework_tabs import HighlightLanguages


def cell(metadata: dict[str, object], document: nodes.document) -> nodes.literal_block:
    """Add a code cell to a document as MyST-NB does, and return its source."""
    container = nodes.container(nb_element="cell_code", cell_metadata={"d2lbuild": metadata})
    outputs = nodes.container(nb_element="cell_code_output")
    outputs += nodes.literal_block("out", "out", language="myst-ansi")
    source = nodes.container(nb_element="cell_code_source")
    block = nodes.literal_block("x", "x", language="ipython3")
    source += block
    container.extend([source, outputs])
    document += container
    return block


def test_code_is_highlighted_in_its_language() -> None:
    document = new_document("page")
    python, java = cell({}, document), cell({"lexer": "java"}, document)
    HighlightLanguages(document).run()
    assert (python["language"], java["language"]) == ("ipython3", "java")
    assert [block["language"] for block in document.findall(nodes.literal_block)][1::2] == ["myst-ansi"] * 2
