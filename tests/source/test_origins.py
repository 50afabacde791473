"""Where a translation keeps the text that was translated."""

from pathlib import PurePosixPath

import pytest

from d2lbuild.source.origins import is_origin_copy, origin_copy


@pytest.mark.parametrize("file", ["page.md", "a/page.ipynb", "a/two.parts.md"])
def test_an_origin_lies_beside_its_section(file: str) -> None:
    copy = origin_copy(PurePosixPath(file))
    assert copy.parent == PurePosixPath(file).parent
    assert copy.suffix == ".md"
    assert is_origin_copy(copy)


@pytest.mark.parametrize("file", ["page.md", "_origin.md", "page_origin.ipynb", "a_origin/page.md"])
def test_other_files_are_no_origins(file: str) -> None:
    assert not is_origin_copy(PurePosixPath(file))
