import dataclasses
import sys
from pathlib import Path

import pytest

from d2lbuild.config.types import Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments.locks import lock, lock_text

LOCKS = Path(__file__).parents[3] / "frameworks"
RESOLVED = "numpy==2.0\nnvidia-cublas==13.1 ; sys_platform == 'linux'\ntorch==2.13.0+cpu ; sys_platform == 'linux'\n"


def body(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.fixture
def framework(tmp_path: Path) -> Framework:
    """Return a framework whose requirements need no network."""
    requirements, gpu = tmp_path / "requirements.in", tmp_path / "requirements-gpu.in"
    requirements.write_text("# nothing\n")
    gpu.write_text("-r requirements.in\n-c requirements.txt\n")
    (tmp_path / "requirements.txt").write_text("old==1\n")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Framework("bare", "Bare", "bare", python=python, requirements=requirements, gpu_requirements=gpu)


def test_locks_name_neither_local_builds_nor_gpu_packages() -> None:
    assert body(lock_text("pytorch", RESOLVED)) == ["numpy==2.0", "torch==2.13.0 ; sys_platform == 'linux'"]


def test_locks_for_gpus_name_everything() -> None:
    text = lock_text("pytorch", RESOLVED, "gpu")
    assert body(text) == RESOLVED.splitlines()
    assert "`d2lbuild env lock --gpu pytorch`" in text


@pytest.mark.parametrize(("device", "what"), [("cpu", "no requirements:"), ("gpu", "no requirements for GPUs:")])
def test_locking_without_requirements(framework: Framework, device: str, what: str) -> None:
    with pytest.raises(SetupError, match=what):
        lock(dataclasses.replace(framework, requirements=None, gpu_requirements=None), device=device)


@pytest.mark.integration
def test_locking_writes_beside_the_requirements(framework: Framework, tmp_path: Path) -> None:
    assert lock(framework) == tmp_path / "requirements.txt"
    text = (tmp_path / "requirements.txt").read_text()
    assert "old" not in text
    assert "d2lbuild env lock bare" in text
    assert lock(framework, device="gpu") == tmp_path / "requirements-gpu.txt"
    assert "d2lbuild env lock --gpu bare" in (tmp_path / "requirements-gpu.txt").read_text()


def test_a_lock_that_cannot_be_written(framework: Framework, tmp_path: Path) -> None:
    there = tmp_path / "a file"
    there.write_text("")
    with pytest.raises(SetupError, match="cannot write"):
        lock(dataclasses.replace(framework, lock=there / "requirements.txt"))


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


@pytest.mark.parametrize("name", ["pytorch", "tensorflow", "jax"])
def test_our_locks_for_gpus_agree_with_the_others(name: str) -> None:
    cpu, gpu = (
        dict(line.partition(" ;")[0].split("==") for line in body((LOCKS / name / file).read_text("utf-8")))
        for file in ("requirements.txt", "requirements-gpu.txt")
    )
    assert {
        package: (cpu[package], gpu[package]) for package in cpu.keys() & gpu.keys() if cpu[package] != gpu[package]
    } == {}
    assert len(cpu.keys() & gpu.keys()) > 40
    assert any(package.startswith("nvidia-") for package in gpu)
