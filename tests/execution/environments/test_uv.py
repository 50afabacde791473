import sys
from pathlib import Path

import pytest

from d2lbuild.errors import SetupError
from d2lbuild.execution.environments.uv import has_python, run_uv, uv_environment


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        ({}, {}),
        ({"PIP_FIND_LINKS": " /wheels  https://x/y "}, {"UV_FIND_LINKS": "/wheels,https://x/y"}),
        ({"PIP_INDEX_URL": "https://a/simple"}, {"UV_DEFAULT_INDEX": "https://a/simple"}),
        (
            {"PIP_EXTRA_INDEX_URL": "https://a https://b"},
            {"UV_INDEX": "https://a https://b", "UV_INDEX_STRATEGY": "unsafe-best-match"},
        ),
        ({"PIP_TRUSTED_HOST": "a\nb"}, {"UV_INSECURE_HOST": "a b"}),
        ({"PIP_DEFAULT_TIMEOUT": "180"}, {"UV_HTTP_TIMEOUT": "180"}),
        ({"PIP_CERT": "/c.pem"}, {"SSL_CERT_FILE": "/c.pem"}),
        ({"PIP_FIND_LINKS": ""}, {}),
    ],
)
def test_uv_is_told_what_pip_was_told(pip: dict[str, str], uv: dict[str, str]) -> None:
    assert uv_environment(pip) == uv | pip


def test_variables_of_uv_win() -> None:
    told = uv_environment({"PIP_INDEX_URL": "https://pip", "UV_DEFAULT_INDEX": "https://uv", "HOME": "/h"})
    assert told["UV_DEFAULT_INDEX"] == "https://uv"
    assert told["HOME"] == "/h"


def test_the_running_environment_is_not_uvs() -> None:
    assert (
        uv_environment({"VIRTUAL_ENV": "/v", "PYTHONPATH": "/p", "CONDA_PREFIX": "/c", "UV_SYSTEM_PYTHON": "1"}) == {}
    )


def test_a_failure_shows_the_command_and_what_uv_said(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(SetupError) as error:
        run_uv(["venv", "--python", "3.2", "x"], framework="jax", cwd=tmp_path, on_line=said.append)
    assert "framework jax" in error.value.message
    assert "`uv venv --python 3.2 x` failed" in error.value.message
    assert said
    assert said[-1] in error.value.message


@pytest.mark.parametrize(
    ("version", "there"), [(f"{sys.version_info[0]}.{sys.version_info[1]}", True), ("3.99", False)]
)
def test_whether_there_is_a_python_of_a_version(version: str, there: bool) -> None:
    assert has_python(version) == there
