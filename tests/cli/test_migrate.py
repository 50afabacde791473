"""`d2lbuild migrate`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.starting.old_book import CONFIG, write_old_book


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_old_book(tmp_path / "old")
    monkeypatch.chdir(root)
    return root


def test_a_check_shows_all_and_writes_nothing(run: Run, old: Path) -> None:
    before = sorted(old.rglob("*"))
    ran = run("migrate", "--check")
    assert ran.code == 0
    assert 'title = "Ein \\"Buch\\""' in ran.out
    assert f"{old}/frameworks/paddle/framework.toml" in ran.out
    assert "note: `style` of [pdf] goes nowhere (" in ran.err
    assert ran.err.endswith("would write 8 files\n")
    assert sorted(old.rglob("*")) == before


def test_in_place_and_a_copy(run: Run, old: Path, tmp_path: Path) -> None:
    ran = run("migrate", "--output", "../new")
    assert ran.code == 0
    assert str(tmp_path / "new" / "conf" / "book.toml") in ran.out
    assert run("check", "--book", "../new").code == run("check").code
    assert run("migrate", "--in-place").code == 0
    assert (old / "config.ini.old").is_file()
    assert run("migrate", "--check").code == 2


def test_what_changes_pages_fails(run: Run, tmp_path: Path) -> None:
    write_old_book(tmp_path / "odd", CONFIG.replace("lang = de", "lang = deutsch?"))
    assert run("migrate", "--check", "--book", str(tmp_path / "odd")).code == 1


@pytest.mark.parametrize("options", [(), ("--check", "--in-place"), ("--in-place", "--output", "x")])
def test_one_place_has_to_be_named(run: Run, old: Path, options: tuple[str, ...]) -> None:
    ran = run("migrate", *options)
    assert ran.code == 2
    assert "one of --check, --output DIR and --in-place" in ran.err
