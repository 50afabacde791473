from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.rendering.epub.xhtml import as_xhtml

SVG = "http://www.w3.org/2000/svg"


def there(address: str) -> bool:
    return address == "_images/a.png"


@pytest.mark.parametrize(
    ("html", "xhtml"),
    [
        ("a<br>b<hr>", "a<br />b<hr />"),
        ("a &amp; b &lt; c &nbsp;&alpha;&#8804; & d", "a &amp; b &lt; c \xa0α≤ &amp; d"),
        ("<p>a<p>b<div>c</div>", "<p>a</p><p>b</p><div>c</div>"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("<table><tr><td>1<th>2<tr><td>3</table>", "<table><tr><td>1</td><th>2</th></tr><tr><td>3</td></tr></table>"),
        ("</b>a<i>b</b>c", "a<i>bc</i>"),
        ('<td width="3" align=left bgcolor="red">x</td>', "<td>x</td>"),
        ('<font color="red">a</font><center>b</center>', "<span>a</span><div>b</div>"),
        ('<b onclick="x" tabindex="0" @click="y" class="c" class="d">a</b>', '<b class="c">a</b>'),
        ("<script>a < b</script>x<iframe src='y'>z</iframe>", "x"),
        ('<img src="_images/a.png"><img src="https://x.y/b.png" alt="b">',
         '<img src="_images/a.png" alt="" /><em>b</em>'),
        ('<a href="a.csv">a</a><a href="https://x.y">b</a><a href="a.xhtml#c">d</a>',
         '<a>a</a><a href="https://x.y">b</a><a href="a.xhtml#c">d</a>'),
        ('<i id="a">x</i><i id="a">y</i>', '<i id="a">x</i><i>y</i>'),
        ('<svg viewBox="0 0 1 1"><sodipodi:x/><use xlink:href="#x" inkscape:y="1"/><linearGradient id="x"/></svg>',
         f'<svg viewBox="0 0 1 1" xmlns="{SVG}"><use href="#x"></use><linearGradient id="x"></linearGradient></svg>'),
        ('<math display="block"><mspace width="1em" /></math>',
         '<math display="block" xmlns="http://www.w3.org/1998/Math/MathML"><mspace width="1em"></mspace></math>'),
    ],
)  # fmt: skip
def test_what_html_becomes(html: str, xhtml: str) -> None:
    assert as_xhtml(html, there).text == xhtml


def test_styles_go_to_the_head() -> None:
    found = as_xhtml("<style scoped>#a > b { color: red }</style><p>x</p>", there)
    assert (found.text, found.styles) == ("<p>x</p>", "#a > b { color: red }")


@given(
    st.lists(
        st.sampled_from(
            [
                "<b>",
                "</b>",
                "<p>",
                "<br>",
                "<td>",
                "<li a=1>",
                "</ul>",
                "&x;",
                "<!--",
                "<svg",
                ">",
                "x",
                "\0",
                "<style>",
            ]
        )
    )
)
def test_whatever_comes_is_well_formed(pieces: list[str]) -> None:
    ElementTree.fromstring(f"<a>{as_xhtml(''.join(pieces), there).text}</a>")
