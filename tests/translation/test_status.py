"""A small book and its translation: how sections stand, and how the translation follows."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.cli.app import run
from d2lbuild.config import load_config
from d2lbuild.errors import UsageError
from d2lbuild.source.book import load_book
from d2lbuild.translation.origin import origin_of
from d2lbuild.translation.status import Standing, accept, translation_status
from tests.books import CONF, write_book
from tests.test_affected import git

LONG = "many words that say what this section is about and no other one does in all the book\n"
ORIGIN = {
    "index.md": "# Book\n\n```toc\none\ntwo\nsub/renamed\n```\n",
    "one.md": "# One\n\nFirst words of it.\n\n```{.python .input}\n#@tab all\nx = 1  # one\n```\n",
    "two.md": "# Two\n",
    "sub/renamed.md": f"# Renamed\n\n{LONG}",
}
TRANSLATION = {
    "index.md": "# Buch\n\n```toc\none\nmoved\nours\n```\n",
    "one.md": "# Eins\n\nErste Worte.\n\n```{.python .input}\n#@tab all\nx = 1  # eins\n```\n",
    "one_origin.md": ORIGIN["one.md"],
    "moved.md": "# Verschoben\n",
    "moved_origin.md": f"# Name before\n\n{LONG}",
    "ours.md": "# Von uns\n",
}
CONF_HERE = f'{CONF}[translation]\norigin = "../origin"\n'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write_book(tmp_path / "origin", ORIGIN)
    return write_book(tmp_path / "here", TRANSLATION, conf=CONF_HERE)


def standings(here: Path, *sections: str) -> dict[str, Standing]:
    config = load_config(here)
    with origin_of(config) as origin:
        return {one.section: one.standing for one in translation_status(config, origin, sections)}


def change(here: Path, name: str, old: str, new: str) -> None:
    path = here.parent / "origin" / "chapters" / name
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_how_sections_stand(here: Path) -> None:
    assert standings(here) == {
        "index": Standing.UNKNOWN,
        "one": Standing.CURRENT,
        "moved": Standing.GONE,
        "ours": Standing.OWN,
        "two": Standing.NEW,
        "sub/renamed": Standing.NEW,
    }
    assert standings(here, "sub") == {"sub/renamed": Standing.NEW}
    with pytest.raises(UsageError, match="no section 'tow'") as caught:
        standings(here, "one", "tow")
    assert caught.value.hint == "did you mean 'two'?"
    config = load_config(here)
    with origin_of(config) as origin:
        (moved,) = translation_status(config, origin, ["moved"])
    assert moved.moved == "sub/renamed"


def test_what_has_changed_since_and_that_it_is_followed(here: Path) -> None:
    change(here, "one.md", "First words", "The first words")
    change(here, "one.md", "x = 1", "x = 2")
    config = load_config(here)
    with origin_of(config) as origin:
        (one,) = translation_status(config, origin, ["one"])
        assert one.standing is Standing.OUTDATED
        assert [each.kind.value for each in one.changes] == ["changed", "changed"]
        assert one.places == (3, 5)
        assert [(each.before and each.before.first, each.after and each.after.first) for each in one.code] == [(5, 5)]
        (written,) = accept(config, origin, ["one"])
        assert written.read_bytes() == (origin.root / "chapters/one.md").read_bytes()
        (one,) = translation_status(config, origin, ["one"])
        assert (one.standing, one.changes) == (Standing.CURRENT, ())
        assert len(one.code) == 1


def test_nothing_is_written_if_a_section_is_not_in_both(here: Path) -> None:
    config = load_config(here)
    before = {path: path.read_bytes() for path in here.rglob("*.md")}
    with origin_of(config) as origin:
        for name, what in (("two", "the translation"), ("ours", "the origin")):
            with pytest.raises(UsageError, match=f"no section '{name}' in {what}"):
                accept(config, origin, ["one", name])
    assert {path: path.read_bytes() for path in here.rglob("*.md")} == before


def test_an_unmarked_cell_of_the_copy_is_for_the_first_framework_of_the_translation(here: Path) -> None:
    unmarked, marked = "```{.python .input}\nx = 1\n```\n", "```{.python .input}\n#@tab jax\nx = 1\n```\n"
    (here / "conf/book.toml").write_text(CONF_HERE.replace('["pytorch", "jax"]', '["jax", "pytorch"]'), "utf-8")
    (here / "chapters/one_origin.md").write_text(f"# One\n\n{unmarked}", "utf-8")
    (here.parent / "origin/chapters/one.md").write_text(f"# One\n\n{marked}", "utf-8")
    assert standings(here, "one") == {"one": Standing.CURRENT}


def test_copies_are_no_orphans_of_a_translation(here: Path) -> None:
    assert load_book(load_config(here)).orphans == ()
    (here / "conf/book.toml").write_text(CONF, "utf-8")
    assert load_book(load_config(here)).orphans == ("moved_origin", "one_origin")


# --- which book is the origin ---


def test_an_origin_may_be_a_revision(here: Path) -> None:
    top = here.parent / "origin"
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "one")
    git(top, "tag", "v1")
    change(here, "one.md", "First", "Other")
    assert standings(here, "one") == {"one": Standing.OUTDATED}
    config = load_config(here)
    with origin_of(config, f"{top}@v1") as origin:
        assert translation_status(config, origin, ["one"])[0].standing is Standing.CURRENT
    with pytest.raises(UsageError, match="unknown revision"), origin_of(config, f"{top}@v2"):
        pass


@pytest.mark.parametrize(("conf", "message"), [(CONF, "nothing says"), (f"{CONF}[translation]\n", "nothing says")])
def test_a_book_may_not_know_its_origin(tmp_path: Path, conf: str, message: str) -> None:
    config = load_config(write_book(tmp_path / "here", TRANSLATION, conf=conf))
    with pytest.raises(UsageError, match=message), origin_of(config):
        pass
    with pytest.raises(UsageError, match="there is no book at"), origin_of(config, str(tmp_path / "nowhere")):
        pass


# --- the command ---


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["translate", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    shutil.rmtree(here.parent / "origin/chapters/sub")
    change(here, "index.md", "sub/renamed\n", "")
    change(here, "one.md", "First words", "The first words")
    code, out, err = said(capsys, "status")
    assert code == 0
    rows = [line.split() for line in out.splitlines()[1:]]
    assert rows == [["unknown", "index"], ["outdated", "one", "1", "changed"], ["gone", "moved"], ["new", "two"]]
    assert err.splitlines()[-1] == "5 sections: 1 unknown, 1 outdated, 1 gone, 1 own, 1 new"
    assert said(capsys, "status", "--check")[0] == 4
    code, out, _ = said(capsys, "status", "one")
    assert out.splitlines() == [
        "one: outdated: 1 changed",
        "  changed: chapters/one_origin.md:3-3 → chapters/one.md:3-3 (near chapters/one.md:3): The first words of it.",
    ]
    assert said(capsys, "accept", "one")[:2] == (0, f"{here / 'chapters/one_origin.md'}\n")
    assert said(capsys, "status", "one", "--check")[0] == 0
    found: Any = json.loads(said(capsys, "status", "--json", "--origin", "../origin")[1])
    assert [one["status"] for one in found] == ["unknown", "current", "gone", "own", "new"]
    assert found[1]["copy"] == "chapters/one_origin.md"
    assert said(capsys, "accept", "on")[0] == 2
