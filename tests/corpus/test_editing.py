"""A real book in Jupyter: opened and saved, not a byte of it changes; an edit changes nothing but its cell."""

from typing import Any

import pytest

from d2lbuild.config import Config
from d2lbuild.editing.notebook import cells_of, lines_of, notebook_for_editing
from d2lbuild.editing.reading_back import shown_to
from d2lbuild.editing.write_back import write_back
from d2lbuild.source.book import framework_names
from d2lbuild.source.prose import split_lines
from tests.editing.conftest import code, saved
from tests.editing.test_books import check_open_and_save, texts

pytestmark = pytest.mark.integration


def test_opened_and_saved_unchanged_is_the_same(corpus: Config) -> None:
    assert check_open_and_save(corpus)


def test_an_edit_changes_its_lines_and_a_new_cell_nobody_else(corpus: Config) -> None:
    names = framework_names(corpus)
    for number, (path, text) in enumerate(texts(corpus).items()):
        framework = names.book[number % len(names.book)]
        before = notebook_for_editing(text, framework, names)
        places = [n for n, cell in enumerate(cells_of(before)) if cell["cell_type"] == "code"]
        if not places:
            continue
        place = places[number % len(places)]
        first, end = lines_of(before["cells"][place])

        def edit(cells: list[Any], place: int = place) -> None:
            cells[place].source += "\nedited = 1"

        old = split_lines(text)
        new = split_lines(write_back(text, before, saved(before, edit), framework, names).text)
        assert (new[:first], new[end + 1 :]) == (old[:first], old[end:]), path

        def insert(cells: list[Any], place: int = place) -> None:
            cells.insert(place, code("inserted = 1"))

        made = write_back(text, before, saved(before, insert), framework, names).text
        for other in set(names.book) - {framework}:
            assert shown_to(made, other, names) == shown_to(text, other, names), path
