import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments import environments, locks
from d2lbuild.execution.environments.environments import Environment
from tests.cli.conftest import Run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a cache with one complete environment of pytorch that no book uses."""
    folder = tmp_path / "cache" / "environments" / "pytorch-0123456789ab"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    marker = {"framework": "pytorch", "digest": "0" * 64, "python": "3.11.2", "packages": {"torch": "2.0"}}
    (folder / "d2lbuild-environment.json").write_text(json.dumps(marker))
    return tmp_path / "cache"


def test_list_shows_what_is_there_and_what_is_not(run: Run, book: Path, home: Path) -> None:
    told = run("env", "list")
    heading, old, *missing = told.out.splitlines()
    assert told.code == 0
    assert heading.split() == ["framework", "for", "python", "packages", "folder"]
    assert old.split()[:5] == ["pytorch", "cpu", "3.11.2", "1", str(home / "environments" / "pytorch-0123456789ab")]
    assert old.endswith("not used by this book")
    assert [line.split()[:2] for line in missing] == [
        [name, device] for name in ("pytorch", "jax") for device in ("cpu", "gpu")
    ]
    assert [("`d2lbuild env sync`" in line, "`d2lbuild env sync --gpu`" in line) for line in missing] == [
        (True, False),
        (False, True),
    ] * 2


def test_list_tells_devices_and_packages_apart(run: Run, book: Path, home: Path) -> None:
    folder = book / "frameworks" / "jax"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text('title = "JAX"\nmodule = "jax"\n')
    for name in ("requirements.txt", "requirements-gpu.txt"):
        (folder / name).write_text(f"jax==1\n# {name}\n")
    marker = {"framework": "jax", "digest": "1", "python": "3.11.2", "packages": {"jax": "1"}, "device": "gpu"}
    made = home / "environments" / "jax-0123456789ab"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").symlink_to(sys.executable)
    (made / "d2lbuild-environment.json").write_text(json.dumps(marker | {"additional": ["networkx==3.3"]}))
    derived = next(line for line in run("env", "list").out.splitlines() if str(made) in line)
    assert derived.split()[:5] == ["jax", "gpu", "+", "networkx==3.3", "3.11.2"]
    assert "not used" not in derived


def test_list_works_without_a_book(run: Run, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(run("env", "list").out.splitlines()) == 2
    assert run("env", "list", "--book", str(tmp_path)).code == 2


def test_list_of_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = run("env", "list")
    assert (told.code, told.out) == (0, "")
    assert "there are no environments" in told.err


def test_list_shows_an_interpreter(run: Run, book: Path) -> None:
    folder = book / "frameworks" / "jax"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text('title = "JAX"\nmodule = "jax"\ninterpreter = "/opt/py"\n')
    assert "/opt/py" in run("env", "list").out


@pytest.mark.parametrize("name", ["pytorch", "pytorch-0123456789ab", "all"])
def test_remove(run: Run, home: Path, name: str) -> None:
    folder = home / "environments" / "pytorch-0123456789ab"
    told = run("env", "remove", name)
    assert told.code == 0
    assert f"removed {folder}\n" in told.out
    assert not folder.exists()


def test_remove_of_what_is_not_there(run: Run, home: Path) -> None:
    told = run("env", "remove", "pytroch")
    assert told.code == 2
    assert "did you mean 'pytorch'?" in told.err
    assert (home / "environments" / "pytorch-0123456789ab").exists()


def test_sync_makes_those_that_are_asked_for(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync(framework: Framework, home: Path, on_line: Callable[[str], None], *, device: str) -> Environment:
        on_line("Installed 2 packages")
        on_line(" + torch==2.0")
        place = home / framework.name / device
        return Environment(framework.name, place, "0", {}, "3.11")

    monkeypatch.setattr(environments, "sync", sync)
    cache = book.parent / "cache"
    told = run("env", "sync", "jax")
    assert (told.code, told.out, told.err) == (0, f"jax: {cache / 'jax/cpu'}\n", "jax: Installed 2 packages\n")
    assert run("env", "sync").out == f"pytorch: {cache / 'pytorch/cpu'}\njax: {cache / 'jax/cpu'}\n"
    assert run("env", "sync", "--gpu", "jax").out == f"jax: {cache / 'jax/gpu'}\n"
    assert run("env", "sync", "jaks").code == 2


def test_sync_that_fails(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync(framework: Framework, home: Path, on_line: Callable[[str], None], *, device: str) -> Environment:
        raise SetupError("uv failed", hint="check the network")

    monkeypatch.setattr(environments, "sync", sync)
    told = run("env", "sync")
    assert (told.code, told.err) == (3, "error: uv failed\nhint: check the network\n")


def test_lock_prints_the_file(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "lock", lambda framework, on_line, device: Path("/locks") / framework.name / device)
    assert run("env", "lock").out == "/locks/pytorch/cpu\n/locks/jax/cpu\n"
    assert run("env", "lock", "--gpu", "jax").out == "/locks/jax/gpu\n"


def test_locks_for_gpus_of_those_that_have_them(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = book / "frameworks" / "pytorch"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text('title = "PyTorch"\nmodule = "torch"\n')
    monkeypatch.setattr(locks, "lock", lambda framework, on_line, device: Path("/locks") / framework.name / device)
    assert "/locks/pytorch" not in run("env", "lock", "--gpu").out
