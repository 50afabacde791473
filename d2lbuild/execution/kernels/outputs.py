"""Outputs of cells: held to a size while they arrive, and afterwards free of what differs from run to run."""

import asyncio
import json
import re
from typing import Any, cast

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_output

from d2lbuild.model import Output

__all__ = ["BoundedClient", "clean_outputs", "failing_line", "plain_text"]

_RICH_FACTOR = 50
"""How much more room pictures and other data have than text."""

_MAX_OUTPUTS = 1_000
"""Of one cell: more than that is no page."""

_ROUND = 100
"""Messages after which others get a turn."""

_DROPPED = (b'"stream"', b'"display_data"', b'"update_display_data"')
"""What the headers of messages hold that are of no use when an output has been cut."""

_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CELL_FILE = re.compile(r"[^\s\"'<>]{0,200}ipykernel_\d+[/\\]\d+\.py")
"""The name that a cell has as a file, which holds the kernel's process number. Bounded: lines may be long."""


class BoundedClient(NotebookClient):
    """Runs cells and keeps at most `max_output` characters of text of each, in order, with a notice at the cut."""

    max_output: int = 1_000_000
    received: int = 0
    """How many messages have come: as long as it grows, more may be on their way."""
    _text = 0
    _rich = 0
    _cut = False

    async def _async_check_alive(self) -> None:
        # Whoever runs the cells watches the kernel's process as well, and takes the last outputs before giving up.
        pass

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        # Taking a message as nbclient does costs as much as printing a few dozen lines: cells may print faster than
        # that, one message a line.
        assert self.kc is not None
        socket, session = self.kc.iopub_channel.socket, self.kc.session
        while True:
            frames = await socket.recv_multipart()
            self.received += 1
            if self.received % _ROUND == 0:
                # Else a flood would keep the clock from being looked at.
                await asyncio.sleep(0)
            _, parts = session.feed_identities(frames)
            gone = self._cut and cell.outputs and not self.clear_before_next_output
            if gone and any(kind in parts[1] for kind in _DROPPED):
                continue
            msg = session.deserialize(parts)
            if msg["parent_header"].get("msg_id") == parent_msg_id:
                try:
                    self.process_message(msg, cell, cell_index)
                except CellExecutionComplete:
                    return

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Take a message from the kernel."""
        if msg["msg_type"] == "update_display_data" and self._excess(msg["content"], self.max_output):
            # It takes the place of what was shown before, so that it counts for itself.
            self._make_plain(msg["content"], self.max_output)
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Take an output from the kernel, or what there is room for."""
        if not outs or self.clear_before_next_output:
            # A new cell, or one that has cleared its outputs.
            self._text, self._rich, self._cut = 0, 0, False
        content = msg["content"]
        if msg["msg_type"] == "error":
            content["evalue"] = content["evalue"][: self.max_output]
            content["traceback"] = [line[: self.max_output] for line in content["traceback"]]
            return super().output(outs, msg, display_id, cell_index)
        if self._cut:
            return None
        last = outs[-1] if outs and not self.clear_before_next_output else {}
        joined = msg["msg_type"] == "stream" and last.get("name") == content["name"]
        if not joined and len(outs) >= _MAX_OUTPUTS and not self.clear_before_next_output:
            self._cut = True
            outs.append(_notice(f"a cell may show {_MAX_OUTPUTS:,} outputs", "stdout"))
            return outs[-1]
        self._cut = self._shorten(msg)
        if joined:
            last["text"] += content["text"]
        else:
            super().output(outs, msg, display_id, cell_index)
        if self._cut:
            outs.append(_notice(f"a cell may print {self.max_output:,} characters", content.get("name", "stdout")))
        return outs[-1]

    def _shorten(self, msg: dict[str, Any]) -> bool:
        """Count an output after making it fit; return whether something had to go."""
        content = msg["content"]
        room = self.max_output - self._text
        if msg["msg_type"] == "stream":
            size = len(content["text"])
            content["text"] = content["text"][:room]
            self._text += len(content["text"])
            return size > room
        excess = self._excess(content, room)
        text, rich = _sizes(content)
        self._text += text
        self._rich += rich
        if excess:
            self._make_plain(content, room)
        return excess

    def _excess(self, content: dict[str, Any], room: int) -> bool:
        text, rich = _sizes(content)
        return text > room or self._rich + rich > self.max_output * _RICH_FACTOR

    def _make_plain(self, content: dict[str, Any], room: int) -> None:
        content["data"] = {"text/plain": str(content.get("data", {}).get("text/plain", ""))[:room]}


def _sizes(content: dict[str, Any]) -> tuple[int, int]:
    """Return how many characters of text, and of anything, an output has."""
    sizes = {
        kind: len(value) if isinstance(value, str) else len(json.dumps(value))
        for kind, value in content.get("data", {}).items()
    }
    return sum(size for kind, size in sizes.items() if kind.startswith("text/")), sum(sizes.values())


def _notice(limit: str, name: str) -> NotebookNode:
    """Return what says that something is missing, in the stream that it is missing from: pages show but one of them."""
    text = f"\n[… the output is cut here: {limit}]\n"
    return cast("NotebookNode", new_output("stream", name=name, text=text))  # type: ignore[no-untyped-call]


def clean_outputs(outputs: list[NotebookNode], max_output: int) -> tuple[Output, ...]:
    """Return a cell's outputs as plain values: streams joined, overwritten lines and process numbers removed."""
    cleaned: list[Output] = []
    for output in cast("list[Output]", json.loads(json.dumps(outputs))):
        if output["output_type"] == "stream":
            output["text"] = _stream_text(output["text"])
            if not output["text"]:
                continue
        elif output["output_type"] == "error":
            output["evalue"] = output["evalue"][:max_output]
            output["traceback"] = [_without_cell_files(line[:max_output]) for line in output["traceback"]]
        cleaned.append(output)
    return tuple(cleaned)


def _stream_text(text: str) -> str:
    """Show what a terminal would: a progress bar is its last state."""
    return _without_cell_files("\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")))


def _without_cell_files(text: str) -> str:
    return _CELL_FILE.sub("<cell>", text) if "ipykernel_" in text else text


def plain_text(text: str) -> str:
    """Return a text without the codes that colour it on a terminal."""
    return _TERMINAL_CODE.sub("", text)


def failing_line(traceback: str, execution_count: int | None) -> int | None:
    """Return the line within a cell of the last frame that lies in it, from IPython's plain traceback.

    A frame begins ``Cell In[3], line 2``; before IPython 8.7 it began ``Input In [3]`` or ``<ipython-input-3-…>``, and
    an arrow marked the line.
    """
    if execution_count is None:
        return None
    modern = rf"\s*(?:Cell In ?|Input In )\[{execution_count}\](?:, line (\d+))?"
    frame = re.compile(rf"{modern}|.*<ipython-input-{execution_count}-")
    found: int | None = None
    in_cell = False
    for line in traceback.splitlines():
        head = frame.match(line)
        if head:
            in_cell = head[1] is None
            found = int(head[1]) if head[1] else found
        elif in_cell and (arrow := re.match(r"-+> (\d+) ", line)):
            found, in_cell = int(arrow[1]), False
    return found
