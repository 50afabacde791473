from pathlib import Path

import pytest

from d2lbuild.cli.options import known, read_config, section_ids, words
from d2lbuild.errors import UsageError


def test_words_are_joined_by_commas_or_repeated() -> None:
    assert words(["a,b", "c", " d , e"]) == ("a", "b", "c", "d", "e")
    assert words(()) == ()


def test_an_unknown_word_has_the_nearest_one() -> None:
    assert known(["b", "a", "b"], ["a", "b"], "letter") == ("b", "a")
    with pytest.raises(UsageError, match="unknown output 'htm'") as caught:
        known(["htm"], ["html", "notebooks"], "output")
    assert caught.value.hint == "did you mean 'html'?"


def test_the_book_is_the_nearest_one(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(book / "chapters")
    assert read_config(None).root == book


def test_output_goes_elsewhere(book: Path, tmp_path: Path) -> None:
    assert read_config(None, Path("out")).output == book / "out"
    assert read_config(book, tmp_path / "x").output == tmp_path / "x"


@pytest.mark.parametrize("output", [".", "..", "chapters/.."])
def test_output_never_takes_the_place_of_the_book(book: Path, output: str) -> None:
    with pytest.raises(UsageError, match="holds the book itself"):
        read_config(None, Path(output))


def test_sections_are_ids_folders_or_files(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read_config(book)
    (book / "chapters" / "part").mkdir()
    assert section_ids(["one", "chapters/one.md", "one.md", "chapters/part/", "no/such"], config) == (
        *("one", "one", "one", "part"),
        "no/such",
    )
    monkeypatch.chdir(book / "chapters")
    assert section_ids(["one.md", "part/"], config) == ("one", "part")


def test_a_framework_among_the_sections_is_a_slip(book: Path) -> None:
    with pytest.raises(UsageError, match="'jax' is a framework") as caught:
        section_ids(["jax"], read_config(book))
    assert "--framework NAME,jax" in caught.value.hint
