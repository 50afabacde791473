"""Whatever an output holds, nothing of it runs, loads, or reaches the page around it."""

from html.parser import HTMLParser
from xml.etree import ElementTree as Tree

import tinycss2
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.rendering.outputs import OutputSettings, displayed
from d2lbuild.rendering.outputs.safe_css import safe_rules
from d2lbuild.rendering.outputs.safe_svg import safe_svg

PIECES = [
    *("<script>", "</script>", "<style>", "</style>", "<svg>", "</svg>", "<math>", "<mtext>", "<table>", "<td>", "<p>"),
    *("<!--", "-->", "<![CDATA[", "]]>", "<noscript>", "<template>", "<title>", "<textarea>", "<select>", "<xmp>"),
    *('<img src="https://x.org/a.png" onerror="alert(1)">', "<img src=x onerror=alert(1)>", "<b onclick=x id=top>"),
    *('<a href="javascript:alert(1)">', "<iframe src=//x.org>", '<p style="position:fixed;background:url(//x.org)">'),
    *(
        "<link rel=stylesheet href=//x.org>",
        "<base href=//x.org>",
        "<foreignObject>",
        '<p title="',
        '">',
        "'",
        "/",
        "a",
    ),
    *("p { background: url(//x.org) } ", "p { color: red } ", "@import '//x.org'; ", "\x00", "&lt;", "\\", "{", "}"),
]
HTML = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.styles = ""
        self._style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        self.styles += data if self._style else ""


def is_harmless(html: str) -> bool:
    seen = Seen(html)
    names = [name for name, _ in seen.attributes]
    loads = [value for name, value in seen.attributes if name in ("src", "action", "data", "poster", "srcset")]
    links = [value for name, value in seen.attributes if name == "href"]
    styles = " ".join([seen.styles, *(value for name, value in seen.attributes if name == "style")])
    return (
        not {"script", "iframe", "object", "embed", "link", "base", "meta", "form", "svg", "math"} & seen.tags
        and not any(name.startswith("on") or name == "srcdoc" for name in names)
        and all(value.lower().startswith(("data:image/", "data:audio/", "data:video/")) for value in loads)
        and all(value.lower().startswith(("https://", "http://", "mailto:", "#out-")) for value in links)
        and not any(word in styles.lower() for word in ("url", "@import", "position", "expression"))
    )


@given(HTML)
def test_html_is_harmless(html: str) -> None:
    for kind in ("text/html", "text/markdown"):
        output = {"output_type": "display_data", "data": {kind: html}, "metadata": {}}
        shown = displayed([output], "cell", frozenset(), OutputSettings())
        for one in shown.outputs:
            assert is_harmless(one["data"]["text/html"]), one


@given(st.text() | HTML)
def test_printed_text_is_text(text: str) -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": text}
    error = {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}
    for one in displayed([stream, error], "cell", frozenset(), OutputSettings()).outputs:
        seen = Seen(one["data"]["text/html"])
        assert seen.tags <= {"div", "pre", "p", "span"}
        assert {name for name, _ in seen.attributes} <= {
            "class",
            "style",
            "role",
            "aria-label",
            "tabindex",
            "data-lines",
        }


@given(st.text(alphabet="<>/{}()@:;,.#*'\"\\-ab \n!") | HTML)
def test_rules_stay_in_their_scope(css: str) -> None:
    rules = safe_rules(css, "out-1")
    assert "</" not in rules
    for rule in tinycss2.parse_stylesheet(rules, skip_comments=True, skip_whitespace=True):
        assert rule.type == "qualified-rule"
        selectors = tinycss2.serialize(rule.prelude).split(",")
        assert all(selector.strip().startswith(".out-1 ") for selector in selectors)


@given(HTML)
def test_drawings_are_harmless(inside: str) -> None:
    drawing = safe_svg(f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>")
    if drawing is None:
        return
    for element in Tree.fromstring(drawing.text).iter():
        assert element.tag.rpartition("}")[2] in ("svg", "style", "title", "g")
        values = [*element.attrib.values(), (element.text or "") if element.tag.endswith("style") else ""]
        assert not any(name.startswith("on") for name in element.attrib)
        assert not any("x.org" in value or "alert" in value for value in values)
