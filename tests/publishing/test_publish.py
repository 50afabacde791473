"""Publishing: only what has changed, nothing that is not ours, and right after a break."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lbuild.cli.app import run
from d2lbuild.errors import UsageError
from d2lbuild.publishing.manifest import MANIFEST, read_manifest
from d2lbuild.publishing.places import Branch, Folder, Remote, place_of
from d2lbuild.publishing.publish import publish
from tests.books import write_book
from tests.test_affected import git

SITE = {"index.html": "1", "a/page.html": "2", "_static/x.js": "3", "a b/书.png": "4"}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Make a folder hold these files and no others."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Return the files of a folder, but what is ours alone."""
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}
    # What begins with a dot may be left behind by a machine that goes off.
    return {name: text for name, text in found.items() if not name.startswith(".")}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "site", SITE)


def test_a_folder_gets_what_has_changed_and_keeps_what_is_foreign(tmp_path: Path, source: Path) -> None:
    target = write(tmp_path / "www", {"CNAME": "book.example", "a/other.txt": "mine"})
    place = Folder(target)
    first = publish(source, place)
    assert set(first.write) == SITE.keys()
    assert first.write[-1] == "index.html"
    assert contents(target) == SITE | {"CNAME": "book.example", "a/other.txt": "mine"}
    stamps = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    assert not publish(source, place)
    assert {path: path.stat().st_mtime_ns for path in target.rglob("*")} == stamps
    write(source, {"index.html": "1", "a/page.html": "new", "b/c/d.html": "5"})
    second = publish(source, place)
    assert (second.write, second.remove) == (("a/page.html", "b/c/d.html"), ("_static/x.js", "a b/书.png"))
    assert contents(target) == contents(source) | {"CNAME": "book.example", "a/other.txt": "mine"}
    assert not (target / "_static").exists()


def test_a_dry_run_changes_nothing(tmp_path: Path, source: Path) -> None:
    assert set(publish(source, Folder(tmp_path / "www"), dry_run=True).write) == SITE.keys()
    assert not (tmp_path / "www").exists()


def test_a_foreign_file_in_the_way_is_an_error_and_an_equal_one_is_taken_over(tmp_path: Path, source: Path) -> None:
    target = write(tmp_path / "www", {"index.html": "mine", "a/page.html": "2"})
    with pytest.raises(UsageError, match=r"index\.html"):
        publish(source, Folder(target))
    assert contents(target) == {"index.html": "mine", "a/page.html": "2"}
    (target / "index.html").unlink()
    assert "a/page.html" not in publish(source, Folder(target)).write
    write(source, {"index.html": "1"})
    assert "a/page.html" in publish(source, Folder(target)).remove


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "a\\b", ""])
def test_a_manifest_can_name_nothing_elsewhere(name: str) -> None:
    assert read_manifest(f'{{"files": {{"{name}": "x", "good": "y"}}}}'.replace("\\", "\\\\").encode()) == {"good": "y"}
    assert read_manifest(b"damaged") == {}


class BreakError(Exception):
    """A machine that goes off."""


def breaking(place: Any, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a place break off at its n-th step."""
    steps = iter(range(10_000))

    def step(original: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            if next(steps) >= after:
                raise BreakError
            return original(*arguments, **options)

        return run

    if isinstance(place, Remote):
        monkeypatch.setattr(place, "_put", step(place._put))
        monkeypatch.setattr(place._files, "rm_file", step(place._files.rm_file))
    else:
        monkeypatch.setattr(Path, "replace", step(Path.replace))
        monkeypatch.setattr(Path, "unlink", step(Path.unlink))


STATES = st.dictionaries(
    st.sampled_from(["index.html", "a.html", "b/c.js", "b/d.png"]), st.sampled_from("xyz"), min_size=1
)


@pytest.mark.parametrize("kind", ["folder", "remote"])
@settings(max_examples=50)
@given(states=st.lists(st.tuples(STATES, st.integers(0, 12)), min_size=2, max_size=5))
def test_after_a_break_the_next_time_gives_the_whole(
    kind: str, states: list[tuple[dict[str, str], int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("places")
    memory = fsspec.filesystem("memory")
    address = f"memory://{top.name}"
    place: Any = Folder(top / "www") if kind == "folder" else Remote(address)
    for files, steps in states:
        source = write(top / "site", files)
        with pytest.MonkeyPatch.context() as patched:
            breaking(place, steps, patched)
            try:
                publish(source, place)
            except BreakError:
                continue
    source = write(top / "site", {"index.html": "last", "b/d.png": "x"})
    publish(source, place)
    if kind == "folder":
        assert contents(top / "www") == contents(source)
    else:
        names = [name for name in memory.find(f"/{top.name}") if not name.endswith(MANIFEST)]
        assert sorted(names) == [f"/{top.name}/b/d.png", f"/{top.name}/index.html"]
        memory.rm(f"/{top.name}", recursive=True)


def test_a_branch_gets_one_commit_and_no_other_without_changes(tmp_path: Path, source: Path) -> None:
    root = write(tmp_path / "book", {"README.md": "book"})
    git(root, "init", "-q")
    git(root, "config", "user.name", "A")
    git(root, "config", "user.email", "a@b")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")

    def said(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout

    publish(source, Branch(root, "gh-pages"))
    assert said("show", "gh-pages:a b/书.png") == "4"
    first = said("rev-parse", "gh-pages")
    assert not publish(source, Branch(root, "gh-pages"))
    assert said("rev-parse", "gh-pages") == first
    write(source, {"index.html": "2"})
    publish(source, Branch(root, "gh-pages"))
    assert said("rev-parse", "gh-pages~1") == first
    assert said("ls-tree", "-r", "--name-only", "gh-pages").split() == [MANIFEST, "index.html"]
    assert said("status", "--porcelain") == ""
    assert (root / "README.md").read_text("utf-8") == "book"
    with pytest.raises(UsageError, match="the branch of the book itself"):
        Branch(root, said("branch", "--show-current").strip())


def test_what_places_are_called(tmp_path: Path) -> None:
    assert isinstance(place_of("memory://x/y", tmp_path), Remote)
    assert isinstance(place_of(str(tmp_path / "www"), tmp_path), Folder)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match="is a file"):
        place_of(str(tmp_path / "file"), tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_book(tmp_path / "book", {"index.md": "# Book\n"})
    target = tmp_path / "www"
    options = ["--book", str(root)]
    assert run(["deploy", str(target), *options]) == 2
    assert "run `d2lbuild build --to html`" in capsys.readouterr().err
    write(root / "_build" / "pytorch" / "html", SITE)
    assert run(["deploy", str(target), *options, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "write index.html"
    assert run(["deploy", str(target), *options]) == 0
    assert "4 files written, 0 removed, 0 as they are" in capsys.readouterr().err
    assert contents(target) == SITE
    assert run(["deploy", str(target), *options, "--push", "origin"]) == 2


def test_a_file_that_a_break_took_away_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Folder(tmp_path / "www")
    whole, less = {"index.html": "1", "a.png": "2", "b.js": "3"}, {"index.html": "1", "b.js": "3"}
    publish(write(tmp_path / "site", whole), place)
    for files, steps in ((less, 2), ({"index.html": "1", "a.png": "2"}, 1)):
        source = write(tmp_path / "site", files)
        with monkeypatch.context() as patched:
            breaking(place, steps, patched)
            with pytest.raises(BreakError):
                publish(source, place)
    source = write(tmp_path / "site", whole)
    publish(source, place)
    assert contents(tmp_path / "www") == whole
