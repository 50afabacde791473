"""Forked kernels: like fresh ones for a notebook, and gone when they should be."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.execution.environments.environments import find
from d2lbuild.execution.home import cache_home
from d2lbuild.execution.kernels.warm import WarmKernels
from d2lbuild.execution.request import ExecutionRequest, KernelCommand
from d2lbuild.execution.run import run_notebook
from d2lbuild.model import ExecutionResult, Status

MakeRequest = Callable[..., ExecutionRequest]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
]

ROOT = Path(__file__).resolve().parents[3]

WHO = "import os; print(os.getpid(), os.getppid())"


def with_preload(request: ExecutionRequest, *modules: str) -> ExecutionRequest:
    return replace(request, kernel=KernelCommand(request.kernel.python, preload=modules))


def numbers(result: ExecutionResult, cell: int = 0) -> list[int]:
    assert result.failure is None
    return [int(word) for word in result.outputs[cell][0]["text"].split()]


def gone(pid: int) -> bool:
    """Whether a process is gone, which may take it a moment."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_kernels_of_one_parent_follow_each_other_and_end_with_it(make_request: MakeRequest) -> None:
    with WarmKernels() as warm:
        runs = [run_notebook(make_request(WHO), warm=warm) for _ in range(2)]
        (first, parent), (second, same) = map(numbers, runs)
        assert first != second
        assert parent == same != os.getpid()
        assert warm.fallbacks == []
        assert gone(first)
        assert gone(second)
    assert gone(parent)


def test_threads_wait_for_one_parent(make_request: MakeRequest) -> None:
    with WarmKernels() as warm, ThreadPoolExecutor(3) as pool:
        results = pool.map(lambda _: run_notebook(make_request(WHO), warm=warm), range(3))
        assert len({numbers(result)[1] for result in results}) == 1


def test_other_variables_have_another_parent(make_request: MakeRequest) -> None:
    with WarmKernels() as warm:
        few, many, seen = (
            run_notebook(make_request(WHO, variables={"OMP_NUM_THREADS": "{threads}"}, **settings), warm=warm)
            for settings in ({"threads": 1}, {"threads": 2}, {"threads": 2, "gpus": ()})
        )
        assert numbers(few)[1] != numbers(many)[1] == numbers(seen)[1]


TELLTALES = """
import gc, os, random, signal, sys, tempfile, threading
def depth():
    frame, count = sys._getframe(), 0
    while frame:
        frame, count = frame.f_back, count + 1
    return count
print(sys.argv[0], __name__, sys.modules["__main__"].__dict__ is globals(), depth())
print([path for path in sys.path if path])
print(sorted(name for name in os.environ if name != "PYTHONPATH"))
print(os.path.basename(os.getcwd()), os.getsid(0) == os.getpid(), threading.current_thread().name)
print([signal.getsignal(one) for one in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)])
print(signal.set_wakeup_fd(-1), gc.isenabled(), gc.get_threshold(), sys.flags, sys.warnoptions)
print(tempfile.gettempdir().startswith(os.environ["TMPDIR"]), os.environ["HOME"] == os.path.expanduser("~"))
print(sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in (0,)), "numpy" in globals())
"""


def test_a_notebook_cannot_tell(make_request: MakeRequest, tmp_path: Path) -> None:
    package = tmp_path / "library" / "d2l"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("name = 'generated'\n")
    request = make_request(
        TELLTALES,
        "import d2l; d2l.name",
        "def deep(n): return deep(n + 1)\ndeep(0)",
        variables={"ANSWER": "42"},
    )
    with WarmKernels() as warm:
        forked = run_notebook(with_preload(request, "csv", "xml.dom"), warm=warm)
        assert warm.fallbacks == []
    fresh = run_notebook(request)
    assert fresh.status is Status.FAILED
    assert forked.outputs[0][0]["text"].splitlines() == fresh.outputs[0][0]["text"].splitlines()
    assert forked.outputs == fresh.outputs
    assert forked.failure == fresh.failure


def test_what_is_preloaded_is_there_and_what_is_missing_is_left_out(make_request: MakeRequest) -> None:
    request = with_preload(make_request("import sys; 'csv' in sys.modules"), "no_such_module", "csv", "csv.missing")
    with WarmKernels() as warm:
        result = run_notebook(request, warm=warm)
        assert warm.fallbacks == []
    assert result.outputs[0][0]["data"]["text/plain"] == "True"


def test_generators_are_seeded_anew(make_request: MakeRequest, tmp_path: Path) -> None:
    # Python's own generator does that by itself, NumPy's does not. This one counts.
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("from numpy import random\n")
    (tmp_path / "numpy" / "random.py").write_text("seeds = []\ndef seed(): seeds.append(1)\n")
    request = make_request(
        "import numpy, random; print(len(numpy.random.seeds), random.getrandbits(60))",
        variables={"PYTHONPATH": str(tmp_path)},
    )
    with WarmKernels() as warm:
        one, two = (numbers(run_notebook(with_preload(request, "numpy"), warm=warm)) for _ in range(2))
    assert one[0] == two[0] == 1
    assert one[1] != two[1]


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("print('hello')", "speaks prints when it is imported"),
        ("1 / 0", "import of speaks failed: ZeroDivisionError: division by zero"),
        ("import no_such_module", "import of speaks failed: No module named 'no_such_module'"),
        ("import os; os._exit(4)", "the process that they are forked from died"),
    ],
)
def test_a_module_that_should_not_be_preloaded(
    make_request: MakeRequest, tmp_path: Path, module: str, reason: str
) -> None:
    (tmp_path / "speaks.py").write_text(module)
    request = with_preload(make_request(WHO, variables={"PYTHONPATH": str(tmp_path)}), "speaks")
    with WarmKernels() as warm:
        for _ in range(2):
            assert numbers(run_notebook(request, warm=warm))[1] == os.getpid()
        assert warm.fallbacks == [f"kernels of none are started afresh, not forked: {reason}"]


def test_a_module_that_takes_too_long(make_request: MakeRequest, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time; time.sleep(600)")
    request = make_request("1", variables={"PYTHONPATH": str(tmp_path)}, startup_timeout=60.0)
    impatient = with_preload(replace(request, startup_timeout=0.5), "slow")
    with WarmKernels() as warm:
        run_notebook(impatient, warm=warm)
        assert warm.fallbacks == [
            "kernels of none are started afresh, not forked: their modules were not imported within 0.5 s"
        ]


def test_an_interpreter_that_does_not_run(make_request: MakeRequest) -> None:
    with WarmKernels() as warm:
        result = run_notebook(make_request("1", python=Path("/nonexistent/python")), warm=warm)
        assert result.status is Status.NOT_STARTED
        assert len(warm.fallbacks) == 1


def test_a_parent_that_dies_is_started_once_more(make_request: MakeRequest) -> None:
    with WarmKernels() as warm:
        _, first = numbers(run_notebook(make_request(WHO), warm=warm))
        os.kill(first, signal.SIGKILL)
        assert gone(first)
        _, second = numbers(run_notebook(make_request(WHO), warm=warm))
        assert second not in {first, os.getpid()}
        assert warm.fallbacks == []
        os.kill(second, signal.SIGKILL)
        assert gone(second)
        assert numbers(run_notebook(make_request(WHO), warm=warm))[1] == os.getpid()
        assert warm.fallbacks == [
            "kernels of none are started afresh, not forked: the process that they are forked from died"
        ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(3)", "ended with exit status 3"),
        ("import os; os._exit(0)", "ended with exit status 0"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by signal 9 (SIGKILL)"),
        ("import os; os.abort()", "was killed by signal 6 (SIGABRT)"),
        ("import os, time; os.kill(os.getppid(), 9); time.sleep(600)", "was killed by signal 9 (SIGKILL)"),
    ],
)
def test_how_a_kernel_ended_comes_back(make_request: MakeRequest, code: str, words: str) -> None:
    with WarmKernels() as warm:
        result = run_notebook(make_request("1", code), warm=warm)
    assert result.status is Status.DIED
    assert result.failure is not None
    assert words in result.failure.message


DAEMON = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"],
                         stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(os.getpid(), child.pid, flush=True)
"""


@pytest.mark.parametrize("ending", ["pass", "os._exit(1)", "1 / 0", "import time; time.sleep(600)"])
@pytest.mark.parametrize("forked", [True, False])
def test_nothing_that_a_kernel_started_stays(make_request: MakeRequest, ending: str, forked: bool) -> None:
    # A notebook that sleeps is ended when the time is up.
    timeout = 20.0 if "sleep" in ending else 60.0
    with WarmKernels() as warm:
        result = run_notebook(make_request(DAEMON, ending, timeout=timeout), warm=warm if forked else None)
        kernel, child = map(int, result.outputs[0][0]["text"].split())
        assert gone(kernel)
        assert gone(child)


def test_leaving_ends_kernels_that_run(make_request: MakeRequest, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    code = f"""
import os, time
with open({str(file)!r} + ".new", "w") as file:
    file.write(f"{{os.getpid()}} {{os.getppid()}}")
os.rename({str(file)!r} + ".new", {str(file)!r})
time.sleep(600)
"""
    results: list[ExecutionResult] = []
    with WarmKernels() as warm:
        thread = threading.Thread(target=lambda: results.append(run_notebook(make_request(code), warm=warm)))
        thread.start()
        deadline = time.monotonic() + 120
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    thread.join()
    assert results[0].status is Status.DIED
    assert all(gone(int(pid)) for pid in file.read_text().split())


def test_a_sandbox_holds_for_forked_kernels(make_request: MakeRequest) -> None:
    request = make_request("import socket; print(len(socket.if_nameindex()))", sandbox=True)
    with WarmKernels() as warm:
        result = run_notebook(request, warm=warm)
    assert numbers(result) == [1] or "in spite of the sandbox" in result.warnings[0]


BUILD = """
import sys
from pathlib import Path, PurePosixPath
from d2lbuild.execution.request import CodeCell, ExecutionRequest, KernelCommand
from d2lbuild.execution.run import run_notebook
from d2lbuild.execution.kernels.warm import WarmKernels

cell = f'''
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
with open({sys.argv[1]!r} + ".new", "w") as file:
    file.write(f"{{os.getpid()}} {{os.getppid()}} {{child.pid}}")
os.rename({sys.argv[1]!r} + ".new", {sys.argv[1]!r})
time.sleep(600)
'''
with WarmKernels() as warm:
    run_notebook(
        ExecutionRequest("a/b", "none", (CodeCell(cell),), KernelCommand(Path(sys.executable)), Path("/nonexistent"),
                         PurePosixPath("a")),
        warm=warm,
    )
"""


def test_a_build_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", BUILD, str(file)], cwd=ROOT) as build:
        deadline = time.monotonic() + 120
        while not file.exists() and build.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        build.kill()
    pids = [int(pid) for pid in file.read_text().split()]
    assert len(pids) == 3
    assert all(map(gone, pids))


TRAINING = {
    "pytorch": """
import torch
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
data = DataLoader(TensorDataset(torch.arange(8.).reshape(8, 1)), batch_size=4, num_workers=2)
net = torch.nn.Sequential(torch.nn.Conv1d(1, 4, 1), torch.nn.Flatten(), torch.nn.Linear(4, 1))
trainer = torch.optim.SGD(net.parameters(), lr=0.001)
for (X,) in data:
    trainer.zero_grad()
    net(X.reshape(-1, 1, 1)).sum().backward()
    trainer.step()
print([round(float(p.sum()), 4) for p in net.parameters()])
""",
    "mxnet": """
from mxnet import autograd, gluon, np, npx
npx.set_np()
npx.random.seed(0) if hasattr(npx.random, "seed") else None
net = gluon.nn.Dense(1)
net.initialize()
X = np.arange(8).reshape(8, 1)
with autograd.record():
    loss = net(X).sum()
loss.backward()
print(net.weight.grad(), (np.ones((64, 64)) @ np.ones((64, 64))).sum())
""",
    "tensorflow": """
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
net = tf.keras.Sequential([tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.Dense(1)])
net.compile(optimizer="sgd", loss="mse")
history = net.fit(tf.reshape(tf.range(8.), (8, 1)), tf.ones((8, 1)), epochs=2, verbose=0)
print([round(loss, 3) for loss in history.history["loss"]])
""",
    "jax": """
import jax
from jax import numpy as jnp
grad = jax.jit(jax.grad(lambda w, X: ((X @ w) ** 2).sum()))
print(grad(jnp.ones((3, 1)), jnp.arange(6.).reshape(2, 3)))
jax.random.normal(jax.random.PRNGKey(0), (2,))
""",
}

PLOT = """
import numpy as np
from matplotlib import pyplot as plt
from matplotlib_inline import backend_inline
backend_inline.set_matplotlib_formats("svg")
plt.plot(np.arange(3));
"""


@pytest.mark.frameworks
@pytest.mark.parametrize("name", sorted(TRAINING))
def test_frameworks_give_the_same_in_forked_kernels(make_request: MakeRequest, name: str) -> None:
    framework = load_config(ROOT).framework(name)
    environment = find(framework, cache_home())
    assert environment is not None, f"run `d2lbuild env sync {name}`"
    request = replace(
        make_request(
            TRAINING[name], PLOT, "import pandas; pandas.DataFrame({'a': [1]})", timeout=250.0, startup_timeout=250.0
        ),
        kernel=KernelCommand(environment.python, preload=framework.preload),
        variables=framework.variables,
    )
    with WarmKernels() as warm:
        forked = run_notebook(request, warm=warm)
        assert warm.fallbacks == []
    fresh = run_notebook(request)
    assert fresh.failure is None
    assert forked.failure is None
    assert forked.outputs == fresh.outputs
