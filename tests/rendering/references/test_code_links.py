import io
import re
from html import unescape

import pytest
from pygments.lexers import PythonLexer  # type: ignore[import-untyped,unused-ignore]

from d2lbuild.rendering.references.code_links import LinkingFormatter, linked_tokens

LINKS = {"Net": "api.html#Net", "plot": "api.html#plot"}


def linked(code: str) -> list[str]:
    """Return the pieces of code that are links."""
    tokens = PythonLexer().get_tokens(code)
    runs = linked_tokens(tokens, "d2l", LINKS)
    return ["".join(value for _, value in run) for address, run in runs if address]


@pytest.mark.parametrize(
    ("code", "pieces"),
    [
        ("d2l.plot(x, d2l.Net())", ["d2l.plot", "d2l.Net"]),
        ("@d2l.plot(d2l.Net)\ndef f(): pass", ["@d2l.plot", "d2l.Net"]),
        ("d2l.Net.plot", ["d2l.Net"]),
        ("other.d2l.Net, d2l.other, d2l, my_d2l.Net, d2l.Network", []),
        ("'d2l.Net'  # d2l.Net\n'''d2l.Net'''", []),
        ("from d2l import torch as d2l\nimport d2l.Net", []),
    ],
)
def test_names_of_the_library_are_links(code: str, pieces: list[str]) -> None:
    assert linked(code) == pieces


def html(code: str, links: dict[str, str]) -> str:
    stream = io.StringIO()
    LinkingFormatter(links=links, package="d2l").format(PythonLexer().get_tokens(code), stream)
    return stream.getvalue()


def test_a_link_stands_around_the_tokens() -> None:
    opening = '<a class="d2l-name" href="api.html#plot">'
    tokens = '<span class="n">d2l</span><span class="o">.</span><span class="n">plot</span>'
    assert f"{opening}{tokens}</a>" in html("d2l.plot(x)", LINKS)


def test_everything_else_reads_as_without_links() -> None:
    code = "import x\nd2l.plot(a < 'b & c', '''two\nlines''')  # end\n"
    assert html(code, LINKS).count("<a ") == 1
    for links in (LINKS, {}):
        assert unescape(re.sub(r"<[^>]*>", "", html(code, links))).strip() == code.strip()
