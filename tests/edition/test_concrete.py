"""Cells as concrete syntax trees."""

import pytest

from d2lbuild.edition.code import CodeError
from d2lbuild.edition.concrete import concrete, text_of


@pytest.mark.parametrize("source", ["x = (1,\n  2)  # two\n", "%time f()\n!ls", "", "# only\n\n"])
def test_text_comes_back(source: str) -> None:
    assert text_of(concrete(source)) == source


@pytest.mark.parametrize("source", ["x = (", "class A(b=1, *c): pass", "x = a if b else(lambda: c)"])
def test_what_cannot_be_read_is_an_error_of_the_cell(source: str) -> None:
    """The last two are Python, and LibCST does not know them."""
    with pytest.raises(CodeError):
        concrete(source)
