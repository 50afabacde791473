import os
import time
from pathlib import Path

import pytest

from d2lbuild.execution.results.cache import ResultCache, entry_name
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import KeyParts
from tests.cli.conftest import Run
from tests.cli.values import result


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A cache with the results of two runs of one notebook, of which the first was forty days ago."""
    home = tmp_path / "cache"
    for code in ("old", "new"):
        parts = KeyParts({"code": code, "environment": "e" * 64})
        ResultCache(home).put(parts, result())
        History(home, "book").put("a", "jax", parts, result(62.0))
    path = home / entry_name("results", KeyParts({"code": "old", "environment": "e" * 64}).key)
    written = time.time() - 40 * 86400
    os.utime(path, (written, written))
    return home


def test_what_there_is(run: Run, home: Path) -> None:
    told = run("cache", "info")
    assert (told.code, told.err) == (0, "")
    lines = [line.split() for line in told.out.splitlines()]
    assert lines[0] == [str(home)]
    assert lines[1] == ["files", "size", "oldest"]
    assert [line[:2] for line in lines[2:4]] == [["results", "2"], ["history", "1"]]
    assert lines[5] == ["book", "framework", "notebooks", "results", "there", "size", "last", "runs", "took"]
    assert lines[6][:4] == ["book", "jax", "1", "1"]
    assert lines[6][-4:] == ["1", "min", "02", "s"]


def test_an_empty_cache(run: Run, tmp_path: Path) -> None:
    told = run("cache", "info")
    assert (told.code, told.out, told.err) == (0, f"{tmp_path / 'cache'}\n", "nothing is there yet\n")
    assert run("cache", "verify").code == 0
    assert run("cache", "gc").code == 0


def test_what_is_old_is_removed(run: Run, home: Path) -> None:
    dry = run("cache", "gc", "--older-than", "30d", "--dry-run")
    assert dry.code == 0
    assert dry.out.startswith("would remove 1 file, ")
    assert len(list((home / "results").rglob("*.json"))) == 2
    told = run("cache", "gc", "--older-than", "30d")
    assert told.out.startswith("removed 1 file, ")
    assert told.out.endswith(" of results stay, 1 of them those of last runs\n")
    assert len(list((home / "results").rglob("*.json"))) == 1


def test_a_size_that_cannot_be_reached(run: Run, home: Path) -> None:
    told = run("cache", "gc", "--max-size", "0KB")
    assert (told.code, told.out.startswith("removed 1 file, ")) == (0, True)
    assert told.err.endswith(" stay: they belong to last runs, or were made in the last hour\n")


def test_environments_go_only_when_that_is_asked_for(run: Run, home: Path) -> None:
    used, unused = (home / "environments" / name for name in (f"jax-{'e' * 12}", f"jax-{'f' * 12}"))
    for folder in (used, unused):
        folder.mkdir(parents=True)
    run("cache", "gc", "--older-than", "1m", "--max-size", "1KB")
    assert unused.exists()
    assert run("cache", "gc", "--environments", "--dry-run").out.endswith(f"would remove {unused}\n")
    assert unused.exists()
    assert run("cache", "gc", "--environments").out.endswith(f"removed {unused}\n")
    assert (used.exists(), unused.exists()) == (True, False)


@pytest.mark.parametrize("options", [("--older-than", "soon"), ("--older-than", "30"), ("--max-size", "big")])
def test_limits_that_mean_nothing_are_wrong_usage(run: Run, home: Path, options: tuple[str, str]) -> None:
    told = run("cache", "gc", *options)
    assert told.code == 2
    assert "hint: write" in told.err


def test_damage_is_an_exit_code(run: Run, home: Path) -> None:
    assert run("cache", "verify").err == "nothing is damaged\n"
    path = next((home / "results").rglob("*.json"))
    path.write_bytes(path.read_bytes()[:-1])
    told = run("cache", "verify")
    assert (told.code, told.out, told.err) == (1, f"{path}: its outputs are damaged\n", "1 damaged file\n")
    told = run("cache", "verify", "--remove")
    assert (told.code, told.err) == (1, "1 damaged file, removed\n")
    assert run("cache", "verify").code == 0


@pytest.mark.parametrize("name", ["x.tar.gz", "x.zip", "folder"])
def test_results_can_be_taken_elsewhere(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = tmp_path / name
    told = run("cache", "export", str(place))
    assert (told.code, told.out, told.err) == (0, f"{place}\n", "3 files\n")
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "other"))
    assert run("cache", "import", str(place)).out == "3 new files, 0 there already\n"
    assert run("cache", "import", str(place)).out == "0 new files, 3 there already\n"
    told = run("cache", "export", "--current", str(tmp_path / "current.zip"))
    assert told.err == "2 files\n"


def test_refused_files_are_an_exit_code(run: Run, home: Path, tmp_path: Path) -> None:
    run("cache", "export", str(tmp_path / "folder"))
    path = next((tmp_path / "folder" / "results").rglob("*.json"))
    path.write_bytes(b"?")
    told = run("cache", "import", str(tmp_path / "folder"))
    assert (told.code, told.out) == (1, "0 new files, 2 there already, 1 refused\n")
    assert told.err.startswith(f"refused '{path.relative_to(tmp_path / 'folder').as_posix()}': ")


def test_places_that_will_not_do(run: Run, home: Path, tmp_path: Path) -> None:
    assert run("cache", "export", str(home / "x.zip")).code == 2
    assert run("cache", "import", str(tmp_path / "none.zip")).code == 2


@pytest.mark.parametrize("command", ["info", "gc", "verify", "export", "import"])
def test_help_has_examples(run: Run, command: str) -> None:
    told = run("cache", command, "--help")
    assert told.code == 0
    assert f"  d2lbuild cache {command}" in told.out
