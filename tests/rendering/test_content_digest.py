"""Digests: equal for equal values in any process, different for different ones."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from docutils import nodes

from d2lbuild.rendering.content_digest import digest, digest_of_folder
from d2lbuild.rendering.kept_digests import digest_of_file


@dataclass(frozen=True)
class Value:
    names: frozenset[str]
    path: PurePosixPath


def make(*names: str) -> list[object]:
    paragraph = nodes.paragraph("", "", nodes.emphasis("", "words"), ids=["a"])
    return [Value(frozenset(names), PurePosixPath("a/b")), {"b": 1, "a": set(names)}, paragraph, (1, "x", None, 2.5)]


def test_order_does_not_matter_where_there_is_none() -> None:
    assert digest(make("one", "two", "three")) == digest(make("three", "two", "one"))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_other_processes_find_the_same() -> None:
    program = "from tests.rendering.test_content_digest import make; import d2lbuild.rendering.content_digest as d; "
    program += "print(d.digest(make('one', 'two', 'three')))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {digest(make("one", "two", "three"))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "b"], ["ab"]),
        ([["a"], "b"], [["a", "b"]]),
        ([1], ["1"]),
        ([1], [True]),
        ({"a": None}, {}),
        (nodes.paragraph("", "x"), nodes.title("", "x")),
        (nodes.paragraph("", "x"), nodes.paragraph("", "x", ids=["y"])),
        (Value(frozenset("a"), PurePosixPath("b")), Value(frozenset("b"), PurePosixPath("a"))),
        (len, print),
    ],
)
def test_different_values_differ(one: object, other: object) -> None:
    assert digest(one) != digest(other)


def test_what_cannot_be_described_never_repeats() -> None:
    value = object()
    assert digest(value) != digest(value)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    first = digest_of_folder(tmp_path)
    assert digest_of_file(tmp_path / "missing") == "" != digest_of_file(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest_of_folder(tmp_path) != first
