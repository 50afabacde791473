"""What the prose of a section names."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.source.markdown import FrameworkNames, cut_section
from d2lbuild.source.reading import read_labels, read_section

CHAPTERS = Path(__file__).parents[2] / "chapters"
NAMES = FrameworkNames(("pytorch", "mxnet", "tensorflow", "jax"))


@pytest.mark.parametrize("path", sorted(CHAPTERS.rglob("*.md")), ids=lambda path: path.stem)
def test_labels_alone_are_those_of_the_whole(path: Path) -> None:
    section = cut_section(path.read_text(encoding="utf-8"), PurePosixPath(path.name), NAMES)
    whole = read_section(section).labels
    assert {one for one in whole if not one.name.startswith("eq_")} <= set(read_labels(section).labels) <= set(whole)


def test_nothing_but_labels_is_read() -> None:
    text = "# T\n:label:`sec_t`\n\nsee :numref:`x`, :nummref:`y`\n```\n```\n"
    section = cut_section(text, PurePosixPath("one.md"), NAMES)
    read = read_labels(section)
    assert [one.name for one in read.labels] == ["sec_t"]
    assert read == replace(section, labels=read.labels)
