"""Problems of a configuration, and reading its files."""

from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.problems import Problems, UnreadableError, read_text


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    problems = Problems()
    with pytest.raises(UnreadableError):
        read_text(tmp_path, PurePosixPath("here"), problems)
    assert [str(one) for one in problems.in_order()] == ["here:1: error: cannot be read: Is a directory [unreadable]"]


def test_line_ends_and_a_mark_of_the_encoding_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    assert read_text(file, PurePosixPath("x.toml"), Problems()) == "a\nb\n"
