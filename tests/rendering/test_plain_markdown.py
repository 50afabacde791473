from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import pytest

from d2lbuild.model import Book, Label, LabelKind, Span
from d2lbuild.rendering.plain_markdown import PlainContext, label_numbers, plain_markdown

from .pages import make_section

ONE, TWO = PurePosixPath("chapters/ch/one.md"), PurePosixPath("chapters/two.md")
LABELS = (
    Label("sec_one", LabelKind.SECTION, Span(ONE, 2, 2), text="One with $x$"),
    Label("fig_a", LabelKind.FIGURE, Span(ONE, 5, 5), text="A caption"),
    Label("fig_b", LabelKind.FIGURE, Span(ONE, 9, 9)),
    Label("tab_a", LabelKind.TABLE, Span(ONE, 12, 12)),
    Label("eq_a", LabelKind.EQUATION, Span(ONE, 15, 15)),
    Label("sec_two", LabelKind.SECTION, Span(TWO, 2, 2), text="The *Second* One"),
    Label("eq_two", LabelKind.EQUATION, Span(TWO, 9, 9)),
    Label("sec_gone", LabelKind.SECTION, Span(PurePosixPath("chapters/gone.md"), 2, 2), text="Gone"),
)


@pytest.fixture
def context(tmp_path: Path) -> PlainContext:
    (tmp_path / "chapters" / "img").mkdir(parents=True)
    (tmp_path / "chapters" / "img" / "a b.svg").write_text("<svg/>", encoding="utf-8")
    sections = {name: make_section(name) for name in ("ch/one", "two", "gone")}
    for name, section in sections.items():
        mine = tuple(label for label in LABELS if label.span.path == section.path)
        sections[name] = replace(section, labels=mine)
    book = Book("ch/one", sections, _by_name())
    return PlainContext(
        root=tmp_path,
        book=book,
        section=sections["ch/one"],
        pages=frozenset({"ch/one", "two"}),
        numbers=label_numbers(book),
        image=lambda file: quote(f"../img/{file.name}"),
    )


def _by_name() -> Mapping[str, Label]:
    return {label.name: label for label in LABELS}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# One\n:label:`sec_one`\n\nText", "# One\n\nText"),
        (
            "See :numref:`sec_two` and :ref:`sec_one`.",
            "See [The *Second* One](../two.ipynb) and [One with $x$](one.ipynb).",
        ),
        ("See :numref:`fig_b`, :numref:`tab_a`, :eqref:`eq_a`.", "See Fig. 2, Table 1, (1)."),
        ("See :eqref:`eq_two` and :numref:`sec_gone`.", "See [(1)](../two.ipynb) and *Gone*."),
        ("See :numref:`nothing`.", "See \\[nothing?\\]."),
        ("By :cite:`a,b` and :citet:`c`; :class:`Net`.", "By (a,b) and (c); `Net`."),
        ("(**Shown**) and [**new slide**] and (~~only there~~)end.", "Shown and new slide and end."),
        ("`:numref:` in code and $x_1$ stay.", "`:numref:` in code and $x_1$ stay."),
        ("$$y = x$$\n:eqlabel:`eq_a`", "$$y = x \\tag{1}$$"),
        ("A [link](../two.md) and [out](https://x.example).", "A [link](../two.ipynb) and [out](https://x.example)."),
        ("A section [*without*](../gone.md) a page.", "A section *without* a page."),
        ("Before\n\n:bibliography:`d2l.bib`", "Before"),
    ],
)
def test_marks_become_words_and_links(source: str, expected: str, context: PlainContext) -> None:
    assert plain_markdown(source, context) == expected


def test_a_figure_has_its_caption_below(context: PlainContext) -> None:
    source = "![A caption, see :numref:`tab_a`.](<../img/a b.svg>)\n:label:`fig_a`\n\nNext"
    expected = "![A caption, see Table 1.](../img/a%20b.svg)\n\n**Fig. 1** *A caption, see Table 1.*\n\nNext"
    assert plain_markdown(source, context) == expected


def test_a_width_is_kept(context: PlainContext) -> None:
    text = plain_markdown("![Wide](<../img/a b.svg>)\n:width:`300px`", context)
    assert text.startswith('<img src="../img/a%20b.svg" alt="Wide" width="300px">')


def test_a_table_has_its_caption_above(context: PlainContext) -> None:
    source = ":Words of :cite:`k`\n\n|a|b|\n|-|-|\n|1|2|\n:label:`tab_a`\n"
    assert plain_markdown(source, context) == "**Table 1** *Words of (k)*\n\n|a|b|\n|-|-|\n|1|2|"
