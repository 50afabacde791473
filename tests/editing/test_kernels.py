"""Kernels for editing: how they are described, and one that really runs."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from d2lbuild.config import Aliases, Config
from d2lbuild.editing import kernels
from d2lbuild.editing.session import found_program, start
from d2lbuild.errors import UsageError
from d2lbuild.execution.environments.environments import Environment
from tests.books import INDEX, configuration, write_book

CODE = "# One\n\n```{.python .input}\n#@tab %s\ndef double(x):  #@save\n    return 2 * x\n```\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    files = {"index.md": INDEX, "one.md": CODE % "jax", "two.md": "# Two\n"}
    config = configuration(write_book(tmp_path / "a böok", files), interpreter=Path(sys.executable))
    # Aliases are defined in the library, and need the framework.
    return replace(config, frameworks=tuple(replace(one, aliases=Aliases()) for one in config.frameworks))


@pytest.fixture
def environment() -> Environment:
    return Environment("jax", Path(sys.executable), "0", {}, "3.11")


def test_a_kernel_is_described(config: Config, environment: Environment, tmp_path: Path) -> None:
    framework = replace(config.framework("jax"), variables={"N": "{threads}"})
    folder = kernels.write_kernel(tmp_path / "kernels", config, framework, environment)
    spec = json.loads((folder / "kernel.json").read_text("utf-8"))
    assert folder.name == "d2lbuild-mini-jax"
    assert spec["argv"][0] == sys.executable
    assert spec["display_name"] == "JAX (A Mini Book)"
    assert spec["env"]["D2L_FRAMEWORK"] == "jax"
    assert spec["env"]["N"].isdigit()
    modules = sorted(path.relative_to(folder / "modules").as_posix() for path in (folder / "modules").rglob("*.py"))
    assert modules == [
        "d2lbook/__init__.py",
        "d2lbook/tab.py",
        "d2lbuild/__init__.py",
        "d2lbuild/kernel.py",
        "d2lbuild/tab.py",
    ]


def test_another_language_has_its_own_kernel(config: Config, environment: Environment, tmp_path: Path) -> None:
    command = ("{environment}/bin/deno", "--conn", "{connection_file}")
    framework = replace(config.framework("jax"), language="typescript", kernel=command)
    folder = kernels.write_kernel(tmp_path, config, framework, environment)
    home = Path(sys.executable).parent.parent
    argv = json.loads((folder / "kernel.json").read_text("utf-8"))["argv"]
    assert argv == [f"{home}/bin/deno", "--conn", "{connection_file}"]


def test_registered_kernels_can_be_forgotten(
    config: Config, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    folder = kernels.write_kernel(kernels.user_kernels(), config, config.framework("jax"), environment)
    other = folder.with_name("d2lbuild-mini-other")
    other.mkdir()
    assert kernels.forget_kernels(config) == [folder]
    assert not folder.exists()
    assert other.exists()


def test_the_library_is_that_of_the_book(config: Config) -> None:
    kernels.write_library(config, config.framework("jax"))
    assert "def double" in (config.output / "lib" / "d2l" / "jax.py").read_text("utf-8")


def test_programs_are_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_program(str(tmp_path)) == "none"
    for name, program in (("code", "vscode"), ("jupyter-lab", "lab")):
        (tmp_path / name).write_text('#!/bin/sh\nprintf "%s " "$JUPYTER_PATH" "$@" > "$(dirname "$0")/said"\n')
        (tmp_path / name).chmod(0o755)
        assert found_program(str(tmp_path)) == program
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("JUPYTER_PATH", "/other")
    notebook, folder = tmp_path / "book" / "one.ipynb", tmp_path / "book"
    process = start("lab", notebook, folder, tmp_path / "jupyter")
    assert process is not None
    process.wait()
    said = (tmp_path / "said").read_text()
    assert said == f"{tmp_path}/jupyter:/other --ServerApp.root_dir={folder} {notebook} "
    assert start("none", notebook, folder, tmp_path) is None


def test_a_program_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="`jupyter-lab` is not on the PATH"):
        start("lab", tmp_path / "a", tmp_path, tmp_path)
    with pytest.raises(UsageError, match="`code` is not on the PATH"):
        start("vscode", tmp_path / "a", tmp_path, tmp_path)


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_marks_work_in_a_real_kernel(
    config: Config, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels.write_library(config, config.framework("jax"))
    folder = kernels.write_kernel(tmp_path / "kernels", config, config.framework("jax"), environment)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))  # as `start` does for JupyterLab
    manager, client = start_new_kernel(kernel_name=folder.name, startup_timeout=120)
    try:
        assert said(client, "tab.framework") == ["'jax'"]
        assert said(client, "%%tab pytorch\n1/0") == ["not run: this cell is for pytorch, not for jax\n"]
        assert said(client, "%%tab jax\n1 + 1") == ["2"]
        assert said(client, "#@tab all\n%%capture out\nprint(3)") == []
        assert said(client, "%load_ext d2lbook.tab") == []
        assert said(client, "%load_ext d2lbuild.tab") == []
        choose = "tab.interact_select(['mxnet', 'pytorch'])\nif tab.selected('jax'):\n    print('yes')"
        assert said(client, choose) == ["yes\n"]
        assert said(client, "from d2l import jax as d2l\nd2l.double(4)") == ["8"]
        assert said(client, "%%tab jax\n\n1/0") == ["ZeroDivisionError 3"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def said(client: Any, code: str) -> list[str]:
    """Run a cell; return what it prints and gives, and for an error its name and line."""
    found: list[str] = []

    def hear(message: Any) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            found.append(content["text"])
        elif message["msg_type"] == "execute_result":
            found.append(content["data"]["text/plain"])
        elif message["msg_type"] == "error":
            lines = re.findall(r"line (\d+)", re.sub(r"\x1b\[[\d;]*m", "", "".join(content["traceback"])))
            found.append(f"{content['ename']} {lines[-1]}")

    client.execute_interactive(code, timeout=60, output_hook=hear)
    return found
