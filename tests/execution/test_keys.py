from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.execution.keys import KeyParts, file_digests, key_parts
from d2lbuild.execution.request import CodeCell


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
