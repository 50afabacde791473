import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution import environments
from d2lbuild.execution.environments import (
    Environment,
    environment_digest,
    find,
    list_environments,
    lock,
    lock_text,
    remove,
    sync,
)

LOCKS = Path(__file__).parents[2] / "frameworks"


@pytest.fixture
def framework(tmp_path: Path) -> Framework:
    """Return a framework without any packages: its environment takes no network."""
    folder = tmp_path / "frameworks" / "bare"
    folder.mkdir(parents=True)
    (folder / "requirements.in").write_text("# nothing\n")
    (folder / "requirements.txt").write_text("# nothing\n")
    return Framework(
        name="bare",
        title="Bare",
        module="bare",
        requirements=folder / "requirements.in",
        lock=folder / "requirements.txt",
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
    )


def write_lock(framework: Framework, text: str) -> None:
    assert framework.lock is not None
    framework.lock.write_text(text)


def test_the_digest_follows_versions_and_python_only(framework: Framework) -> None:
    write_lock(framework, "a==1\nb==2 ; sys_platform == 'linux'\n")
    digest = environment_digest(framework)
    write_lock(framework, "# a comment\n\nb==2  ;  sys_platform == 'linux'  # why\na==1\n")
    assert environment_digest(framework) == digest
    write_lock(framework, "a==1\nb==3 ; sys_platform == 'linux'\n")
    changed = environment_digest(framework)
    assert changed != digest
    assert environment_digest(dataclasses.replace(framework, python="3.99")) != changed


@pytest.mark.parametrize("lock_file", [None, Path("gone/requirements.txt")])
def test_without_a_lock_it_says_what_to_write(framework: Framework, lock_file: Path | None, tmp_path: Path) -> None:
    framework = dataclasses.replace(framework, lock=lock_file)
    for ask in (lambda: environment_digest(framework), lambda: sync(framework, tmp_path)):
        with pytest.raises(SetupError, match="framework bare has no lock") as error:
            ask()
        assert "requirements.in" in error.value.hint
        assert "d2lbuild env lock bare" in error.value.hint


@pytest.mark.integration
def test_an_environment_is_made_found_listed_and_removed(framework: Framework, tmp_path: Path) -> None:
    home = tmp_path / "cache ü"
    assert find(framework, home) is None
    said: list[str] = []
    made = sync(framework, home, said.append)
    assert said
    assert made.python.is_relative_to(home / "environments" / f"bare-{environment_digest(framework)[:12]}")
    assert made.digest == environment_digest(framework)
    assert made.packages == {}
    assert made.python_version.startswith(framework.python)
    subprocess.run([made.python, "-c", ""], check=True)
    assert find(framework, home) == made
    assert list_environments(home) == [made]

    said.clear()
    assert sync(framework, home, said.append) == made
    assert said == []

    # What was interrupted has no marker, and is made again.
    folder = made.python.parents[1]
    (folder / environments.MARKER).unlink()
    stray = folder / "stray"
    stray.write_text("half made")
    assert find(framework, home) is None
    assert list_environments(home) == []
    assert sync(framework, home) == made
    assert not stray.exists()

    assert remove("other", home) == []
    assert remove("bare", home) == [folder]
    assert not folder.exists()
    assert find(framework, home) is None


def test_without_a_network_it_says_what_failed(
    framework: Framework, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    write_lock(framework, "some-package==1.0\n")
    with pytest.raises(SetupError) as error:
        sync(framework, tmp_path)
    assert error.value.exit_code == 3
    assert "framework bare" in error.value.message
    assert "uv pip install" in error.value.message
    assert "some-package" in error.value.message
    assert "PIP_FIND_LINKS" in error.value.hint
    assert find(framework, tmp_path) is None


def test_without_the_python_it_says_so(framework: Framework, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        sync(dataclasses.replace(framework, python="3.99"), tmp_path)
    assert "3.99" in error.value.message
    assert "install that version of Python" in error.value.hint


def test_a_cache_that_cannot_be_written(framework: Framework, tmp_path: Path) -> None:
    (tmp_path / "environments").write_text("a file in the way")
    with pytest.raises(SetupError) as error:
        sync(framework, tmp_path)
    assert "D2LBUILD_CACHE" in error.value.hint


def test_an_interpreter_takes_the_place_of_an_environment(framework: Framework, tmp_path: Path) -> None:
    framework = dataclasses.replace(framework, interpreter=Path(sys.executable), lock=None)
    found = find(framework, tmp_path)
    assert found is not None
    assert found.python == Path(sys.executable)
    assert found.packages["ipykernel"]
    assert found.digest == environment_digest(framework)
    assert sync(framework, tmp_path) == found


@pytest.mark.parametrize(
    ("script", "words"),
    [(None, "does not run"), ("exit 1", "does not run"), ("echo hello", "does not run")],
)
def test_an_interpreter_that_is_none(framework: Framework, tmp_path: Path, script: str | None, words: str) -> None:
    python = tmp_path / "python"
    if script is not None:
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    with pytest.raises(SetupError, match=words):
        find(dataclasses.replace(framework, interpreter=python), tmp_path)


def test_an_interpreter_without_a_kernel(framework: Framework, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps({'python': '3.11.0', 'packages': {}})}'\n")
    python.chmod(0o755)
    with pytest.raises(SetupError, match="has no ipykernel"):
        find(dataclasses.replace(framework, interpreter=python), tmp_path)


def test_versions_are_those_asked_for() -> None:
    environment = Environment("pytorch", Path("python"), "", {"torch": "2.13.0", "numpy": "2.0"}, "3.11.7")
    assert environment.versions(["torch", "absent"]) == {"python": "3.11.7", "torch": "2.13.0"}


def test_locks_name_neither_local_builds_nor_gpu_packages() -> None:
    resolved = (
        "numpy==2.0\nnvidia-cublas==13.1 ; sys_platform == 'linux'\ntorch==2.13.0+cpu ; sys_platform == 'linux'\n"
    )
    body = [line for line in lock_text("pytorch", resolved).splitlines() if not line.startswith("#")]
    assert body == ["numpy==2.0", "torch==2.13.0 ; sys_platform == 'linux'"]


def test_locking_without_requirements(framework: Framework) -> None:
    with pytest.raises(SetupError, match="has no requirements"):
        lock(dataclasses.replace(framework, requirements=None))


@pytest.mark.integration
def test_locking_writes_beside_the_requirements(framework: Framework) -> None:
    write_lock(framework, "old==1\n")
    assert lock(framework) == framework.lock
    assert framework.lock is not None
    assert "old" not in framework.lock.read_text()
    assert "d2lbuild env lock bare" in framework.lock.read_text()


@pytest.mark.parametrize("name", ["pytorch", "mxnet", "tensorflow", "jax"])
def test_our_locks_are_complete_and_of_no_machine(name: str) -> None:
    lines = [line for line in (LOCKS / name / "requirements.txt").read_text("utf-8").splitlines() if line[0] != "#"]
    assert [line for line in lines if "==" not in line or "://" in line or "+" in line] == []
    wanted = [
        line.partition(">")[0]
        for line in (LOCKS / name / "requirements.in").read_text("utf-8").splitlines()
        if line[0] != "#"
    ]
    assert [package for package in wanted if not any(line.startswith(f"{package}==") for line in lines)] == []
