"""The wheel of our book's library, installed beside each framework's real environment."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.execution.environments.environments import sync
from d2lbuild.execution.home import cache_home
from d2lbuild.extraction import libraries
from d2lbuild.pipeline import select_frameworks
from d2lbuild.rendering.wheel import write_wheel

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
NAMES = ("pytorch", "mxnet", "tensorflow", "jax")
_EVERY_MODULE = """
import importlib, sys
for module in sys.argv[1:]:
    try:
        print(module, importlib.import_module(f"d2l.{module}").Module.__name__)
    except ImportError as error:
        print(module, error)
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return replace(load_config(ROOT), output=tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def site(config: Config) -> Path:
    path, findings = write_wheel(config, libraries(config, select_frameworks(config, ["all"])), config.output / "dist")
    assert findings == ()
    target = config.output / "site"
    options = ["--no-index", "--no-deps", "--disable-pip-version-check", "--quiet", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(path)], check=True, capture_output=True)
    return target


@pytest.mark.parametrize("name", NAMES)
def test_each_module_works_with_its_framework_and_asks_for_it_elsewhere(config: Config, site: Path, name: str) -> None:
    environment = sync(config.framework(name), cache_home())
    modules = [framework.module for framework in config.frameworks]
    command = [str(environment.python), "-c", _EVERY_MODULE, *modules]
    done = subprocess.run(command, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False)
    expected = []
    for framework in config.frameworks:
        advice = f"d2l.{framework.module} needs {framework.title}, which is not installed here"
        missing = f"{advice}: pip install d2l[{framework.name}]"
        expected.append(f"{framework.module} {'Module' if framework.name == name else missing}")
    assert done.stdout.splitlines() == expected, done.stderr
