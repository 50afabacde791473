"""Whether a command has anything to do."""

from pathlib import Path

from d2lbuild.unchanged import Record, facts_of, look_up, note

RECORD = Record(("out",), ("message",), 1)


def test_a_record_holds_until_a_file_changes(tmp_path: Path) -> None:
    file, missing, folder = tmp_path / "a.md", tmp_path / "b.md", tmp_path / "folder"
    file.write_text("one")
    folder.mkdir()
    files = [file, missing, folder]
    note(tmp_path / "cache", ["x"], facts_of(files), RECORD)
    assert look_up(tmp_path / "cache", ["x"]) == RECORD
    assert look_up(tmp_path / "cache", ["y"]) is None

    missing.write_text("now it is there")
    assert look_up(tmp_path / "cache", ["x"]) is None
    note(tmp_path / "cache", ["x"], facts_of(files), RECORD)
    file.write_text("four")
    assert look_up(tmp_path / "cache", ["x"]) is None
    note(tmp_path / "cache", ["x"], facts_of(files), RECORD)
    (folder / "new.md").write_text("")
    assert look_up(tmp_path / "cache", ["x"]) is None


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    note(tmp_path, ["x"], facts_of([]), RECORD)
    (record,) = (tmp_path / "unchanged").iterdir()
    for text in ("", "[]", '{"files": {}}', '{"files": 1, "out": 2}'):
        record.write_text(text)
        assert look_up(tmp_path, ["x"]) is None
