import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments import environments
from d2lbuild.execution.environments.environments import (
    Environment,
    environment_digest,
    environment_folder,
    environment_text,
    find,
    list_environments,
    remove,
    sync,
)


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


def test_the_text_says_what_the_digest_is_of(framework: Framework) -> None:
    write_lock(framework, "a==1\nb==2 ; sys_platform == 'linux'\n")
    python, platform, *packages = environment_text(framework, packages=["Net_Work == 3"]).splitlines()
    assert python == f"python {framework.python}"
    assert platform.startswith(f"platform {sys.platform}")
    assert packages == ["a==1", "b==2 ; sys_platform == 'linux'", "net-work==3"]


def test_a_lock_for_gpus_has_an_environment_of_its_own(framework: Framework, tmp_path: Path) -> None:
    write_lock(framework, "a==1\n")
    cpu = environment_digest(framework)
    assert environment_digest(framework, "gpu") == cpu
    gpu_lock = tmp_path / "requirements-gpu.txt"
    gpu_lock.write_text("a==1\ncuda==12\n")
    framework = dataclasses.replace(framework, gpu_lock=gpu_lock)
    assert environment_digest(framework) == cpu
    assert environment_digest(framework, "gpu") != cpu
    assert "cuda==12" in environment_text(framework, "gpu").splitlines()
    assert environment_folder(framework, tmp_path, "gpu") != environment_folder(framework, tmp_path)


def test_packages_of_a_section_have_an_environment_of_its_own(framework: Framework) -> None:
    write_lock(framework, "a==1\nb==2 ; sys_platform == 'linux'\n")
    plain = environment_digest(framework)
    assert environment_digest(framework, packages=["c==3"]) != plain
    assert environment_digest(framework, packages=["c==3", "D==4"]) == environment_digest(
        framework, packages=["d==4", "c==3", "c == 3"]
    )
    # What the lock has already needs no other environment.
    assert environment_digest(framework, packages=["a==1", "B==2"]) == plain
    assert environment_digest(framework, packages=["a==2"]) != plain


def test_another_kernel_is_a_part_of_the_digest(framework: Framework) -> None:
    kernel = ("{environment}/bin/other", "--file", "{connection_file}")
    other = dataclasses.replace(framework, kernel=kernel)
    assert environment_digest(other) != environment_digest(framework)
    assert "kernel '{environment}/bin/other' --file '{connection_file}'" in environment_text(other).splitlines()


def test_another_language_needs_a_kernel(framework: Framework, tmp_path: Path) -> None:
    java = dataclasses.replace(framework, language="java", comment="//")
    for ask in (
        lambda: environment_digest(java),
        lambda: find(dataclasses.replace(java, interpreter=Path(sys.executable)), tmp_path),
    ):
        with pytest.raises(SetupError, match="nothing says which kernel runs the notebooks of Bare") as error:
            ask()
        assert "--no-execute" in error.value.hint
    assert environment_digest(dataclasses.replace(java, kernel=("k", "{connection_file}")))


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


def make_wheel(folder: Path, name: str, version: str, *requires: str) -> None:
    """Write the smallest wheel that installs."""
    info = f"{name}-{version}.dist-info"
    metadata = "".join(f"Requires-Dist: {one}\n" for one in requires)
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of wheels that is the only source of packages."""
    folder = tmp_path / "wheels"
    make_wheel(folder, "base", "1.0")
    make_wheel(folder, "extra", "2.0", "base>=1")
    make_wheel(folder, "greedy", "3.0", "extra")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


@pytest.mark.integration
def test_a_sections_own_packages_are_installed_beside_the_lock(
    framework: Framework, tmp_path: Path, wheels: Path
) -> None:
    write_lock(framework, "base==1.0\n")
    plain = sync(framework, tmp_path)
    assert (plain.device, plain.additional, dict(plain.packages)) == ("cpu", (), {"base": "1.0"})
    derived = sync(framework, tmp_path, packages=["Extra==2.0"])
    assert derived.python != plain.python
    assert derived.digest == environment_digest(framework, packages=["extra==2.0"])
    assert (derived.additional, dict(derived.packages)) == (("extra==2.0",), {"base": "1.0", "extra": "2.0"})
    assert find(framework, tmp_path, packages=["extra==2.0"]) == derived
    assert find(framework, tmp_path, packages=["extra==2.1"]) is None
    assert sorted(list_environments(tmp_path), key=lambda one: one.additional) == [plain, derived]
    assert len(remove("bare", tmp_path)) == 2


@pytest.mark.integration
def test_packages_that_bring_others_must_name_them(framework: Framework, tmp_path: Path, wheels: Path) -> None:
    write_lock(framework, "base==1.0\n")
    with pytest.raises(SetupError, match=r"greedy==3\.0 .*bring others that nobody names: extra==2\.0$"):
        sync(framework, tmp_path, packages=["greedy==3.0"])
    assert find(framework, tmp_path, packages=["greedy==3.0"]) is None
    assert sync(framework, tmp_path, packages=["greedy==3.0", "extra==2.0"]).packages["extra"] == "2.0"


@pytest.mark.integration
def test_packages_that_the_lock_forbids(framework: Framework, tmp_path: Path, wheels: Path) -> None:
    write_lock(framework, "base==1.0\n")
    make_wheel(wheels, "base", "1.1")
    with pytest.raises(SetupError, match=r"base==1\.1"):
        sync(framework, tmp_path, packages=["base==1.1"])


@pytest.mark.integration
def test_the_environment_for_gpus_comes_from_its_lock(framework: Framework, tmp_path: Path, wheels: Path) -> None:
    gpu_lock = tmp_path / "requirements-gpu.txt"
    gpu_lock.write_text("base==1.0\n")
    framework = dataclasses.replace(framework, gpu_lock=gpu_lock)
    made = sync(framework, tmp_path, device="gpu")
    assert (made.device, dict(made.packages)) == ("gpu", {"base": "1.0"})
    assert find(framework, tmp_path) is None


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


def test_an_interpreter_must_have_a_sections_own_packages(framework: Framework, tmp_path: Path) -> None:
    framework = dataclasses.replace(framework, interpreter=Path(sys.executable))
    found = find(framework, tmp_path)
    assert found is not None
    there = f"ipykernel=={found.packages['ipykernel']}"
    assert find(framework, tmp_path, packages=[there]) == found
    with pytest.raises(SetupError, match=r"has no no-such-package 1\.0"):
        find(framework, tmp_path, packages=["no-such-package==1.0"])


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
    other = dataclasses.replace(framework, interpreter=python, kernel=("other", "{connection_file}"))
    assert find(other, tmp_path) is not None


def test_versions_are_those_asked_for() -> None:
    environment = Environment("pytorch", Path("python"), "", {"torch": "2.13.0", "numpy": "2.0"}, "3.11.7")
    assert environment.versions(["torch", "absent"]) == {"python": "3.11.7", "torch": "2.13.0"}
