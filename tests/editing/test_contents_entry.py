"""A new section in a table of contents."""

from pathlib import Path

import pytest

from d2lbuild.editing.contents_entry import add_entry, nearest_contents
from tests.books import INDEX, configuration, write_book
from tests.editing.conftest import NAMES


def test_the_nearest_index_names_it(tmp_path: Path) -> None:
    config = configuration(write_book(tmp_path, {"index.md": INDEX, "part/index.md": "# Part\n"}))
    chapters = config.root / "chapters"
    assert nearest_contents(config, "part/new") == (chapters / "part" / "index.md", "new")
    assert nearest_contents(config, "part/deep/new") == (chapters / "part" / "index.md", "deep/new")
    assert nearest_contents(config, "other/new") == (chapters / "index.md", "other/new")
    assert nearest_contents(config, "other/index") == (chapters / "index.md", "other/index")
    assert nearest_contents(config, "index") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```toc\n:numbered:\n\none\n```\n", "```toc\n:numbered:\n\none\nnew\n```\n"),
        ("```toc\r\none\r\n\r\n```\r\n\r\nx", "```toc\r\none\r\nnew\r\n\r\n```\r\n\r\nx"),
        ("```toc\n```\n", "```toc\nnew\n```\n"),
        ("```toc\na\n```\n\n```toc\nb\n```\n", "```toc\na\n```\n\n```toc\nb\nnew\n```\n"),
        ("```toc\nnew\n```\n\n```toc\nb\n```\n", "```toc\nnew\n```\n\n```toc\nb\n```\n"),
    ],
)
def test_it_stands_below_the_last_entry(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "index.md"
    path.write_bytes(text.encode())
    assert add_entry(path, "new", NAMES)
    assert path.read_bytes().decode() == expected


def test_without_a_table_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "index.md"
    path.write_text("# T\n")
    assert not add_entry(path, "new", NAMES)
    assert path.read_text() == "# T\n"
