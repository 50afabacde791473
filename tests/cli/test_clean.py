from pathlib import Path

import pytest

from tests.cli.conftest import Run


def _made(folder: Path) -> Path:
    (folder / "html").mkdir(parents=True)
    (folder / "html" / "index.html").write_text("x")
    (folder / ".d2lbuild").write_text("")
    return folder


def test_removes_what_a_build_made_and_nothing_else(run: Run, book: Path) -> None:
    built = _made(book / "_build")
    told = run("clean")
    assert (told.code, told.out) == (0, f"removed {built}\n")
    assert sorted(path.name for path in book.iterdir()) == ["chapters", "conf"]


def test_nothing_to_remove(run: Run, book: Path) -> None:
    told = run("clean")
    assert (told.code, told.out) == (0, "")
    assert "nothing to remove" in told.err


def test_a_folder_that_others_made_stays(run: Run, book: Path) -> None:
    (book / "_build").mkdir()
    (book / "_build" / "thesis.tex").write_text("x")
    told = run("clean")
    assert told.code == 2
    assert "was not made by d2lbuild" in told.err
    assert (book / "_build" / "thesis.tex").exists()


def test_a_link_stays(run: Run, book: Path, tmp_path: Path) -> None:
    elsewhere = _made(tmp_path / "elsewhere")
    (book / "_build").symlink_to(elsewhere)
    assert run("clean").code == 2
    assert (elsewhere / "html" / "index.html").exists()


def test_a_folder_outside_of_the_book_stays(run: Run, book: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    _made(elsewhere / "inner")
    (book / "out").symlink_to(elsewhere)
    conf = book / "conf" / "book.toml"
    conf.write_text(conf.read_text() + '\n[output]\nfolder = "out/inner"\n')
    told = run("clean")
    assert told.code == 2
    assert "outside" in told.err or "inside" in told.err
    assert (elsewhere / "inner" / "html" / "index.html").exists()


def test_what_cannot_be_removed_is_one_sentence(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rmtree(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    _made(book / "_build")
    monkeypatch.setattr("shutil.rmtree", rmtree)
    told = run("clean")
    assert (told.code, told.err) == (1, f"error: {book / '_build'}: Permission denied\n")
