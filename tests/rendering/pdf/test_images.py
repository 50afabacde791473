"""Images for LaTeX: named by their content, converted once."""

import shutil
from pathlib import Path

import pytest

from d2lbuild.rendering.pdf.images import bring_images, image_name

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'
needs_converter = pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="rsvg-convert is not installed")


def test_names_say_nothing_but_the_content(tmp_path: Path) -> None:
    for name, content in (("a b#%.svg", DRAWING), ("copy.svg", DRAWING), ("图.PNG", "x"), ("c.jpeg", "x")):
        (tmp_path / name).write_text(content, "utf-8")
    names = [image_name(tmp_path / name) for name in ("a b#%.svg", "copy.svg", "图.PNG", "c.jpeg", "absent.svg")]
    assert names[0] == names[1]
    assert [name[24:] for name in names] == [".pdf", ".pdf", ".png", ".jpeg", ""]
    assert all(name[:24].isalnum() for name in names[:4])


def test_pictures_are_copied_and_others_removed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "old.pdf").touch()
    assert list(bring_images({"x.png": tmp_path / "a.png"}, folder)) == []
    assert [path.name for path in folder.iterdir()] == ["x.png"]


@needs_converter
def test_a_drawing_is_converted_once(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(DRAWING, "utf-8")
    images, folder = {"x.pdf": tmp_path / "a.svg"}, tmp_path / "images"
    assert list(bring_images(images, folder)) == []
    made = (folder / "x.pdf").read_bytes()
    assert made.startswith(b"%PDF")
    (folder / "x.pdf").write_bytes(b"ours")
    assert list(bring_images(images, folder)) == []
    assert (folder / "x.pdf").read_bytes() == b"ours"
    (folder / "x.pdf").unlink()
    list(bring_images(images, folder))
    assert (folder / "x.pdf").read_bytes() == made


@needs_converter
def test_what_cannot_be_converted_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg", "utf-8")
    ((name, reason),) = bring_images({"x.pdf": tmp_path / "a.svg"}, tmp_path / "images")
    assert name == "x.pdf"
    assert reason
    assert list((tmp_path / "images").iterdir()) == []
