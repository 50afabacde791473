from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.execution.request import CodeCell
from d2lbuild.execution.results import keys
from d2lbuild.execution.results.keys import ABSENT, FileDigests, KeyParts, file_digests, key_parts, names_digest


def parts(**changes: Any) -> KeyParts:
    inputs: dict[str, Any] = {
        "framework": "pytorch",
        "cells": [CodeCell("x = 1"), CodeCell("x")],
        "library": {"train": "aa", "Timer": "bb"},
        "environment": "cc",
        "device": "cpu",
        "variables": {"A": "1"},
        "data": {"data/x.csv": "dd"},
    }
    return key_parts(**{**inputs, **changes})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"framework": "jax"}, "framework"),
        ({"cells": [CodeCell("x = 2"), CodeCell("x")]}, "code"),
        ({"cells": [CodeCell("x"), CodeCell("x = 1")]}, "code"),
        ({"cells": [CodeCell("x = 1\nx")]}, "code"),
        ({"cells": [CodeCell("x = 1"), CodeCell("x", frozenset({"raises-exception"}))]}, "code"),
        ({"cells": [CodeCell("x = 1"), CodeCell("x", frozenset({"skip-execution"}))]}, "code"),
        ({"library": {"train": "a2", "Timer": "bb"}}, "library"),
        ({"library": {"train": "aa"}}, "library"),
        ({"environment": "c2"}, "environment"),
        ({"device": "gpu"}, "device"),
        ({"variables": {"A": "2"}}, "variables"),
        ({"passed": ["TOKEN"]}, "variables"),
        ({"kernel": ["xcpp"]}, "kernel"),
        ({"data": {"data/x.csv": "d2"}}, "data"),
        ({"data": {}}, "data"),
    ],
)
def test_each_part_alone_changes_the_key(changes: dict[str, Any], kind: str) -> None:
    changed = parts(**changes)
    assert changed.key != parts().key
    assert list(changed.changes(parts().parts)) == [kind]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"library": {"Timer": "bb", "train": "aa"}},
        {"cells": [CodeCell("x = 1", frozenset({"hide-input"})), CodeCell("x")]},
    ],
)
def test_what_running_does_not_depend_on_keeps_the_key(changes: dict[str, Any]) -> None:
    assert parts(**changes).key == parts().key


def test_changes_name_what_changed() -> None:
    earlier = parts(library={"train": "a2", "Timer": "bb", "gone": "ee"}, environment="c2")
    assert parts().changes(earlier.parts) == {"environment": [""], "library": ["gone", "train"]}


def test_file_digests_follow_contents(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "x.csv"
    file.write_text("1")
    digests: Callable[[], dict[str, str]] = lambda: file_digests(tmp_path, ["data/**/*.csv", "data/*", "none/*"])  # noqa: E731
    before = digests()
    assert list(before) == ["data/x.csv"]
    file.write_text("2")
    assert digests() != before


class TestFileDigests:
    def test_a_file_is_what_it_holds(self, tmp_path: Path) -> None:
        digests = FileDigests(tmp_path)
        file = tmp_path / "x.csv"
        assert digests("x.csv") == ABSENT
        file.write_text("1")
        first = digests("x.csv")
        file.write_text("22")
        assert digests("x.csv") not in (first, ABSENT)
        file.write_text("1")
        assert digests("x.csv") == first == digests(str(file))
        assert digests.size("x.csv") == 1

    def test_a_file_is_read_once_while_it_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "x.csv"
        file.write_text("1")
        digests = FileDigests(tmp_path)
        first = digests("x.csv")
        monkeypatch.setattr(keys, "_file_digest", lambda path: pytest.fail("read again"))
        assert digests("x.csv") == first

    def test_a_folder_is_its_names(self, tmp_path: Path) -> None:
        digests = FileDigests(tmp_path)
        assert digests("img/") == ABSENT
        (tmp_path / "img").mkdir()
        empty = digests("img/")
        (tmp_path / "img" / "a.png").write_text("1")
        one = digests("img/")
        (tmp_path / "img" / "a.png").write_text("2")
        assert digests("img/") == one != empty
        assert digests(f"{tmp_path}/img/") == one
        assert digests.size("img/") is None

    def test_only_files_that_runs_get_copies_of_count(self, tmp_path: Path) -> None:
        for name in ("x.csv", "page.md"):
            (tmp_path / name).write_text(name)
        digests = FileDigests(tmp_path, {"x.csv": tmp_path / "x.csv", "img/a/b.png": tmp_path / "b"}, kept=["data/big"])
        assert digests("page.md") == ABSENT
        assert digests("x.csv") == FileDigests(tmp_path)("x.csv")
        assert digests("./") == names_digest(["data", "img", "x.csv"])
        assert digests("img/") == names_digest(["a"])
        assert digests("data/") == names_digest(["big"])
        assert digests("none/") == ABSENT

    def test_what_cannot_be_read_is_neither_there_nor_absent(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        assert FileDigests(tmp_path)("folder") not in (ABSENT, names_digest([]))


def test_texts_say_what_stands_behind_digests() -> None:
    cells = [CodeCell("x = 1"), CodeCell("x", frozenset({"raises-exception", "hide-input"}))]
    made = parts(cells=cells, passed=["TOKEN"], kernel=["xcpp", "-f"])
    assert made.texts == {
        "code": "--- code cell 1 ---\nx = 1\n\n--- code cell 2 [raises-exception] ---\nx\n",
        "variables": "A=1\nTOKEN: as the user has it\n",
        "kernel": "xcpp -f\n",
    }


def test_inputs_are_added_to_the_base() -> None:
    base = parts()
    final = base.with_present(["img/a.png", "none.csv"], {"img/a.png": "d1", "none.csv": ABSENT}.__getitem__)
    assert final.key != base.key
    assert final.inputs == {"img/a.png": "d1", "none.csv": ABSENT}
    assert final.base == base
    assert final.changes(base.parts) == {"file": ["img/a.png", "none.csv"]}


def test_another_version_of_the_schema_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = parts()
    monkeypatch.setattr(keys, "SCHEMA", keys.SCHEMA + 1)
    assert parts().changes(before.parts) == {"schema": [""]}
