from pathlib import Path

import pytest

from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.model import ExecutionResult, Failure, Status

CODE = "a" * 64
PARTS = KeyParts({"code": CODE, "library:train": "bb", "framework": "jax"}, {"code": "x = 1\n"})


def result(status: Status = Status.DONE, seconds: float = 2.5, inputs: dict[str, str] | None = None) -> ExecutionResult:
    failure = None if status is Status.DONE else Failure(None, status.value, "cell 3 of 4 was running")
    return ExecutionResult(
        status, ((),), seconds, "2026-01-01T00:00:00+00:00", {}, failure, "cpu", 1000, inputs=inputs or {}
    )


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_is_known_afterwards(tmp_path: Path) -> None:
    history = History(tmp_path, "book")
    ran = result(inputs={"x.csv": "dd", "none.csv": "absent"})
    history.put("chapter/páge", "jax", PARTS, ran, size_of={"x.csv": 12}.get)
    record = history.get("chapter/páge", "jax")
    assert record is not None
    assert record.parts == PARTS.with_inputs(ran.inputs).parts
    assert record.key == PARTS.with_inputs(ran.inputs).key
    assert (record.seconds, record.expected, record.status) == (2.5, 2.5, Status.DONE)
    assert (record.memory, record.device, record.finished) == (1000, "cpu", "2026-01-01T00:00:00+00:00")
    assert record.sizes == {"x.csv": 12}
    assert [(section, framework) for section, framework, _ in history.records()] == [("chapter/páge", "jax")]


def test_history_is_of_one_book(tmp_path: Path) -> None:
    ours, theirs = History(tmp_path, "../our book"), History(tmp_path, "theirs")
    ours.put("a", "jax", PARTS, result())
    assert ours.get("a", "jax") is not None
    assert theirs.get("a", "jax") is None
    assert ours.get("a", "mxnet") is None
    assert History.books(tmp_path) == ["../our book"]
    assert all(name.startswith(("history/", "texts/")) for name in files(tmp_path))


def test_what_went_wrong_is_known_and_how_long_it_takes_otherwise(tmp_path: Path) -> None:
    history = History(tmp_path, "book")
    history.put("a", "jax", PARTS, result(seconds=3.0))
    history.put("a", "jax", PARTS, result(Status.TIMEOUT, seconds=600.0))
    record = history.get("a", "jax")
    assert record is not None
    assert (record.status, record.seconds, record.expected) == (Status.TIMEOUT, 600.0, 3.0)
    assert record.message == "cell 3 of 4 was running"


def test_what_was_skipped_was_not_run(tmp_path: Path) -> None:
    History(tmp_path, "book").put("a", "jax", PARTS, result(Status.SKIPPED))
    assert files(tmp_path) == []


def test_texts_are_kept_once_for_all(tmp_path: Path) -> None:
    for section, book in (("a", "one"), ("b", "one"), ("a", "two")):
        details = {"library:train": "def train(): …", "no-such-part": "lost"}
        History(tmp_path, book).put(section, "jax", PARTS, result(), details=details)
    history = History(tmp_path, "one")
    assert history.text(CODE) == "x = 1\n"
    assert history.text("bb") == "def train(): …"
    assert history.text("cc") is None
    assert history.text("../bb") is None
    assert len([name for name in files(tmp_path) if name.startswith("texts/")]) == 2


def test_a_damaged_text_is_none(tmp_path: Path) -> None:
    history = History(tmp_path, "book")
    history.put("a", "jax", PARTS, result())
    (path,) = (tmp_path / "texts").rglob(CODE)
    path.write_bytes(path.read_bytes() + b"?")
    assert history.text(CODE) is None
    assert not path.exists()


@pytest.mark.parametrize("damage", ["", "[]", '{"parts": 3}', '{"parts": {}, "seconds": "x"}'])
def test_damaged_history_is_none(tmp_path: Path, damage: str) -> None:
    history = History(tmp_path, "book")
    history.put("a", "jax", KeyParts({"code": "aa"}), result())
    (tmp_path / files(tmp_path)[0]).write_text(damage)
    assert history.get("a", "jax") is None
    assert files(tmp_path) == []


def test_records_of_the_first_version_still_tell_times(tmp_path: Path) -> None:
    history = History(tmp_path, "book")
    history.put("a", "jax", KeyParts({"code": "aa"}), result())
    (tmp_path / files(tmp_path)[0]).write_text('{"parts": {"schema": "1"}, "seconds": 4.5}')
    record = history.get("a", "jax")
    assert record is not None
    assert (record.parts, record.seconds, record.expected) == ({"schema": "1"}, 4.5, 4.5)
