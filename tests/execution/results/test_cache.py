import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.errors import SetupError
from d2lbuild.execution.results import cache as cache_module
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.keys import ABSENT, DigestOf, KeyParts
from d2lbuild.execution.results.upkeep import verify
from d2lbuild.model import ExecutionResult, Failure, Status

PARTS = KeyParts({"code": "aa", "library:train": "bb"})
KEY = PARTS.key


def result(
    status: Status = Status.DONE, text: str = "é\n", inputs: Mapping[str, str] | None = None, second: int = 0
) -> ExecutionResult:
    failure = None if status is Status.DONE else Failure(1, "ValueError", "bad é", "Traceback …", 3)
    return ExecutionResult(
        status,
        (({"output_type": "stream", "name": "stdout", "text": text},), ()),
        1.5,
        f"2026-01-01T00:00:{second:02}+00:00",
        {"python": "3.11.7"},
        failure,
        device="cpu",
        memory=1000,
        inputs=inputs or {},
        warnings=("left a process",),
        attempts=2,
    )


def now(**digests: str) -> DigestOf:
    """What files hold; the others are not there."""
    return lambda path: digests.get(path.replace(".", "_"), ABSENT)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED])
def test_a_result_comes_back_as_it_was(tmp_path: Path, status: Status) -> None:
    cache = ResultCache(tmp_path)
    assert cache.get(PARTS, now()) is None
    cache.put(PARTS, result(status))
    assert cache.get(PARTS, now()) == result(status)
    kind = "results" if status is Status.DONE else "failures"
    assert files(tmp_path) == [f"{kind}/{KEY[:2]}/{KEY}.json"]


def test_outputs_are_read_only_when_they_are_wanted(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    long = result(text="x" * 100_000)
    cache.put(PARTS, long)
    found = cache.find(PARTS, now())
    assert found is not None
    assert found.head == replace(long, outputs=())
    assert found.load() == long


def test_a_long_description_is_read_whole(tmp_path: Path) -> None:
    many = KeyParts({f"library:f{number}": f"{number:064}" for number in range(500)})
    ResultCache(tmp_path).put(many, result())
    assert ResultCache(tmp_path).get(many, now()) == result()


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.DIED, Status.NOT_STARTED, Status.SKIPPED])
def test_what_may_not_happen_again_is_not_kept(tmp_path: Path, status: Status) -> None:
    ResultCache(tmp_path).put(PARTS, result(status))
    assert files(tmp_path) == []


def test_a_failure_hides_an_earlier_result_until_it_is_fixed(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    for status in (Status.DONE, Status.FAILED, Status.DONE):
        cache.put(PARTS, result(status))
        assert cache.get(PARTS, now()) == result(status)


class TestInputs:
    def test_a_changed_file_misses_and_changing_it_back_hits(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        cache.put(PARTS, result(text="1", inputs={"x.csv": "d1"}))
        assert cache.get(PARTS, now(x_csv="d2")) is None
        assert cache.get(PARTS, now()) is None
        cache.put(PARTS, result(text="2", inputs={"x.csv": "d2"}))
        for digest, text in (("d1", "1"), ("d2", "2")):
            found = cache.get(PARTS, now(x_csv=digest))
            assert found is not None
            assert found.outputs[0][0]["text"] == text

    def test_other_files_play_no_part(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        cache.put(PARTS, result(inputs={"x.csv": "d1"}))
        assert cache.get(PARTS, now(x_csv="d1", other_csv="new")) is not None

    def test_a_file_that_was_looked_for_in_vain_is_an_input(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        cache.put(PARTS, result(inputs={"x.csv": ABSENT}))
        assert cache.get(PARTS, now()) is not None
        assert cache.get(PARTS, now(x_csv="d1")) is None

    def test_runs_may_read_different_files(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        cache.put(PARTS, result(text="1", inputs={"x.csv": "d1"}))
        cache.put(PARTS, result(text="2", inputs={"x.csv": "d2", "y.csv": "d3"}))
        cache.put(PARTS, result(text="3", inputs={"x.csv": "d3", "y.csv": "d3"}))
        assert len([name for name in files(tmp_path) if name.startswith("inputs/")]) == 2
        for digests, text in (({"x_csv": "d1"}, "1"), ({"x_csv": "d2", "y_csv": "d3"}, "2")):
            found = cache.get(PARTS, now(**digests))
            assert found is not None
            assert found.outputs[0][0]["text"] == text
        assert cache.get(PARTS, now(x_csv="d2")) is None

    def test_inputs_of_one_base_are_not_those_of_another(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        cache.put(PARTS, result(inputs={"x.csv": "d1"}))
        assert cache.get(KeyParts({"code": "a2", "library:train": "bb"}), now(x_csv="d1")) is None

    def test_the_newest_of_several_that_fit_counts(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        here = now(x_csv="d1", y_csv="d2")
        cache.put(PARTS, result(Status.FAILED, inputs={"x.csv": "d1"}, second=1))
        cache.put(PARTS, result(Status.DONE, inputs={"x.csv": "d1", "y.csv": "d2"}, second=2))
        found = cache.get(PARTS, here)
        assert found is not None
        assert found.status is Status.DONE
        cache.put(PARTS, result(Status.FAILED, inputs={"y.csv": "d2"}, second=3))
        found = cache.get(PARTS, here)
        assert found is not None
        assert found.status is Status.FAILED

    def test_names_made_up_anew_do_not_fill_the_cache(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        for number in range(cache_module.MOST_SETS + 5):
            cache.put(PARTS, result(inputs={f"t{number}": ABSENT}, second=number))
        assert len([name for name in files(tmp_path) if name.startswith("inputs/")]) == cache_module.MOST_SETS

    def test_a_damaged_set_is_passed_over_and_replaced(self, tmp_path: Path) -> None:
        cache = ResultCache(tmp_path)
        cache.put(PARTS, result(inputs={"x.csv": "d1"}))
        cache.put(PARTS, result(text="2", inputs={"y.csv": "d1"}))
        first, second = (tmp_path / cache_module.inputs_name(KEY, number) for number in (0, 1))
        first.write_bytes(second.read_bytes()[:-5])
        assert cache.get(PARTS, now(x_csv="d1")) is None
        assert cache.get(PARTS, now(y_csv="d1")) is not None
        cache.put(PARTS, result(inputs={"x.csv": "d1"}))
        assert cache.get(PARTS, now(x_csv="d1")) is not None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "{",
        lambda text: "[]",
        lambda text: "{}",
        lambda text: text[: len(text) // 2],
        lambda text: text[:-1],
        lambda text: text.replace('"seconds":1.5', '"seconds":9.5'),
        lambda text: text.replace('"text":"', '"text":"!'),
        lambda text: '{"schema": 1, "result": {"failure": null, "outputs": 3}}',
    ],
)
def test_a_damaged_entry_is_absent_and_removed(tmp_path: Path, damage: Callable[[str], str]) -> None:
    cache = ResultCache(tmp_path)
    cache.put(PARTS, result())
    path = tmp_path / files(tmp_path)[0]
    path.write_text(damage(path.read_text()))
    assert cache.get(PARTS, now()) is None
    assert not path.exists()


def test_an_entry_under_another_name_is_none(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    cache.put(PARTS, result())
    other = KeyParts({"code": "a2"})
    path = tmp_path / cache_module.entry_name("results", other.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / files(tmp_path)[0]).rename(path)
    assert cache.get(other, now()) is None


def test_an_entry_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    unwritable = ExecutionResult(Status.DONE, (({"data": {1, 2}},),), 0.0, "")
    with pytest.raises(TypeError):
        cache.put(PARTS, unwritable)
    assert cache.get(PARTS, now()) is None
    assert files(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ResultCache(tmp_path)

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SetupError, match="No space left"):
        cache.put(PARTS, result(inputs={"x.csv": "d1"}))
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_setup(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file in the way")
    with pytest.raises(SetupError, match="cannot write the cache") as error:
        ResultCache(tmp_path).put(PARTS, result())
    assert "D2LBUILD_CACHE" in error.value.hint


def test_many_may_write_at_the_same_time(tmp_path: Path) -> None:
    """Each of eight writers has a set of files of its own, and all write the same entries again and again."""
    ready = threading.Barrier(8)
    lost: list[object] = []

    def write(number: int) -> None:
        cache = ResultCache(tmp_path)
        ready.wait(60)
        for _ in range(10):
            cache.put(PARTS, result(text=str(number), inputs={f"f{number}": "d"}))
            cache.put(KeyParts({"code": "shared"}), result())
            if cache.get(KeyParts({"code": "shared"}), now()) != result():
                lost.append("shared")
            found = cache.get(PARTS, now(**{f"f{number}": "d"}))
            if found is None or found.outputs[0][0]["text"] != str(number):
                lost.append((number, found))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert lost == []
    assert len([name for name in files(tmp_path) if name.startswith("inputs/")]) == 8
    assert not [name for name in files(tmp_path) if Path(name).name.startswith(".")]


def test_a_disk_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: str, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    cache = ResultCache(tmp_path)
    cache.put(PARTS, result(inputs={"x.csv": "d1"}))
    cache.put(PARTS, result(inputs={"y.csv": "d1"}))
    assert cache.get(PARTS, now(x_csv="d1")) is not None
    assert cache.get(PARTS, now(y_csv="d1")) is not None


_WRITER = """
import sys
from pathlib import Path
from d2lbuild.execution.results.cache import ResultCache
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.model import ExecutionResult, Status
cache, number = ResultCache(Path(sys.argv[1])), 0
while True:
    result = ExecutionResult(Status.DONE, (({"text": "x" * 50_000},),), 1.0, "", inputs={f"f{number % 3}": "d"})
    cache.put(KeyParts({"code": str(number % 10)}), result)
    number += 1
    if number == 30:
        print("many", flush=True)
"""


def test_killed_writers_leave_nothing_damaged(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as two,
    ):
        for writer in (one, two):
            assert writer.stdout is not None
            assert writer.stdout.readline() == "many\n"
        one.kill()
        two.kill()
    assert list(verify(tmp_path)) == []
    for code in range(10):
        for number in range(3):
            parts = KeyParts({"code": str(code)})
            there = ResultCache(tmp_path).get(parts, now(**{f"f{number}": "d"}))
            assert there is not None
            assert there.outputs[0][0]["text"] == "x" * 50_000
