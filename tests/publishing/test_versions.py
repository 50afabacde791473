"""Versions side by side: each in its folder, a list, a first page that leads to the latest one."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import pytest

from d2lbuild.cli.app import run
from d2lbuild.errors import UsageError
from d2lbuild.publishing.manifest import Changes
from d2lbuild.publishing.places import Folder, Place, Remote
from d2lbuild.publishing.publish import publish
from d2lbuild.publishing.versions import publish_version
from tests.books import write_book

from .test_publish import SITE, BreakError, breaking, contents, write


def _publish(source: Path, place: Place, version: str, **options: Any) -> Changes:
    return publish_version(source, place, version, title="A & B", language="en", **options)


def _list(folder: Path) -> Any:
    return json.loads((folder / "versions.json").read_text("utf-8"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "site", SITE)


def test_versions_lie_side_by_side(tmp_path: Path, source: Path) -> None:
    target = write(tmp_path / "www", {"CNAME": "book.example"})
    place = Folder(target)
    _publish(source, place, "1.0")
    assert _list(target) == {"latest": "1.0", "versions": [{"name": "1.0", "pages": ["a/page.html", "index.html"]}]}
    write(source, {"index.html": "2", "b.html": "x"})
    _publish(source, place, "1.10")
    assert _list(target)["latest"] == "1.0"
    assert 'url=1.0/index.html"' in (target / "index.html").read_text("utf-8")
    write(source, {"index.html": "3", ".nojekyll": ""})
    _publish(source, place, "1.9", latest=True)
    found = _list(target)
    assert (found["latest"], [one["name"] for one in found["versions"]]) == ("1.9", ["1.10", "1.9", "1.0"])
    first = (target / "index.html").read_text("utf-8")
    assert "<title>A &amp; B</title>" in first
    assert 'url=1.9/index.html"' in first
    assert "<script" not in first
    names = {name for name in contents(target) if name not in {"index.html", "versions.json"}}
    assert names == {"CNAME", *(f"1.0/{name}" for name in SITE), "1.10/index.html", "1.10/b.html", "1.9/index.html"}
    assert (target / ".nojekyll").is_file()
    assert not _publish(source, place, "1.9")


def test_a_version_that_is_published_again_is_replaced_and_no_other(tmp_path: Path, source: Path) -> None:
    place = Folder(tmp_path / "www")
    _publish(source, place, "1.0")
    _publish(source, place, "2.0")
    write(source, {"index.html": "new"})
    changes = _publish(source, place, "2.0")
    assert changes.remove == ("2.0/_static/x.js", "2.0/a b/书.png", "2.0/a/page.html")
    assert set(changes.write) == {"2.0/index.html", "versions.json"}
    assert {name for name in contents(tmp_path / "www") if name.startswith("1.0/")} == {f"1.0/{one}" for one in SITE}


def test_what_was_there_without_versions_stays_but_for_the_first_page(tmp_path: Path, source: Path) -> None:
    place = Folder(tmp_path / "www")
    publish(source, place)
    changes = _publish(source, place, "1.0")
    assert changes.remove == ()
    found = contents(tmp_path / "www")
    assert found["a/page.html"] == "2"
    assert "url=1.0/" in found["index.html"]
    with pytest.raises(UsageError, match="versions of the book lie there"):
        publish(source, place)
    with pytest.raises(UsageError, match="a is a folder of the book"):
        _publish(source, place, "a")


def test_a_foreign_list_or_first_page_is_left_alone(tmp_path: Path, source: Path) -> None:
    target = write(tmp_path / "www", {"versions.json": "[]"})
    with pytest.raises(UsageError, match=r"has not published: versions\.json"):
        _publish(source, Folder(target), "1.0")
    assert contents(target) == {"versions.json": "[]"}


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "versions.json", "index.html", "-x", "1 0"])
def test_what_can_be_no_version(tmp_path: Path, source: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a version"):
        _publish(source, Folder(tmp_path / "www"), name)


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("broken", ["1.0", "2.0"])
def test_after_a_break_all_versions_are_whole(tmp_path: Path, source: Path, steps: int, broken: str) -> None:
    name = f"versions-{steps}-{broken}"
    place: Any = Remote(f"memory://{name}")
    _publish(source, place, "1.0")
    more = write(tmp_path / "more", {**SITE, "index.html": "more", "more.html": "5"})
    with pytest.MonkeyPatch.context() as patched, suppress(BreakError):
        breaking(place, steps, patched)
        _publish(more, place, broken, latest=True)
    last = write(tmp_path / "last", {"index.html": "last"})
    _publish(last, place, "3.0", latest=True)
    _publish(source, place, "1.0")
    memory = fsspec.filesystem("memory")
    found = {one.removeprefix(f"/{name}/"): memory.cat_file(one).decode() for one in memory.find(f"/{name}")}
    memory.rm(f"/{name}", recursive=True)
    versions = json.loads(found["versions.json"])
    assert versions["latest"] == "3.0"
    expected = {f"1.0/{one}": text for one, text in SITE.items()} | {"3.0/index.html": "last"}
    if any(one["name"] == "2.0" for one in versions["versions"]):  # it did not break off
        expected |= {
            "2.0/more.html": "5",
            **{f"2.0/{one}": text for one, text in SITE.items()},
            "2.0/index.html": "more",
        }
    assert {one: text for one, text in found.items() if "/" in one} == expected


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_book(tmp_path / "book", {"index.md": "# Book\n"})
    target = tmp_path / "www"
    write(root / "_build" / "pytorch" / "html", SITE)
    options = ["--book", str(root)]
    assert run(["deploy", str(target), "--version", "1.0", "--dry-run", *options]) == 0
    assert "write 1.0/index.html" in capsys.readouterr().out
    assert not target.exists()
    assert run(["deploy", str(target), "--version", "1.0", *options]) == 0
    assert "6 files written, 0 removed" in capsys.readouterr().err
    assert run(["deploy", str(target), *options]) == 2
    assert "--version 1.0" in capsys.readouterr().err
    assert run(["deploy", str(target), "--latest", *options]) == 2
    assert run(["deploy", str(target), "--version", "1.0", "--from", "notebooks", *options]) == 2
