import asyncio
from collections import deque
from queue import Empty
from typing import Any

from nbformat.v4 import new_code_cell, new_notebook

from d2lbuild.execution.kernels.late_outputs import PatientClient


class Kernel:
    """Has these messages, and no others."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = deque(messages)
        self.asked = 0

    async def get_iopub_msg(self, timeout: float | None) -> dict[str, Any]:
        if not self.messages:
            raise Empty
        return self.messages.popleft()

    async def get_shell_msg(self, timeout: float | None) -> dict[str, Any]:
        return {}

    def kernel_info(self) -> None:
        self.asked += 1


def message(parent: str, kind: str, **content: Any) -> dict[str, Any]:
    header = {"msg_type": kind}
    return {"msg_type": kind, "header": header, "parent_header": {"msg_id": parent}, "content": content}


def status(parent: str, state: str) -> dict[str, Any]:
    return message(parent, "status", execution_state=state)


def stream(parent: str, text: str) -> dict[str, Any]:
    return message(parent, "stream", name="stdout", text=text)


def test_outputs_that_are_late_go_to_their_cell() -> None:
    cells = [new_code_cell("1"), new_code_cell("2")]  # type: ignore[no-untyped-call]
    client = PatientClient(new_notebook(cells=cells), record_timing=False)  # type: ignore[no-untyped-call]
    client.reset_execution_trackers()
    client.clear_before_next_output = False
    kernel = Kernel(
        status("0", "idle"),
        status("a", "busy"),
        status("a", "idle"),
        stream("a", "first\n"),
        status("b", "busy"),
        stream("0", "of nobody\n"),
        status("b", "idle"),
        stream("b", "second\n"),
        stream("a", "first again\n"),
    )
    client.kc = kernel  # type: ignore[assignment]

    async def run() -> None:
        await client._async_poll_output_msg("a", cells[0], 0)
        await client._async_poll_output_msg("b", cells[1], 1)
        assert [len(cell.outputs) for cell in cells] == [1, 0]
        await client.settle()

    asyncio.run(run())
    assert [[output.text for output in cell.outputs] for cell in cells] == [["first\nfirst again\n"], ["second\n"]]
    assert kernel.asked == 1
