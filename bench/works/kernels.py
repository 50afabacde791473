"""How long a notebook takes that only imports its framework and two more modules, and prints, beside plain nbclient."""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from bench.measuring import OURS, Rows, Setting
from d2lbuild.config import Framework, load_config
from d2lbuild.execution.environments.environments import find
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.kernels.warm import WarmKernels
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.run import run_notebook
from d2lbuild.model import Status

BOOK = Path(__file__).resolve().parents[2]

IMPORTS = {
    "pytorch": "import torch",
    "mxnet": "from mxnet import autograd, gluon, init, np, npx",
    "tensorflow": "import tensorflow as tf",
    "jax": "import jax\nfrom flax import nnx\nfrom jax import numpy as jnp",
}


class OneSpec(KernelSpecManager):
    """Knows one kernel."""

    spec: KernelSpec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        """Return it."""
        return self.spec


TITLE = "Kernels"
ABOUT = """\
A notebook that imports its framework, Matplotlib and pandas and prints, from the notebook to its outputs with the
kernel gone. Plain nbclient starts a kernel of the framework's environment; d2lbuild forks one from a process that has
made the imports, which it starts once a build."""


def measure(setting: Setting) -> Rows:
    """Run the same cells in turns, for each framework."""
    rows = Rows()
    for framework in load_config(BOOK).frameworks:
        plain, forked = compare(framework, setting.rounds)
        for seconds in plain:
            rows.note(framework.title, "nbclient", seconds)
        for seconds in forked[1:]:
            rows.note(framework.title, OURS, seconds)
        rows.note(f"{framework.title}, the first of a build", OURS, forked[0])
    return rows


def compare(framework: Framework, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of nbclient and of forked kernels, of which there is one more: the first starts its parent."""
    environment = find(framework, cache_home())
    if environment is None:
        raise SystemExit(f"there is no environment for {framework.name}: run `d2lbuild env sync {framework.name}`")
    cells = [
        IMPORTS[framework.name] + "\nimport pandas as pd\nfrom matplotlib import pyplot as plt",
        f"print({framework.name!r})",
    ]
    plain: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as folder, WarmKernels() as warm:
        request = ExecutionRequest(
            section="bench/imports",
            framework=framework.name,
            cells=tuple(CodeCell(cell) for cell in cells),
            kernel=KernelCommand(environment.python, preload=framework.preload),
            library=Path(folder),
            folder=PurePosixPath("bench"),
            downloads=cache_home() / "downloads",
            variables=framework.variables,
        )
        ours.append(run_forked(request, warm))
        for _ in range(rounds):
            plain.append(run_plain(environment.python, cells, framework, Path(folder)))
            ours.append(run_forked(request, warm))
        if warm.fallbacks:
            raise SystemExit("\n".join(warm.fallbacks))
    return plain, ours


def run_plain(python: Path, cells: list[str], framework: Framework, folder: Path) -> float:
    """Run cells as nbclient does by itself, and return the seconds."""
    threads = str(os.cpu_count() or 1)
    stated = {name: value.replace("{threads}", threads) for name, value in framework.variables.items()}
    begun = time.perf_counter()
    specs = OneSpec()
    specs.spec = KernelSpec(
        argv=[str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name=framework.name,
        language="python",
    )
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    manager = AsyncKernelManager(kernel_spec_manager=specs)
    client = NotebookClient(notebook, km=manager, resources={"metadata": {"path": str(folder)}})
    variables = {**os.environ, **{name: value for name, value in stated.items() if "{" not in value}}
    client.execute(env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken = time.perf_counter() - begun
    check(notebook.cells[1].outputs, framework.name)
    return taken


def run_forked(request: ExecutionRequest, warm: WarmKernels) -> float:
    """Run cells in a forked kernel, and return the seconds."""
    begun = time.perf_counter()
    result = run_notebook(request, warm=warm)
    taken = time.perf_counter() - begun
    if result.status is not Status.DONE:
        raise SystemExit(f"the notebook of {request.framework} has failed: {result.failure}")
    check(result.outputs[1], request.framework)
    return taken


def check(outputs: Sequence[object], name: str) -> None:
    """Make sure that both have done the same."""
    if list(outputs) != [{"output_type": "stream", "name": "stdout", "text": f"{name}\n"}]:
        raise SystemExit(f"the notebook of {name} has other outputs: {outputs}")
