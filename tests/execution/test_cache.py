from pathlib import Path

import pytest

from d2lbuild.errors import SetupError
from d2lbuild.execution.cache import History, ResultCache
from d2lbuild.execution.keys import KeyParts
from d2lbuild.model import ExecutionResult, Failure, Status

PARTS = KeyParts({"code": "aa", "library:train": "bb"})
KEY = PARTS.key


def result(status: Status = Status.DONE) -> ExecutionResult:
    failure = None if status is Status.DONE else Failure(1, "ValueError", "bad é", "Traceback …", 3)
    output = {"output_type": "stream", "name": "stdout", "text": "é\n"}
    return ExecutionResult(status, ((output,), ()), 1.5, "2026-01-01T00:00:00+00:00", {"python": "3.11.7"}, failure)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED])
def test_a_result_comes_back_as_it_was(tmp_path: Path, status: Status) -> None:
    cache = ResultCache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, PARTS, result(status))
    assert cache.get(KEY) == result(status)
    kind = "results" if status is Status.DONE else "failures"
    assert files(tmp_path) == [f"{kind}/{KEY[:2]}/{KEY}.json"]


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.DIED, Status.NOT_STARTED])
def test_what_may_not_happen_again_is_not_kept(tmp_path: Path, status: Status) -> None:
    ResultCache(tmp_path).put(KEY, PARTS, result(status))
    assert files(tmp_path) == []


def test_a_failure_hides_an_earlier_result_until_it_is_fixed(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    for status in (Status.DONE, Status.FAILED, Status.DONE):
        cache.put(KEY, PARTS, result(status))
        assert cache.get(KEY) == result(status)


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"schema": 1, "result": {"failure": null, "outputs": 3}}'])
def test_a_damaged_entry_is_absent_and_removed(tmp_path: Path, damage: str) -> None:
    cache = ResultCache(tmp_path)
    cache.put(KEY, PARTS, result())
    path = tmp_path / files(tmp_path)[0]
    path.write_text(damage)
    assert cache.get(KEY) is None
    assert not path.exists()


def test_an_entry_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    unwritable = ExecutionResult(Status.DONE, (({"data": {1, 2}},),), 0.0, "")
    with pytest.raises(TypeError):
        cache.put(KEY, PARTS, unwritable)
    assert cache.get(KEY) is None
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_setup(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file in the way")
    with pytest.raises(SetupError, match="cannot write the cache") as error:
        ResultCache(tmp_path).put(KEY, PARTS, result())
    assert "D2LBUILD_CACHE" in error.value.hint


def test_history_is_of_one_book(tmp_path: Path) -> None:
    ours, theirs = History(tmp_path, "../our book"), History(tmp_path, "theirs")
    ours.put("chapter/páge", "jax", PARTS, 2.5)
    record = ours.get("chapter/páge", "jax")
    assert record is not None
    assert (record.parts, record.seconds) == (PARTS.parts, 2.5)
    assert theirs.get("chapter/páge", "jax") is None
    assert ours.get("chapter/páge", "mxnet") is None
    (file,) = files(tmp_path)
    assert file.startswith("history/")


@pytest.mark.parametrize("damage", ["", '{"parts": 3}', '{"parts": {}, "seconds": "x"}'])
def test_damaged_history_is_none(tmp_path: Path, damage: str) -> None:
    history = History(tmp_path, "book")
    history.put("a", "jax", PARTS, 1.0)
    (tmp_path / files(tmp_path)[0]).write_text(damage)
    assert history.get("a", "jax") is None
    assert files(tmp_path) == []
