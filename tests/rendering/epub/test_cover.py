from pathlib import Path
from xml.etree import ElementTree

import pytest

from d2lbuild.rendering.epub.cover import cover_drawing
from tests.rendering.pages import PYTORCH, make_config

TITLES = ["X", "Deep Learning in Four Dialects", "动手学深度学习" * 4, "A " * 200, "Unbreakable" * 30]


def texts(drawing: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(drawing).iter() if one.tag.endswith("}text")]


@pytest.mark.parametrize("title", TITLES)
def test_any_title_stands_between_the_field_and_the_authors(tmp_path: Path, title: str) -> None:
    found = texts(cover_drawing(make_config(tmp_path, title=title), PYTORCH, None))
    heights = [int(one.get("y", "")) for one in found]
    assert heights == sorted(heights)
    assert len(set(heights)) == len(heights)
    assert [one.text for one in found[-3:]] == ["PyTorch", "Somebody", "1.0"]
    assert title.startswith(found[0].text or "?")


def test_a_title_of_several_words_is_broken_between_them(tmp_path: Path) -> None:
    found = texts(cover_drawing(make_config(tmp_path, title="Deep Learning in Four Dialects"), PYTORCH, None))
    assert [one.text for one in found[:-3]] == ["Deep Learning", "in Four", "Dialects"]


def test_the_logo_is_inside_of_the_drawing(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    config = make_config(tmp_path)
    assert "data:image/svg+xml;base64," in cover_drawing(config, PYTORCH, logo)
    assert "<image" not in cover_drawing(config, PYTORCH, tmp_path / "none.svg")
