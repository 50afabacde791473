"""The HTML of outputs as nodes."""

import pytest
from docutils import nodes

from d2lbuild.rendering.outputs.text_boxes import error_box, note, text_box
from d2lbuild.rendering.pdf.html_nodes import nodes_of_html


def read(html: str) -> list[nodes.Node]:
    return nodes_of_html([nodes.raw("", html, format="html")])


def words(html: str) -> list[tuple[str, str]]:
    return [(type(node).__name__, node.astext()) for node in read(html)]


def test_printed_text_keeps_its_lines_and_loses_its_colours() -> None:
    assert words(text_box("a  b\n\x1b[31mred\x1b[0m <x>\n", "stdout")) == [("literal_block", "a  b\nred <x>")]


def test_of_a_long_text_the_beginning_is_shown() -> None:
    ((kind, text),) = words(text_box("\n".join(map(str, range(300))), "stdout"))
    assert kind == "literal_block"
    assert text.split("\n")[-2:] == ["199", "… 100 more lines"]


def test_an_error_says_what_it_is_and_where_it_came_from() -> None:
    assert words(error_box("ValueError", "no", ["frame one"])) == [
        ("paragraph", "ValueError: no"),
        ("literal_block", "frame one"),
    ]
    assert words(note("Interactive.", ["https://example.org"])) == [("paragraph", "Interactive. https://example.org")]


def test_tables_have_as_many_columns_as_their_widest_row() -> None:
    (table,) = read(
        "<div><style>p{}</style><table><thead><tr><th></th><th>a</th><th>b</th></tr></thead><tbody>"
        "<tr><th>0</th><td>1 <b>x</b></td></tr><tr><td colspan='2'>wide</td><td>9</td></tr></tbody></table></div>"
    )
    assert isinstance(table, nodes.table)
    (group,) = table.findall(nodes.tgroup)
    assert group["cols"] == 3
    rows = [[entry.astext() for entry in row.findall(nodes.entry)] for row in table.findall(nodes.row)]
    assert rows == [["", "a", "b"], ["0", "1 x", ""], ["wide", "9"]]
    assert len(list(table.findall(nodes.thead))) == 1


def test_formulas_stay_in_their_sentence() -> None:
    found = nodes_of_html(
        [
            nodes.raw("", "<div><p>so <i>much", format="html"),
            nodes.math(text="x^2"),
            nodes.raw("", "</i> of it</p></div>", format="html"),
            nodes.image(uri="a.png"),
        ]
    )
    assert [type(node).__name__ for node in found] == ["paragraph", "image"]
    assert found[0].astext() == "so muchx^2 of it"


@pytest.mark.parametrize("html", ["", "<div></div>", "<script>x</script>", "</td></table></p>", "<p> </p>"])
def test_nothing_comes_of_nothing(html: str) -> None:
    assert words(html) == []


def test_lists_and_stray_items() -> None:
    assert words("<ul><li>a<li>b <code>c</code></ul>tail<br>more") == [
        ("bullet_list", "a\n\nb c"),
        ("paragraph", "tail more"),
    ]
