"""The works of a bibliography in words."""

from pathlib import Path, PurePosixPath

from d2lbuild.model import Span
from d2lbuild.source.works import Work, read_works, references

FILE = PurePosixPath("refs.bib")
BIBTEX = """\
@article{one,
  author = {M{\\"u}ller, Ada and van Rossum, Guido},
  title = {On {GPU}s},
  journal = {A Journal},
  year = {1999}
}
@book{many,
  editor = {A, B and C, D and E, F},
  title = {Three}, publisher = {P}, year = {2001}
}
@misc{bare, title = {Nobody}}
"""


def write(root: Path, text: str) -> Path:
    (root / FILE).write_text(text, encoding="utf-8")
    return root


def test_works_have_people_a_year_a_title_and_a_place(tmp_path: Path) -> None:
    found = read_works(write(tmp_path, BIBTEX), [FILE])
    assert found["one"] == Work(Span(FILE, 1, 1), ("Müller", "van Rossum"), "1999", "On GPUs")
    assert found["many"].people == ("A", "C", "E")
    assert found["bare"] == Work(Span(FILE, 11, 11), (), "", "Nobody")


def test_people_as_a_text_names_them(tmp_path: Path) -> None:
    found = read_works(write(tmp_path, BIBTEX), [FILE])
    assert found["one"].who() == "Müller and van Rossum"
    assert found["one"].who(two="和") == "Müller和van Rossum"
    assert found["many"].who(many=" u. a.") == "A u. a."
    assert found["one"].summary == "Müller and van Rossum, On GPUs, 1999"
    assert found["bare"].summary == "Nobody"


def test_of_two_entries_with_one_key_the_first_counts(tmp_path: Path) -> None:
    write(tmp_path, BIBTEX)
    other = PurePosixPath("more.bib")
    (tmp_path / other).write_text("@misc{one, title = {Another}}\n", encoding="utf-8")
    assert read_works(tmp_path, [FILE, other])["one"].title == "On GPUs"


def test_works_of_a_broken_file_have_a_place_and_no_words(tmp_path: Path) -> None:
    root = write(tmp_path, "@article{one,\n  title = {Open\n")
    assert read_works(root, [FILE]) == {"one": Work(Span(FILE, 1, 1))}
    assert references(root, [FILE]) == {}


def test_what_latex_does_not_know_stays(tmp_path: Path) -> None:
    root = write(tmp_path, "@misc{one, title = {A \\unknown{thing}}}\n")
    assert read_works(root, [FILE])["one"].title == "A \\unknown thing"


def test_works_as_they_stand_in_a_list(tmp_path: Path) -> None:
    found = references(write(tmp_path, BIBTEX), [FILE])
    assert found["one"].startswith("Ada Müller and Guido van Rossum. On GPUs.")
    assert "1999" in found["one"]


def test_a_work_that_lacks_what_its_style_needs_is_in_no_list(tmp_path: Path) -> None:
    root = write(tmp_path, "@article{bare, title = {No journal}}\n@misc{whole, title = {A}, year = {2000}}\n")
    assert list(references(root, [FILE])) == ["whole"]


def test_what_only_looks_like_a_work_has_a_place_and_no_words(tmp_path: Path) -> None:
    assert read_works(write(tmp_path, "\n@comment{one, title = {T}}\n"), [FILE]) == {"one": Work(Span(FILE, 2, 2))}
