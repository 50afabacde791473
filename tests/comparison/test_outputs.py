"""Outputs of one cell, compared as a reader would."""

import base64
import io
from typing import Any

import pytest
from PIL import Image, ImageDraw

from d2lbuild.comparison.outputs import Kind, compare_outputs
from d2lbuild.model import Output

SVG = """<?xml version="1.0"?><svg><metadata><dc:date>{date}</dc:date></metadata>
<defs><path id="m{name}" d="M0 0L{x} 3.5"/></defs>
<use href="#m{name}" x="{x}"/><g clip-path="url(#p{name})"/>{more}</svg>"""


def printed(text: str, name: str = "stdout") -> Output:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: Any) -> Output:
    return {"output_type": "display_data", "data": {key.replace("_", "/"): value for key, value in data.items()}}


def drawing(date: str = "2026", name: str = "0123456789", x: float = 10.0, more: str = "") -> Output:
    return {"output_type": "display_data", "data": {"image/svg+xml": SVG.format(date=date, name=name, x=x, more=more)}}


def picture(at: int, *, size: int = 64, width: int = 2) -> Output:
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).line([(0, at), (size, size - at)], fill="black", width=width)
    data = io.BytesIO()
    image.save(data, "PNG")
    return {"output_type": "display_data", "data": {"image/png": base64.b64encode(data.getvalue()).decode()}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("loss 0.25\n", "loss 0.2501\n"),
        ("<Net object at 0x7f1234567890>", "<Net object at 0x7fabcdef0123>"),
        ("took 1.25 sec\n", "took 0.5 sec\n"),
        ("31 ms ± 2 ms per loop", "45 ms ± 1 ms per loop"),
        ("123.4 examples/sec", "99.1 examples/sec"),
        ("at 2026-01-01T10:00:00Z", "at 2026-11-20T11:30:00Z"),
        ("/tmp/tmpab12cd/x", "/tmp/tmpef34/x"),
        ("[1., 2.]", "[1.0, 2.0]"),
        ("  a   b", "a b"),
        ("nan inf", "nan inf"),
    ],
)
def test_what_counts_as_the_same(before: str, after: str) -> None:
    assert compare_outputs([printed(before)], [printed(after)], 0.001) == []


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("loss 0.25", "loss 0.26", Kind.NUMBERS),
        ("1.0", "nan", Kind.NUMBERS),
        ("0.0", "0.5", Kind.NUMBERS),
        ("loss 0.25", "error 0.25", Kind.TEXT),
        ("[1, 2]", "[1, 2, 3]", Kind.TEXT),
        ("torch.float32", "torch.float64", Kind.TEXT),
    ],
)
def test_what_differs(before: str, after: str, kind: Kind) -> None:
    (found,) = compare_outputs([printed(before)], [printed(after)], 0.001)
    assert (found.kind, found.before, found.after) == (kind, before, after)


def test_the_greatest_change_is_told() -> None:
    (found,) = compare_outputs([printed("1.0 2.0 100")], [printed("1.0 1.0 101")], 0.001)
    assert found.change == pytest.approx(0.5)
    assert compare_outputs([printed("1.0 2.0")], [printed("1.0 1.9")], 0.06) == []


def test_pieces_of_a_stream_and_warnings_do_not_count() -> None:
    before = [printed("a\n"), printed("warned", "stderr"), printed("b\n")]
    assert compare_outputs(before, [printed("a\nb\n")], 0) == []


def test_another_number_of_outputs() -> None:
    (found,) = compare_outputs([printed("a"), shown(text_plain="b")], [printed("a")], 0)
    assert (found.kind, found.before, found.after) == (Kind.COUNT, "a\nb", "a")


def test_errors() -> None:
    one: Output = {"output_type": "error", "ename": "ValueError", "evalue": "at 0x7f0000000001", "traceback": ["x"]}
    same = one | {"evalue": "at 0x7f0000000002", "traceback": ["y"]}
    assert compare_outputs([one], [same], 0) == []
    (found,) = compare_outputs([one], [one | {"ename": "TypeError"}], 0)
    assert found.kind is Kind.ERROR
    (found,) = compare_outputs([printed("fine")], [one], 0)
    assert (found.before, found.after) == ("fine", "ValueError: at 0x7f0000000001")


def test_a_table_is_compared_by_what_it_says() -> None:
    one = shown(text_html="<table><td>1</td></table>", text_plain="1")
    assert compare_outputs([one], [shown(text_html="<table class=x><td>1</td></table>", text_plain="1")], 0) == []


def test_drawings_are_the_same_where_only_names_dates_and_hairs_differ() -> None:
    assert compare_outputs([drawing()], [drawing(date="1999", name="abcdef0123", x=10.05)], 0.001) == []


@pytest.mark.parametrize("other", [drawing(x=20.0), drawing(more="<path d='M0 0'/>"), shown(text_plain="no drawing")])
def test_other_drawings(other: Output) -> None:
    (found,) = compare_outputs([drawing()], [other], 0.001)
    assert found.kind is Kind.FIGURE
    assert found.pictures[0].startswith("data:image/svg+xml;base64,")


def test_pictures_are_compared_by_how_they_look() -> None:
    assert compare_outputs([picture(4)], [picture(4, width=3)], 0) == []
    (found,) = compare_outputs([picture(4)], [picture(60)], 0)
    assert found.kind is Kind.FIGURE
    assert compare_outputs([picture(4)], [picture(4, size=256)], 0) != []
    broken = shown(image_png="no picture")
    assert compare_outputs([broken], [broken], 0) == []
    assert compare_outputs([broken], [picture(4)], 0) != []
