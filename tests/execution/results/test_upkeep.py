import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.execution.results import upkeep
from d2lbuild.execution.results.cache import ResultCache, entry_name
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.execution.results.upkeep import collect_garbage, kinds, unused_environments, usage, verify
from d2lbuild.model import ExecutionResult, Status
from tests.execution.results.test_cache import files, now, result

DAY = 86400.0


def parts(code: str, framework: str = "jax") -> KeyParts:
    return KeyParts({"code": code * 64, "framework": framework, "environment": "e" * 64}, {"code": f"code {code}\n"})


def ran(home: Path, code: str, outcome: ExecutionResult | None = None, *, book: str = "book", days: float = 0) -> Path:
    """Run the notebook `a` with this code, so many days ago; return its entry."""
    outcome = outcome or result(inputs={f"{code}.csv": "d1"})
    ResultCache(home).put(parts(code), outcome)
    History(home, book).put("a", "jax", parts(code), outcome)
    kind = "results" if outcome.status is Status.DONE else "failures"
    path = home / entry_name(kind, parts(code).with_inputs(outcome.inputs).key)
    age(path, days)
    return path


def age(path: Path, days: float) -> None:
    written = time.time() - days * DAY
    os.utime(path, (written, written))


def age_all(home: Path, days: float) -> None:
    """Make everything old, folders last: what happens in them is news of theirs."""
    for path in sorted(home.rglob("*"), key=lambda path: path.is_dir()):
        age(path, days)


def test_how_much_there_is(tmp_path: Path) -> None:
    ran(tmp_path, "1", days=3)
    ran(tmp_path, "2", result(Status.FAILED))
    (tmp_path / "environments" / "jax-1" / "lib").mkdir(parents=True)
    (tmp_path / "environments" / "jax-1" / "lib" / "x").write_bytes(b"12345")
    found = {kind.name: kind for kind in kinds(tmp_path)}
    assert list(found) == ["results", "failures", "inputs", "history", "texts", "environments"]
    assert [found[name].count for name in found] == [1, 1, 1, 1, 2, 1]
    assert found["environments"].size == 5
    oldest = found["results"].oldest
    assert oldest is not None
    assert time.time() - oldest == pytest.approx(3 * DAY, abs=DAY / 2)
    assert kinds(tmp_path / "nothing") == []


def test_what_books_and_frameworks_have(tmp_path: Path) -> None:
    ran(tmp_path, "1", book="one")
    path = ran(tmp_path, "2", book="two")
    History(tmp_path, "two").put("b", "torch", parts("3", "torch"), result(Status.TIMEOUT))
    path.unlink()
    found = usage(tmp_path)
    assert [(one.book, one.framework, one.notebooks, one.results) for one in found] == [
        ("one", "jax", 1, 1),
        ("two", "jax", 1, 0),
        ("two", "torch", 1, 0),
    ]
    assert (found[0].size > 0, found[0].seconds) == (True, 1.5)


class TestVerify:
    def test_a_good_cache(self, tmp_path: Path) -> None:
        ran(tmp_path, "1")
        ran(tmp_path, "2", result(Status.FAILED))
        steps: list[tuple[int, int]] = []
        assert list(verify(tmp_path, on_step=lambda done, total: steps.append((done, total)))) == []
        number = len(files(tmp_path))
        assert steps == [(done, number) for done in range(1, number + 1)]

    @pytest.mark.parametrize("kind", upkeep.KINDS)
    def test_any_damaged_file_is_found_and_removed_on_request(self, tmp_path: Path, kind: str) -> None:
        ran(tmp_path, "1")
        ran(tmp_path, "1", replace(result(Status.FAILED), inputs={"other.csv": "d"}))
        path = next(path for path in (tmp_path / kind).rglob("*") if path.is_file())
        path.write_bytes(path.read_bytes()[:-3])
        assert [damage.path for damage in verify(tmp_path)] == [path]
        assert path.exists()
        assert [damage.path for damage in verify(tmp_path, remove=True)] == [path]
        assert list(verify(tmp_path)) == []

    def test_an_entry_under_another_name_is_damaged(self, tmp_path: Path) -> None:
        path = ran(tmp_path, "1")
        path.rename(path.with_name(f"{'0' * 64}.json"))
        assert [damage.why for damage in verify(tmp_path)] == ["it belongs to another key"]

    def test_a_single_bit_is_found(self, tmp_path: Path) -> None:
        path = ran(tmp_path, "1")
        good = path.read_bytes()
        for place in range(0, len(good), 7):
            bad = bytearray(good)
            bad[place] ^= 1
            path.write_bytes(bad)
            assert len(list(verify(tmp_path))) == 1, place

    def test_an_entry_of_another_version_is_not(self, tmp_path: Path) -> None:
        path = ran(tmp_path, "1")
        path.write_text('{"schema":1,"parts":{},"result":{}}')
        assert list(verify(tmp_path)) == []


class TestGarbage:
    def test_without_limits_only_what_is_useless_goes(self, tmp_path: Path) -> None:
        old, new = ran(tmp_path, "1", days=100), ran(tmp_path, "2")
        useless = ran(tmp_path, "3")
        useless.write_text('{"schema":1,"parts":{},"result":{}}')
        found = collect_garbage(tmp_path)
        assert found.removed == [useless]
        assert old.exists()
        assert new.exists()

    def test_what_is_old_goes_unless_it_is_of_a_last_run(self, tmp_path: Path) -> None:
        old, other = ran(tmp_path, "1", days=40), ran(tmp_path, "2", book="other", days=40)
        failed, last = ran(tmp_path, "3", result(Status.FAILED), days=40), ran(tmp_path, "4", days=40)
        young = ran(tmp_path, "5", days=20)
        ran(tmp_path, "4", days=40)
        found = collect_garbage(tmp_path, older_than=30 * DAY)
        assert set(found.removed) == {old, failed}
        assert not old.exists()
        assert all(path.exists() for path in (other, last, young))
        assert found.current == 2
        assert found.kept == sum(path.stat().st_size for path in (other, last, young))

    def test_above_a_size_the_oldest_go_first(self, tmp_path: Path) -> None:
        paths = [ran(tmp_path, code, days=days) for code, days in (("1", 2), ("2", 4), ("3", 3), ("4", 1))]
        size = paths[0].stat().st_size
        found = collect_garbage(tmp_path, max_size=2 * size + 10)
        assert found.removed == [paths[1], paths[2]]
        assert found.kept <= 2 * size + 10

    def test_last_runs_stay_whatever_the_size(self, tmp_path: Path) -> None:
        last = ran(tmp_path, "1", days=50)
        found = collect_garbage(tmp_path, max_size=0)
        assert found.removed == []
        assert found.kept == last.stat().st_size > 0

    def test_what_was_just_made_stays(self, tmp_path: Path) -> None:
        ran(tmp_path, "1")
        ran(tmp_path, "2")
        assert collect_garbage(tmp_path, older_than=0, max_size=0).removed == []

    def test_lists_and_texts_go_with_what_refers_to_them(self, tmp_path: Path) -> None:
        ran(tmp_path, "1")
        ran(tmp_path, "2")
        age_all(tmp_path, 40)
        collect_garbage(tmp_path, older_than=30 * DAY)
        left = files(tmp_path)
        assert [name.partition("/")[0] for name in left] == ["history", "inputs", "results", "texts"]
        assert ResultCache(tmp_path).get(parts("2"), now(**{"2_csv": "d1"})) is not None
        assert History(tmp_path, "book").text("2" * 64) == "code 2\n"
        assert len(list(tmp_path.rglob("*"))) == len(left) + sum(1 for path in tmp_path.rglob("*") if path.is_dir())
        assert all(any(path.iterdir()) for path in tmp_path.rglob("*") if path.is_dir())

    def test_a_dry_run_says_the_same_and_removes_nothing(self, tmp_path: Path) -> None:
        ran(tmp_path, "1")
        ran(tmp_path, "2")
        age_all(tmp_path, 40)
        before = files(tmp_path)
        dry = collect_garbage(tmp_path, older_than=30 * DAY, dry_run=True)
        assert files(tmp_path) == before
        wet = collect_garbage(tmp_path, older_than=30 * DAY)
        assert (dry.removed, dry.size, dry.kept) == (wet.removed, wet.size, wet.kept)
        assert len(wet.removed) == 3

    def test_what_killed_builds_left_behind_goes(self, tmp_path: Path) -> None:
        path = ran(tmp_path, "1")
        left, just_now = path.with_name(".tmp1"), path.with_name(".tmp2")
        left.write_text("half")
        just_now.write_text("hal")
        age(left, 2)
        assert collect_garbage(tmp_path).removed == [left]
        assert just_now.exists()

    def test_what_only_saved_time_goes_after_a_month(self, tmp_path: Path) -> None:
        old = {tmp_path / name for name in ("unchanged/a.json", "sections/book/one.pickle", "checks/book.pickle")}
        new = tmp_path / "unchanged" / "b.json"
        for path in (*old, new):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        age_all(tmp_path, 31)
        age(new, 29)
        assert set(collect_garbage(tmp_path).removed) == old
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [new]

    def test_nothing_else_is_touched(self, tmp_path: Path) -> None:
        for name in ("environments/jax-1/x", "imports/x.json", "downloads/big"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("x")
        age_all(tmp_path, 400)
        assert collect_garbage(tmp_path, older_than=0, max_size=0).removed == []


def test_environments_of_last_runs_are_used(tmp_path: Path) -> None:
    ran(tmp_path, "1")
    for name in (f"jax-{'e' * 12}", f"jax-{'f' * 12}"):
        (tmp_path / "environments" / name).mkdir(parents=True)
    assert [path.name for path in unused_environments(tmp_path)] == [f"jax-{'f' * 12}"]
