"""Single kernels: other languages' commands, their last moments, and the sandbox."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.execution.request import ExecutionRequest, KernelCommand
from d2lbuild.execution.run import run_notebook
from d2lbuild.model import ExecutionResult, Status

MakeRequest = Callable[..., ExecutionRequest]

pytestmark = pytest.mark.integration

LAUNCHER = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")


def printed(result: ExecutionResult, cell: int) -> str:
    return "".join(output["text"] for output in result.outputs[cell] if output["output_type"] == "stream")


def test_another_command_is_a_kernel_too(make_request: MakeRequest) -> None:
    request = make_request("import os, sys; print(os.getsid(0) == os.getpid(), sys.argv[1], os.environ['HOME'])")
    result = run_notebook(replace(request, kernel=KernelCommand(Path(sys.executable), "other", LAUNCHER)))
    assert result.failure is None
    own, flag, home = printed(result, 0).split()
    assert (own, flag) == ("True", "-f")
    assert home != str(Path.home())


def test_a_command_knows_its_environment(make_request: MakeRequest) -> None:
    command = ("env", "WHERE={environment}", *LAUNCHER)
    request = make_request("import os; print(os.environ['WHERE'])")
    result = run_notebook(replace(request, kernel=KernelCommand(Path("/opt/there/bin/python"), "other", command)))
    assert printed(result, 0) == "/opt/there\n"


def test_a_command_that_is_not_there_is_named(make_request: MakeRequest) -> None:
    request = replace(make_request("1"), kernel=KernelCommand(Path(sys.executable), "other", ("no-such-kernel",)))
    result = run_notebook(request)
    assert result.status is Status.NOT_STARTED
    assert result.failure is not None
    assert "no-such-kernel cannot be run: No such file or directory" in result.failure.traceback


def test_clean_up_code_runs_at_the_end(make_request: MakeRequest, tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = f"import atexit\natexit.register(lambda: open({str(done)!r}, 'w').write('cleaned'))"
    assert run_notebook(make_request(code)).status is Status.DONE
    assert done.read_text() == "cleaned"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can take the network away")
def test_a_sandbox_has_no_network_but_its_own(make_request: MakeRequest) -> None:
    code = """
import socket
print([name for _, name in socket.if_nameindex()])
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()[:2]):
        print("loopback")
"""
    result = run_notebook(make_request(code, sandbox=True))
    assert result.failure is None
    # Some systems keep everybody but root from it.
    assert printed(result, 0) == "['lo']\nloopback\n" or "in spite of the sandbox" in result.warnings[0]


def test_without_a_sandbox_nothing_is_warned_of(make_request: MakeRequest) -> None:
    assert run_notebook(make_request("1")).warnings == ()
