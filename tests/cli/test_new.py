"""`d2lbuild new`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_a_book_is_started_where_it_is_asked_for(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("new", "my-book", "-f", "jax,pytorch", "--title", "One")
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'my-book'}\n")
    assert ran.err == "next: cd my-book && d2lbuild build\n"
    assert 'frameworks = ["jax", "pytorch"]' in (tmp_path / "my-book" / "conf" / "book.toml").read_text("utf-8")
    assert run("check", "--book", "my-book").code == 0


def test_the_usual_framework_and_all_of_them(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("new", "one")
    assert 'frameworks = ["pytorch"]' in (tmp_path / "one" / "conf" / "book.toml").read_text("utf-8")
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "two")
    assert run("new", ".", "-f", "all").err == "next: d2lbuild build\n"
    assert 'frameworks = ["pytorch", "jax", ' in Path("conf", "book.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-f", "pytorhc"), "unknown framework 'pytorhc'\nhint: did you mean 'pytorch'?"),
        (("--ci", "gitlab"), "unknown service 'gitlab'\nhint: did you mean 'github'?"),
    ],
)
def test_what_it_does_not_know(run: Run, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    ran = run("new", str(tmp_path / "x"), *options)
    assert ran.code == 2
    assert said in ran.err
    assert not (tmp_path / "x").exists()


def test_a_folder_with_files_is_refused(run: Run, book: Path) -> None:
    assert run("new", ".").code == 2
