from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.config import find_book, load_config, loading
from d2lbuild.errors import SetupError, UsageError

Write = Callable[[str, str], Path]

TOML = '[book]\nname = "new"\ntitle = "New"\nframeworks = ["jax"]\nchapters = "."\n'
INI = "[project]\nname = old\n[build]\ntabs = jax\n"


@pytest.mark.parametrize("name", ["conf/book.toml", "config.ini"])
def test_the_nearest_folder_with_a_configuration_is_the_book(book: Path, write: Write, name: str) -> None:
    write(name, "")
    inner = book / "chapters" / "deep"
    inner.mkdir(parents=True)
    assert find_book(inner) == book
    assert find_book(book) == book
    (inner / "config.ini").write_text("", encoding="utf-8")
    assert find_book(inner) == inner


def test_where_there_is_no_book_the_message_says_what_one_is(book: Path) -> None:
    with pytest.raises(UsageError, match="there is no book in") as caught:
        find_book(book)
    assert "conf/book.toml" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_folder_without_a_configuration_is_not_a_book(book: Path, defaults: Path) -> None:
    with pytest.raises(UsageError, match="is not a book"):
        load_config(book, defaults=defaults)
    with pytest.raises(UsageError, match="does not exist"):
        load_config(book / "nowhere", defaults=defaults)


def test_the_new_kind_goes_before_the_old_one(book: Path, defaults: Path, write: Write) -> None:
    old = write("config.ini", INI)
    assert load_config(book, defaults=defaults).name == "old"
    new = write("conf/book.toml", TOML)
    assert load_config(book, defaults=defaults).name == "new"
    assert load_config(old, defaults=defaults).name == "old"
    by_file = load_config(new, defaults=defaults)
    assert (by_file.name, by_file.root) == ("new", book)


def test_a_relative_path_gives_an_absolute_root(
    book: Path, defaults: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("config.ini", INI)
    monkeypatch.chdir(book)
    assert load_config(Path(), defaults=defaults).root == book
    assert find_book(Path()) == book


def test_a_book_has_one_name_however_it_is_called(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", TOML)
    (book / "chapters").mkdir()
    assert load_config(book / ".." / book.name, defaults=defaults).root == book
    assert load_config(book / "chapters" / ".." / "conf" / "book.toml", defaults=defaults).root == book
    assert find_book(book / "chapters" / ".." / "conf") == book


def test_an_installation_without_definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "d2lbuild" / "config" / "loading.py"))
    with pytest.raises(SetupError, match="definitions that belong to d2lbuild are missing"):
        loading.default_frameworks()
