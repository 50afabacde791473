"""Every section of our book, opened and saved for every framework: not a byte changes. See tests/corpus for others."""

from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.editing.layout import lay_out
from d2lbuild.editing.notebook import notebook_for_editing
from d2lbuild.editing.write_back import write_back
from d2lbuild.source.book import framework_names, load_sections
from tests.editing.conftest import saved


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(Path(__file__).parents[2])


def texts(config: Config) -> dict[str, str]:
    """Return the sections that are Markdown."""
    paths = (section.path for section in load_sections(config).values())
    return {str(path): (config.root / path).read_bytes().decode("utf-8") for path in paths if path.suffix == ".md"}


def check_open_and_save(config: Config) -> int:
    """Open and save everything; return how many notebooks that were."""
    names = framework_names(config)
    found = texts(config)
    for path, text in found.items():
        for framework in names.book:
            before = notebook_for_editing(text, framework, names)
            written = write_back(text, before, saved(before), framework, names)
            assert written.text == text, (path, framework)
            assert written.notes == ()
    return len(found) * len(names.book)


def test_opened_and_saved_unchanged_is_the_same(config: Config) -> None:
    assert check_open_and_save(config) > 100


def test_what_a_piece_shows_stands_in_its_lines(config: Config) -> None:
    names = framework_names(config)
    for text in texts(config).values():
        layout = lay_out(text, names)
        assert "".join(layout.lines) == text
        for piece in layout.pieces:
            raw = layout.lines[piece.shown[0] : piece.shown[1]]
            assert [line.rstrip("\r\n") for line in raw if line.strip()] == [
                piece.prefix + one for one in piece.texts if one.strip()
            ]
