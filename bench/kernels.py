"""How long a notebook takes that only imports its framework, Matplotlib and pandas, and prints.

    python bench/kernels.py [--rounds 10] [FRAMEWORK …]

Plain nbclient starts a kernel of the framework's environment for it; d2lbuild forks one from a process that has made
the imports. Both run the same cells in turns, and one round beforehand is not counted. Printed are medians of wall
times in seconds, from the notebook to its outputs with the kernel gone, ours as a part of nbclient's, and how long the
process took to start that is forked.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from d2lbuild.config import Framework, load_config
from d2lbuild.execution.environments.environments import find
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.kernels.warm import WarmKernels
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.run import run_notebook
from d2lbuild.model import Status

BOOK = Path(__file__).resolve().parent.parent

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


def main() -> int:
    """Print the table; the exit status is 1 if a framework misses a fifth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    frameworks = {framework.name: framework for framework in load_config(BOOK).frameworks}
    print(f"{'framework':12}{'nbclient':>10}{'d2lbuild':>10}{'part':>8}{'  its parent':>12}")
    missed = False
    for name in options.frameworks or frameworks:
        plain, ours, start = compare(frameworks[name], options.rounds)
        part = ours / plain
        missed |= part > 0.2
        print(f"{name:12}{plain:10.2f}{ours:10.2f}{part:8.3f}{start:12.2f}", flush=True)
    return int(missed)


def compare(framework: Framework, rounds: int) -> tuple[float, float, float]:
    """Return the medians of nbclient and of forked kernels, and how long the first forked kernel took."""
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
        for _ in range(rounds + 1):
            plain.append(run_plain(environment.python, cells, framework, Path(folder)))
            ours.append(run_forked(request, warm))
        if warm.fallbacks:
            raise SystemExit("\n".join(warm.fallbacks))
    return statistics.median(plain[1:]), statistics.median(ours[1:]), ours[0]


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


if __name__ == "__main__":
    raise SystemExit(main())
