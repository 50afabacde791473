"""Which form of an output a page shows, and how."""

import copy
import json
import re
from base64 import b64encode
from collections.abc import Sequence

import pytest

from d2lbuild.model import Output
from d2lbuild.rendering.outputs import Displayed, OutputSettings, displayed

from .test_animation import jshtml, png

PNG = b64encode(png(10)).decode()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9"><!-- epoch --><text>loss</text></svg>'
OBJECT = "<IPython.core.display.HTML object>"
WIDGET = "application/vnd.jupyter.widget-view+json"


def data(bundle: dict[str, object], **metadata: object) -> Output:
    return {"output_type": "display_data", "data": bundle, "metadata": metadata}


def stream(text: str, name: str = "stdout") -> Output:
    return {"output_type": "stream", "name": name, "text": text}


def show(*outputs: Output, tags: Sequence[str] = (), stderr: bool = False) -> Displayed:
    before = copy.deepcopy(outputs)
    shown = displayed(outputs, "cell", frozenset(tags), OutputSettings(stderr=stderr))
    assert outputs == before, "notebooks keep the outputs as they came"
    assert all(len(one["data"]) == 1 for one in shown.outputs)
    json.dumps(shown.outputs)
    return shown


def kinds(*outputs: Output) -> list[str]:
    return [kind for one in show(*outputs).outputs for kind in one["data"]]


def html(*outputs: Output, tags: Sequence[str] = (), stderr: bool = False) -> str:
    return "\n".join(one["data"]["text/html"] for one in show(*outputs, tags=tags, stderr=stderr).outputs)


def words(text: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", text).split())


# --- the choice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bundle", "kind"),
    [
        ({"image/png": PNG, "image/svg+xml": SVG, "text/plain": "<Figure>"}, "image/svg+xml"),
        ({"image/png": PNG, "image/svg+xml": "<svg", "text/plain": "<Figure>"}, "image/png"),
        ({"image/png": PNG, "image/svg+xml": SVG + " " * 2_000_000}, "image/png"),
        ({"image/svg+xml": SVG + " " * 2_000_000}, "image/svg+xml"),
        ({"image/png": "no base64!", "text/plain": "x"}, "text/html"),
        ({"image/png": b64encode(b"no picture").decode(), "text/plain": "x"}, "text/html"),
        ({"image/jpeg": b64encode(b"\xff\xd8\xff\xe0").decode(), "text/plain": "x"}, "image/jpeg"),
        ({"image/gif": b64encode(b"GIF89a").decode(), "text/plain": "x"}, "image/gif"),
        ({"image/webp": b64encode(b"RIFF0000WEBP").decode(), "text/plain": "x"}, "text/html"),
        ({"text/latex": r"$\displaystyle x$", "image/png": PNG, "text/plain": "x"}, "text/latex"),
        ({"text/html": "<p>a</p>", "image/png": PNG}, "text/html"),
        ({"text/html": "<div></div><script>draw()</script>", "image/png": PNG}, "image/png"),
        ({"text/html": "<b>a</b>", "text/latex": "$x$"}, "text/html"),
    ],
)
def test_the_form_that_says_most(bundle: dict[str, object], kind: str) -> None:
    assert kinds(data(bundle)) == [kind]


@pytest.mark.parametrize(
    ("bundle", "seen"),
    [
        ({"text/plain": "3"}, "3"),
        ({WIDGET: {"model_id": "a"}, "text/plain": "IntSlider(value=7)"}, "IntSlider(value=7)"),
        (
            {"text/html": "<form><input></form> rerun this cell", "text/plain": "LinearRegression()"},
            "LinearRegression()",
        ),
        ({"text/html": "<b>a</b><script>x</script>", "text/plain": OBJECT}, "a"),
        (
            {"application/json": {"a": [1, "ä"]}, "text/plain": "<IPython.core.display.JSON object>"},
            '{ "a": [ 1, "ä" ] }',
        ),
        ({"application/json": {"a": 1}, "text/plain": "Record(a=1)"}, "Record(a=1)"),
        ({"text/markdown": "*a* <script>x</script>", "text/plain": OBJECT}, "a"),
        ({"text/latex": "Let $x$ be <b>", "text/plain": OBJECT}, r"Let \(x\) be &lt;b&gt;"),
        (
            {"text/latex": r"\begin{tabular}{l}a\end{tabular}", "text/plain": OBJECT},
            r"\begin{tabular}{l}a\end{tabular}",
        ),
        ({"text/latex": r"$\href{javascript:x}{a}$", "text/plain": "a"}, "a"),
        ({"text/html": ["<i>", "a</i>"]}, "a"),
    ],
)
def test_what_is_read(bundle: dict[str, object], seen: str) -> None:
    assert words(html(data(bundle))) == seen


@pytest.mark.parametrize(
    "output",
    [
        stream(""),
        stream("\n \n"),
        data({}),
        data({"text/plain": ""}),
        data({"text/plain": None}),
        data({WIDGET: {"model_id": "a"}}),
        data({"application/x-unknown": "a"}),
        data({"application/javascript": "alert(1)", "text/plain": "<IPython.core.display.Javascript object>"}),
        data({"text/html": "<style>p { color: red }</style>", "text/plain": OBJECT}),
        {"output_type": "unheard of"},
    ],
)
def test_what_shows_nothing_takes_no_room(output: Output) -> None:
    assert show(output) == Displayed()


def test_what_needs_scripts_says_so() -> None:
    assert "interactive" in html(data({"text/html": "<div id=a></div><script>draw()</script>"}))


def test_what_would_load_becomes_a_link() -> None:
    shown = html(data({"text/html": '<p>a</p><iframe src="https://x.org/?a=1&b=2"></iframe>', "text/plain": OBJECT}))
    assert '<a href="https://x.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow">' in shown
    assert "<p>a</p>" in shown
    assert "iframe" not in shown


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_have_names() -> None:
    said = data({"image/png": PNG}, **{"image/png": {"alt": "A  cat", "width": 20.4, "height": "x"}})
    figure = data({"image/png": PNG, "text/plain": "<Figure size 350x250 with 1 Axes>"})
    shown = show(data({"image/svg+xml": SVG}), said, figure, data({"image/png": PNG}))
    assert [picture["name"] for picture in shown.pictures] == ["Figure: epoch, loss", "A cat", "Figure", "Image"]
    assert [one["metadata"] for one in shown.outputs] == [{}, {"image/png": {"width": 20}}, {}, {}]


def test_the_name_of_a_drawing_is_short() -> None:
    labels = "".join(f"<text>label{letter} is long</text>" for letter in "abcdefghijklmnopq")
    (picture,) = show(data({"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg">{labels}</svg>'})).pictures
    assert picture["name"].startswith("Figure: labela is long, labelb")
    assert len(picture["name"]) < 140


def test_an_animation_is_its_last_frame_and_plays_when_asked() -> None:
    shown = show(data({"text/html": jshtml(png(10), png(20)), "text/plain": OBJECT}))
    assert [list(one["data"]) for one in shown.outputs] == [["image/png"], ["image/png"]]
    assert shown.outputs[0]["data"]["image/png"] == b64encode(png(20)).decode()
    assert shown.pictures[1]["folded"] == "Play the animation (2 frames)"


# --- printed text -----------------------------------------------------------------------------------------------------


def test_stderr_is_not_published_unless_wanted() -> None:
    outputs = stream("a\n"), stream("warned\n", "stderr"), stream("b\n")
    assert html(*outputs).count("<pre>") == 1
    assert words(html(*outputs)) == "a b"
    shown = html(*outputs, stderr=True)
    assert re.findall(r'd2l-output d2l-(\w+)"', shown) == ["stdout", "stderr", "stdout"]
    assert words(shown) == "a warned b"
    assert words(html(*outputs, stderr=True, tags=["remove-stderr"])) == "a b"
    assert words(html(*outputs, stderr=True, tags=["remove-stdout"])) == "warned"


def test_long_text_scrolls_and_can_be_scrolled_by_keys() -> None:
    short, long = (html(stream("x\n" * count)) for count in (30, 31))
    assert short == f'<div class="d2l-output d2l-stdout"><pre>{"x".join([""] + [chr(10)] * 29 + [""])}</pre></div>'
    assert 'class="d2l-output d2l-stdout d2l-long" data-lines="31 lines" tabindex="0" role="region"' in long
    assert 'aria-label="Output, 31 lines"' in long
    assert "d2l-very-long" in html(stream("x\n" * 1000))
    assert 'data-lines="1,000 lines"' in html(stream("x\n" * 1000))


def test_wide_text_can_be_scrolled_by_keys() -> None:
    assert "tabindex" not in html(stream("x" * 80))
    assert 'tabindex="0" role="region" aria-label="Output"' in html(stream("\x1b[31m" + "x" * 81))


def test_a_table_scrolls_in_its_box() -> None:
    table = html(data({"text/html": "<table class='dataframe'><tr><td>1</td></tr></table>"}))
    assert table.startswith('<div class="d2l-output d2l-html" tabindex="0" role="region" aria-label="Table">')
    assert "d2l-own-colours" not in table
    coloured = html(data({"text/html": "<table><tr><td style='background-color: yellow'>1</td></tr></table>"}))
    assert "d2l-own-colours" in coloured


def test_the_names_in_html_are_those_of_one_output() -> None:
    one = data({"text/html": "<p id=a>x</p>"})
    assert re.findall(r'id="([^"]*)"', html(one, one)) == ["out-cell-0-a", "out-cell-1-a"]


# --- errors -----------------------------------------------------------------------------------------------------------


def error(name: str, message: str, *frames: str) -> Output:
    head = ["\x1b[31m" + "-" * 75 + "\x1b[39m", f"\x1b[31m{name}\x1b[39m          Traceback (most recent call last)"]
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": [*head, *frames]}


def test_an_error_says_what_it_is_and_where() -> None:
    shown = html(
        error(
            "ValueError",
            "no <b>",
            "Cell \x1b[32mIn[3]\x1b[39m, line 1\n----> f()\n",
            "\x1b[31mValueError\x1b[39m: no <b>",
        )
    )
    assert '<div class="d2l-output d2l-error" role="group" aria-label="Error">' in shown
    assert '<p class="d2l-error-name">ValueError: no &lt;b&gt;</p>' in shown
    assert '<span class="ansi-front-green">In[3]</span>, line 1' in shown
    assert "----------" not in shown
    assert "most recent call" not in shown
    assert shown.count("no &lt;b&gt;") == 1


def test_a_long_message_is_whole_below() -> None:
    shown = html(error("E", "one\ntwo", "frame", "E: one\ntwo"))
    assert words(shown) == "E: one frame E: one two"
    assert "x" * 400 in html(error("E", "x" * 400, "frame", "E: " + "x" * 400))


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/home/a/.cache/d2lbuild/environments/jax-0b51/lib/python3.11/site-packages/jax/core.py:1", "jax/core.py:1"),
        ("/usr/lib/python3/dist-packages/numpy/core.py:1", "numpy/core.py:1"),
        ("/usr/lib/python3.11/random.py:1", "random.py:1"),
        ("/home/a/book/_build/lib/d2l/torch.py:21", "d2l/torch.py:21"),
        ("/tmp/d2lab_12x9z/book/chapters/data.py:1", "chapters/data.py:1"),
        ("https://x.org/lib/python3.11/a.py", "https://x.org/lib/python3.11/a.py"),
    ],
)
def test_paths_of_the_machine_are_not_published(path: str, seen: str) -> None:
    shown = html(error("E", "m", f"File {path}, in f", f'File "{path}"', f"\x1b[32m{path}\x1b[39m"))
    assert words(shown) == f'E: m File {seen}, in f File "{seen}" {seen}'
    assert words(html(stream(f"{path}: Warning", "stderr"), stderr=True)) == f"{seen}: Warning"
