"""The files beside the sections that notebooks may read."""

from pathlib import Path

from d2lbuild.config import load_config
from d2lbuild.source.data_files import data_files, resource_files
from tests.books import CONF, write_book

FILES = {"index.md": "# Book\n", "a/one.md": "# One\n", "a/data.csv": "1\n", "a/.hidden": "", "img/x.svg": "<svg/>"}


def test_data_are_resources_and_what_lies_beside_sections(tmp_path: Path) -> None:
    config = load_config(write_book(tmp_path, FILES))
    assert [name for name, _ in data_files(config)] == ["a/data.csv", "img/x.svg"]
    assert [name for name, _ in resource_files(config)] == ["img/x.svg"]


def test_a_resource_may_be_one_file(tmp_path: Path) -> None:
    conf = CONF.replace('["img"]', '["img/*.svg"]')
    config = load_config(write_book(tmp_path, {**FILES, "img/y.txt": ""}, conf=conf))
    assert list(resource_files(config)) == [("img/x.svg", tmp_path / "chapters" / "img" / "x.svg")]
