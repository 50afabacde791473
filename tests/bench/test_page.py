"""The manual's page of figures is made of the results."""

import pytest

from bench import page, results
from bench.plotted import plotted
from tests.bench import small

WANTED = """\
| | d2lbuild | d2lbook |
|---|---|---|
| cold | 2.00 s | 10.0 s (5.0×) |
| unchanged | 0.05 s | 10.0 s (200×) |"""
COUNTED = """\
| | d2lbuild | must | d2lbook |
|---|---|---|---|
| prose | 0 | 0 | **1 ✗** |
| a cell | 1 | 1 | 1 |
| a comment | 1 | either | 0 |"""


@pytest.mark.parametrize(("work", "wanted"), [("library", WANTED), ("changes", COUNTED)])
def test_tables(work: str, wanted: str) -> None:
    assert page.table(small.results()[work]) == wanted


def test_only_the_marked_region_changes() -> None:
    text = f"before\n{page.BEGIN}\nwords of last year\n{page.END}\nafter\n"
    made = page.with_results(text, small.results())
    assert made.startswith(f"before\n{page.BEGIN}\n\nNothing that was measured is slower")
    assert made.endswith(f"{page.END}\nafter\n")
    assert "last year" not in made
    assert WANTED in made
    assert "- Jupyter Book 1: was not asked." in made
    assert page.with_results(made, small.results()) == made


def test_a_page_without_a_region() -> None:
    with pytest.raises(ValueError, match="has no region"):
        page.with_results("text", small.results())


def test_who_is_faster_stands_first_and_has_a_reason() -> None:
    found = small.results()
    slow = small.Rows()
    slow.note("cold", "d2lbuild", 4.0)
    slow.note("cold", "d2lbook", 2.0)
    found["library"] = small.result("library", slow)
    made = page.with_results(page.BEGIN + page.END, found)
    assert "- The library, cold: 2.0 times d2lbook." in made
    assert page.unexplained(found) == ["library: cold: d2lbook is faster: say why in bench/page.py"]


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234 s"), (99.94, "99.9 s"), (3.14159, "3.14 s"), (0.0, "0.00 s")]
)
def test_figures(value: float, text: str) -> None:
    assert page.shown(value, "s") == text


def test_the_page_is_current() -> None:
    text = page.PAGE.read_text("utf-8")
    assert page.with_results(text, results.read()) == text, "run `python -m bench.page`, and commit what it writes"


def test_what_is_drawn() -> None:
    drawn = plotted(small.results())
    assert drawn["speed"] == [("library: cold", "d2lbook", 5.0), ("library: unchanged", "d2lbook", 200.0)]
    assert drawn["growth"] == {"website": [(1, 2.0), (3, 6.0), (10, 18.0)]}
    assert "scale" not in drawn
