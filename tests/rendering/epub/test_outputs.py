"""What outputs are in an EPUB; one small book for all of these."""

from base64 import b64encode
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from d2lbuild.model import CellKind, Output
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.epub.epub import render_epub
from tests.rendering.outputs.test_animation import jshtml, png
from tests.rendering.pages import PYTORCH, PageBuilder, make_book, make_config

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><path id="blank"/><text>words</text></svg>'
TABLE = '<style>#x td {color: red}</style><table border="1" id="x"><tr><td align="right">1<br>&nbsp;2</td></tr></table>'
OUTPUTS: dict[str, list[Output]] = {
    "colours": [{"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m < plain\n"}],
    "long": [{"output_type": "stream", "name": "stdout", "text": "".join(f"line {n}\n" for n in range(1000))}],
    "table": [{"output_type": "display_data", "data": {"text/html": TABLE}, "metadata": {}}],
    "drawing": [{"output_type": "display_data", "data": {"image/svg+xml": SVG}, "metadata": {}}],
    "picture": [{"output_type": "display_data", "data": {"image/png": b64encode(png(7)).decode()}, "metadata": {}}],
    "moving": [{"output_type": "display_data", "data": {"text/html": jshtml(png(1), png(2))}, "metadata": {}}],
    "formula": [{"output_type": "display_data", "data": {"text/latex": "$\\alpha^2$"}, "metadata": {}}],
    "mixed": [{"output_type": "display_data", "data": {"text/markdown": "*if* $\\beta$ **so**"}, "metadata": {}}],
    "error": [{"output_type": "error", "ename": "E", "evalue": "bad", "traceback": ["\x1b[1mE\x1b[0m: bad & worse"]}],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("book")
    builder = PageBuilder("index", ("pytorch",))
    builder.prose("# The Book\n")
    for name, outputs in OUTPUTS.items():
        builder.prose(f"## Output {name}")
        builder.add(CellKind.CODE, f"{name} = 1", outputs=outputs)
    builder.prose("## Output hidden")
    builder.code("secret = 1", text="seen\n", tags=frozenset({"hide-input"}))
    page = builder.page()
    config = make_config(root, frameworks=(PYTORCH,))
    context = RenderContext(config, make_book(page), ("pytorch",), root / "_build" / "pytorch" / "epub")
    result = render_epub([page], context)
    assert result.findings == ()
    with ZipFile(result.path) as archive:
        return {name.removeprefix("EPUB/"): archive.read(name) for name in archive.namelist()}


def part(made: dict[str, bytes], name: str) -> str:
    """Return what stands below a heading."""
    return made["text/index.xhtml"].decode().partition(f"Output {name}</h2>")[2].partition("<h2>")[0]


def test_pages_are_well_formed_and_nothing_runs(made: dict[str, bytes]) -> None:
    ElementTree.fromstring(made["text/index.xhtml"])
    assert b"<script" not in made["text/index.xhtml"]


def test_printed_text_is_whole_with_its_colours(made: dict[str, bytes]) -> None:
    assert '<span class="ansi-front-red">red</span> &lt; plain' in part(made, "colours")
    assert "line 0\n" in part(made, "long")
    assert "line 999</pre>" in part(made, "long")
    assert "bad &amp; worse" in part(made, "error")


def test_tables_are_xhtml_and_their_styles_stand_in_the_head(made: dict[str, bytes]) -> None:
    table = part(made, "table")
    assert "<td>1<br />\xa02</td>" in table
    assert "<style" not in table
    assert b"color: red" in made["text/index.xhtml"].partition(b"</head>")[0].replace(b"color:red", b"color: red")


def test_drawings_stay_drawings_and_pictures_pictures(made: dict[str, bytes]) -> None:
    images = [name for name in made if "/_images/" in name]
    assert sorted(name.rpartition(".")[2] for name in images) == ["png", "png", "svg"]
    drawing = next(made[name] for name in images if name.endswith(".svg"))
    assert b'<path id="blank" d="M0 0"' in drawing
    assert "Figure: words" in part(made, "drawing")


def test_of_an_animation_the_last_frame_is_left(made: dict[str, bytes]) -> None:
    moving = part(made, "moving")
    assert moving.count("<img") == 1
    assert "The last frame of an animation" in moving
    assert png(2) in made.values()
    assert not any(b"acTL" in content for content in made.values())


def test_formulas_of_outputs_are_formulas(made: dict[str, bytes]) -> None:
    assert 'alttext="\\alpha^2"' in part(made, "formula")
    mixed = part(made, "mixed")
    assert 'alttext="\\beta"' in mixed
    assert 'xmlns="http://www.w3.org/1998/Math/MathML"' in mixed
    assert "<strong>so</strong>" in mixed


def test_what_is_hidden_can_be_opened(made: dict[str, bytes]) -> None:
    hidden = part(made, "hidden")
    assert '<details class="d2l-hidden"><summary>Code</summary>' in hidden
    assert hidden.index("</details>") < hidden.index("seen")
