"""What fuzzing has found, and what it began with, goes on to pass; and a little of it is done anew each time."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
KEPT = [path for path in sorted(CORPUS.glob("*/*")) if path.is_file()]
WORDS = [
    line[1:-1].encode().decode("unicode_escape").encode("latin-1")
    for line in (CORPUS.parent / "words.txt").read_text("utf-8").splitlines()
    if line.startswith('"')
]
PIECES = st.one_of(st.sampled_from(WORDS), st.binary(max_size=4), st.text(max_size=8).map(str.encode))
INPUTS = st.lists(PIECES, max_size=12).map(b"".join)
SECONDS = 10
"""More than any input takes on a busy machine."""


def test_each_target_has_a_corpus() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kept_inputs(path: Path) -> None:
    begun = time.process_time()
    TARGETS[path.parent.name](path.read_bytes())
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_new_inputs(name: str) -> None:
    @given(INPUTS)
    @settings(max_examples=25)
    def target(data: bytes) -> None:
        TARGETS[name](data)

    target()
