from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.rendering.elsewhere.requirements import direct_requirements, locked_lines
from tests.rendering.pages import PYTORCH

ASKED = """\
torch>=2,<3  # the framework
numpy>=1.26
ipykernel>=6
matplotlib-inline
Pandas[excel]
--no-binary x
only-windows ; sys_platform == 'win32'
"""
LOCK = """\
# Made by a program.
ipykernel==6.29.5
numpy==1.26.4 ; python_version >= '3.12'
numpy==2.0.1 ; python_version < '3.12'
pandas==2.2.0
six==1.16.0
torch==2.13.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "requirements.in").write_text(ASKED, "utf-8")
    (tmp_path / "requirements.txt").write_text(LOCK, "utf-8")
    return tmp_path


def test_direct_requirements_have_their_locked_versions(folder: Path) -> None:
    asked, lock = folder / "requirements.in", folder / "requirements.txt"
    framework = replace(PYTORCH, python="3.11", requirements=asked, lock=lock)
    assert direct_requirements(framework) == ["numpy==2.0.1", "Pandas[excel]==2.2.0", "torch==2.13.0"]
    newer = replace(framework, python="3.12")
    assert direct_requirements(newer, there=frozenset({"torch"})) == ["numpy==1.26.4", "Pandas[excel]==2.2.0"]


def test_what_a_service_has_is_installed_where_the_book_asks_for_one_version(folder: Path) -> None:
    (folder / "requirements.in").write_text("torch==2.12.1\n", "utf-8")
    framework = replace(PYTORCH, requirements=folder / "requirements.in")
    assert direct_requirements(framework, there=frozenset({"torch"})) == ["torch==2.12.1"]


def test_a_lock_for_gpus_is_taken_where_there_is_one(folder: Path) -> None:
    (folder / "gpu.txt").write_text("torch==2.13.0+gpu\n", "utf-8")
    framework = replace(PYTORCH, lock=folder / "requirements.txt", gpu_lock=folder / "gpu.txt")
    assert locked_lines(framework, gpu=True) == ["torch==2.13.0+gpu"]
    assert len(locked_lines(framework)) == 6
    assert locked_lines(PYTORCH) == []
