"""Outputs that come after their cell is said to be done: kernels of other languages need not keep the order."""

import contextlib
from queue import Empty
from typing import Any, cast

from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode

from d2lbuild.execution.kernels.outputs import BoundedClient

__all__ = ["PatientClient"]

_ANSWER = 10.0
"""Seconds to wait for an answer that shows that a kernel has come to the end of what it was told."""

_QUIET = 0.5
"""Seconds without an output after which no more is expected."""


class PatientClient(BoundedClient):
    """Gives late outputs to the cells that they belong to."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._cells: dict[str, tuple[NotebookNode, int]] = {}

    @property
    def _kernel(self) -> AsyncKernelClient:
        return cast("AsyncKernelClient", self.kc)

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        self._cells[parent_msg_id] = (cell, cell_index)
        while not self._take(await self._kernel.get_iopub_msg(timeout=None), parent_msg_id):
            self.received += 1

    def _take(self, msg: dict[str, Any], current: str) -> bool:
        """Take a message; return whether the cell that was sent as `current` is done."""
        parent = msg["parent_header"].get("msg_id", "")
        owner = self._cells.get(parent)
        if owner is not None:
            try:
                self.process_message(msg, *owner)
            except CellExecutionComplete:
                return bool(parent == current)
        return False

    async def settle(self) -> None:
        """Take the outputs that are still on their way when the last cell is done."""
        with contextlib.suppress(Empty):
            self._kernel.kernel_info()
            await self._kernel.get_shell_msg(timeout=_ANSWER)
        with contextlib.suppress(Empty):
            while True:
                self._take(await self._kernel.get_iopub_msg(timeout=_QUIET), "")
