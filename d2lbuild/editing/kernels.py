"""Kernels for editing: the environment of a framework, with the book's library and the marks of cells at work."""

import json
import os
import re
import shutil
from importlib import resources
from pathlib import Path

from d2lbuild.config import Config, Framework
from d2lbuild.execution.environments.environments import Environment
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.placeholders import filled
from d2lbuild.extraction import libraries, library_path
from d2lbuild.files import write_if_changed
from d2lbuild.tab import VARIABLE

__all__ = ["forget_kernels", "kernel_name", "user_kernels", "write_kernel", "write_library"]

_ALIAS = '"""The same under another name."""\n\nfrom d2lbuild.tab import *  # noqa: F403\n'


def kernel_name(config: Config, framework: str) -> str:
    """Return what Jupyter calls the kernel of a book's framework."""
    return f"{_prefix(config)}{framework}".lower()


def _prefix(config: Config) -> str:
    return f"d2lbuild-{re.sub(r'[^A-Za-z0-9_.-]+', '-', config.name).strip('-') or 'book'}-".lower()


def user_kernels() -> Path:
    """Return the folder of the user's own kernels, which every Jupyter finds."""
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415 - comes with jupyter-client

    return Path(jupyter_data_dir()) / "kernels"


def write_kernel(kernels: Path, config: Config, framework: Framework, environment: Environment) -> Path:
    """Describe the kernel of a framework in a folder below `kernels`, and return that folder."""
    folder = kernels / kernel_name(config, framework.name)
    modules = folder / "modules"
    # Of d2lbuild itself nothing but the extension may be found there.
    for name, content in (
        ("d2lbuild/__init__.py", ""),
        ("d2lbuild/tab.py", resources.files("d2lbuild").joinpath("tab.py").read_text("utf-8")),
        # A cell that loads the extension by its own name is then not told that it is there already.
        ("d2lbuild/kernel.py", _ALIAS),
        # Existing books load this one.
        ("d2lbook/__init__.py", ""),
        ("d2lbook/tab.py", _ALIAS),
    ):
        write_if_changed(modules / name, content)
    spec = {
        "argv": _command(framework, environment),
        "display_name": f"{framework.title} ({config.title})",
        "language": framework.language,
        "interrupt_mode": "signal",
        "env": _variables(config, framework, environment, modules),
        "metadata": {"d2lbuild": str(config.root)},
    }
    write_if_changed(folder / "kernel.json", json.dumps(spec, ensure_ascii=False, indent=1) + "\n")
    return folder


def _command(framework: Framework, environment: Environment) -> list[str]:
    if framework.kernel:
        home = str(environment.python.parent.parent)
        return [argument.replace("{environment}", home) for argument in framework.kernel]
    extension = "--InteractiveShellApp.extra_extensions=d2lbuild.kernel"
    return [str(environment.python), "-m", "ipykernel_launcher", "-f", "{connection_file}", extension]


def _variables(config: Config, framework: Framework, environment: Environment, modules: Path) -> dict[str, str]:
    stated = filled(framework.variables, threads=os.cpu_count() or 1, downloads=cache_home() / "downloads")
    return {
        "PATH": os.pathsep.join([str(environment.python.parent), "${PATH}"]),
        "PYTHONPATH": os.pathsep.join([str(modules), str(config.output / "lib")]),
        "PYTHONNOUSERSITE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        VARIABLE: framework.name,
        **stated,
    }


def write_library(config: Config, framework: Framework) -> None:
    """Write the library that the kernel imports."""
    folder = config.output / "lib"
    for library in libraries(config, [framework.name]).values():
        path = library_path(config, framework, folder)
        write_if_changed(path.with_name("__init__.py"), f'__version__ = "{config.release}"\n')
        write_if_changed(path, library.source)


def forget_kernels(config: Config) -> list[Path]:
    """Remove the kernels of this book that are among the user's own; return their folders."""
    names = {kernel_name(config, framework.name) for framework in config.frameworks}
    folders = [path for path in sorted(user_kernels().glob(f"{_prefix(config)}*")) if path.name in names]
    for folder in folders:
        shutil.rmtree(folder)
    return folders
