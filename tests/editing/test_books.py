"""Every section of a real book, opened and saved for every framework: not a byte changes."""

import os
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.editing.layout import lay_out
from d2lbuild.editing.notebook import notebook_for_editing
from d2lbuild.editing.write_back import write_back
from d2lbuild.source.book import framework_names, load_sections
from tests.editing.conftest import saved

BOOK = Path(os.environ.get("CORPUS") or Path(__file__).parents[2])


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(BOOK)


def test_opened_and_saved_unchanged_is_the_same(config: Config) -> None:
    names = framework_names(config)
    count = 0
    for section in load_sections(config).values():
        if section.path.suffix != ".md":
            continue
        text = (config.root / section.path).read_bytes().decode("utf-8")
        for framework in names.book:
            before = notebook_for_editing(text, framework, names)
            written = write_back(text, before, saved(before), framework, names)
            assert written.text == text, (section.path, framework)
            assert written.notes == ()
            count += 1
    assert count


def test_what_a_piece_shows_stands_in_its_lines(config: Config) -> None:
    names = framework_names(config)
    for section in load_sections(config).values():
        text = (config.root / section.path).read_bytes().decode("utf-8")
        layout = lay_out(text, names)
        assert "".join(layout.lines) == text
        for piece in layout.pieces:
            raw = layout.lines[piece.shown[0] : piece.shown[1]]
            assert [line.rstrip("\r\n") for line in raw if line.strip()] == [
                piece.prefix + one for one in piece.texts if one.strip()
            ]
