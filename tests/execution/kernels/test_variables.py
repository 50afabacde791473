"""Which environment variables reach a notebook."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.execution.kernels.variables import kernel_variables
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place

MakeRequest = Callable[..., ExecutionRequest]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "k", tmp_path / "book", tmp_path / "book" / "a", tmp_path / "home")


def test_the_users_settings_and_secrets_stay_out(make_request: MakeRequest, place: Place) -> None:
    user = {
        "PYTHONPATH": "/user",
        "PYTHONSTARTUP": "/user/startup.py",
        "IPYTHONDIR": "/user/ipython",
        "MPLBACKEND": "Agg",
        "JUPYTER_PATH": "/user/jupyter",
        "VIRTUAL_ENV": "/user/venv",
        "HOME": "/user",
        "TMPDIR": "/user/tmp",
        "GITHUB_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "LANGUAGE_KEY": "secret",
        "MY_LANG": "secret",
    }
    variables = kernel_variables(make_request(variables={"PYTHONHASHSEED": "7"}), place, user)
    assert [name for name, value in variables.items() if value.startswith(("/user", "secret"))] == []
    assert variables["HOME"] == str(place.home)
    assert Path(variables["TMPDIR"]).is_relative_to(place.private)
    assert variables["PYTHONHASHSEED"] == "7"


def test_harmless_variables_and_those_that_the_book_names_are_seen(make_request: MakeRequest, place: Place) -> None:
    user = {"LANG": "de_DE.UTF-8", "LC_ALL": "C", "https_proxy": "http://proxy", "NVIDIA_VISIBLE_DEVICES": "all"}
    variables = kernel_variables(make_request(passed=("KAGGLE_KEY",)), place, {**user, "KAGGLE_KEY": "1", "OTHER": "2"})
    assert {**variables, **user, "KAGGLE_KEY": "1"} == variables
    assert "OTHER" not in variables


@pytest.mark.skipif(sys.platform == "win32", reason="there the user's folders are needed")
def test_programs_are_the_environments_and_the_systems(make_request: MakeRequest, place: Place) -> None:
    request = make_request()
    first, *others = kernel_variables(request, place, {"PATH": "/user/bin"})["PATH"].split(os.pathsep)
    assert first == str(request.kernel.python.parent)
    assert "/usr/bin" in others
    assert "/user/bin" not in others
    passed = kernel_variables(make_request(passed=("PATH",)), place, {"PATH": "/user/bin"})["PATH"]
    assert passed == f"{first}{os.pathsep}/user/bin"


def test_threads_and_downloads_are_filled_in(make_request: MakeRequest, place: Place, tmp_path: Path) -> None:
    stated = {"OMP_NUM_THREADS": "{threads}", "TORCH_HOME": "{downloads}/torch", "FORM": "{other}"}
    variables = kernel_variables(make_request(variables=stated, threads=3, downloads=tmp_path), place, {})
    assert variables["OMP_NUM_THREADS"] == "3"
    assert variables["TORCH_HOME"] == f"{tmp_path}/torch"
    assert variables["FORM"] == "{other}"
    assert variables["XDG_CACHE_HOME"] == str(tmp_path)
    without = kernel_variables(make_request(variables=stated), place, {})
    assert Path(without["TORCH_HOME"]).is_relative_to(place.home)
    assert int(without["OMP_NUM_THREADS"]) >= 1


def test_gpus_are_those_that_were_given(make_request: MakeRequest, place: Place) -> None:
    stated = {"CUDA_VISIBLE_DEVICES": "7"}
    assert kernel_variables(make_request(variables=stated), place, stated)["CUDA_VISIBLE_DEVICES"] == ""
    shared = kernel_variables(make_request(gpus=("0", "GPU-3f"), gpu_share=0.25), place, {})
    assert shared["CUDA_VISIBLE_DEVICES"] == "0,GPU-3f"
    assert shared["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.250"
