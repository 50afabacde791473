"""Sections are read once, and again when anything that they depend on has changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.edition.edition import make_edition
from d2lbuild.model import Section
from d2lbuild.source import book, kept
from d2lbuild.source.book import load_book
from d2lbuild.source.kept import KeptSections
from d2lbuild.source.reading import read_section
from tests.books import INDEX, write_book

ONE = "# One\n\n```{.python .input}\n#@tab pytorch\nx = 1  #@save\n```\n\n:numref:`two`"
FILES = {"index.md": INDEX, "one.md": ONE, "two.md": "# Two\n:label:`two`"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the sections that were read, as they come."""
    names: list[str] = []

    def noted(section: Section) -> Section:
        names.append(section.id)
        return read_section(section)

    monkeypatch.setattr(book, "read_section", noted)
    return names


def _load(root: Path) -> tuple[object, object]:
    """Return the book and an edition, read with what is kept in a folder beside it."""
    config = load_config(root)
    memory = KeptSections(config, root.parent / "sections")
    found = load_book(config, memory)
    edition = make_edition(config, tuple(found.sections.values()), "pytorch", memory)
    memory.save()
    bare = load_book(config)
    assert found == bare
    assert edition == make_edition(config, tuple(bare.sections.values()), "pytorch")
    return found, edition


def test_a_section_is_read_again_when_its_file_changes(tmp_path: Path, read: list[str]) -> None:
    root = write_book(tmp_path / "book", FILES)
    first = _load(root)
    del read[:]
    assert _load(root) == first
    assert read == ["index", "one", "two"]  # the second time by the load that has nothing kept
    (root / "chapters" / "two.md").write_text("# Two\n\nMore.\n", encoding="utf-8")
    del read[:]
    assert _load(root) != first
    assert read == ["two", "index", "one", "two"]


def test_what_is_damaged_or_of_another_program_is_read_again(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_book(tmp_path / "book", FILES)
    first = _load(root)
    file = tmp_path / "sections" / "one.pickle"
    file.write_bytes(file.read_bytes()[:-9])
    del read[:]
    assert _load(root) == first
    assert read[0] == "one"
    monkeypatch.setattr(kept, "_PACKAGES", ("markdown-it-py",))
    del read[:]
    assert _load(root) == first
    assert read[:3] == ["index", "one", "two"]


def test_other_frameworks_are_another_book(tmp_path: Path, read: list[str]) -> None:
    root = write_book(tmp_path / "book", FILES)
    config = load_config(root)
    memory = KeptSections(config, tmp_path / "sections")
    load_book(config, memory)
    memory.save()
    fewer = replace(config, frameworks=config.frameworks[:1])
    del read[:]
    load_book(fewer, KeptSections(fewer, tmp_path / "sections"))
    assert read == ["index", "one", "two"]


def test_sections_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    root = write_book(tmp_path / "book", FILES)
    _load(root)
    (root / "chapters" / "index.md").write_text("# Book\n\n```toc\none\n```", encoding="utf-8")
    _load(root)
    assert sorted(path.name for path in (tmp_path / "sections").iterdir()) == ["index.pickle", "one.pickle"]


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    root = write_book(tmp_path / "book", FILES)
    (tmp_path / "sections").write_text("a file", encoding="utf-8")
    _load(root)


def test_nothing_is_kept_without_a_folder(tmp_path: Path) -> None:
    config = load_config(write_book(tmp_path / "book", FILES))
    memory = KeptSections(config)
    load_book(config, memory)
    assert memory.changed
    memory.save()
    assert [one.name for one in tmp_path.iterdir()] == ["book"]


def test_only_what_is_new_makes_a_change(tmp_path: Path) -> None:
    config = load_config(write_book(tmp_path / "book", FILES))
    _load(tmp_path / "book")
    memory = KeptSections(config, tmp_path / "sections")
    load_book(config, memory)
    assert not memory.changed
