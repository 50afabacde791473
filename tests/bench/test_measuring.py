"""Programs are run to their end, and watched."""

import sys
from pathlib import Path

import pytest

from bench import measuring
from bench.measuring import run, size_of


def test_a_program_and_what_it_says() -> None:
    done = run([sys.executable, "-c", "print('word')"])
    assert (done.output, done.memory) == ("word\n", 0)
    assert done.seconds > 0


def test_one_that_fails() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('why')"]
    assert run(command, allowed=(0, 1)).output == "why\n"
    with pytest.raises(SystemExit, match="exited with 1:\nwhy"):
        run(command)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is known on Linux only")
def test_the_memory_of_what_a_program_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_GLANCE", 0.02)
    inner = "held = bytearray(60_000_000); input()"
    outer = f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', {inner!r}], stdin=-1); "
    done = run([sys.executable, "-c", outer + "time.sleep(0.5); p.communicate(b'\\n')"], watched=True)
    assert 60_000_000 < done.memory < 200_000_000


def test_files_with_several_names_count_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"123")
    (tmp_path / "a" / "b" / "two").hardlink_to(tmp_path / "a" / "one")
    (tmp_path / "a" / "b" / "three").write_bytes(b"1234")
    assert size_of(tmp_path / "a", tmp_path / "nowhere") == 7
