"""Outputs of cells: held to a size while they arrive, and afterwards free of what differs from run to run."""

import json
import re
from typing import Any, cast

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_output

from d2lbuild.model import Output

__all__ = ["BoundedClient", "clean_outputs", "failing_line", "plain_text"]

_RICH_FACTOR = 50
"""How much more room pictures and other data have than text."""

_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CELL_FILE = re.compile(r"[^\s\"'<>]{0,200}ipykernel_\d+[/\\]\d+\.py")
"""The name that a cell has as a file, which holds the kernel's process number. Bounded: lines may be long."""


class BoundedClient(NotebookClient):
    """Runs cells and keeps at most `max_output` characters of text of each, in order, with a notice at the cut."""

    max_output: int = 1_000_000
    _text = 0
    _rich = 0
    _cut = False

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Take an output from the kernel, or what there is room for."""
        if not outs or self.clear_before_next_output:
            # A new cell, or one that has cleared its outputs.
            self._text, self._rich, self._cut = 0, 0, False
        if msg["msg_type"] == "error":
            return super().output(outs, msg, display_id, cell_index)
        if self._cut:
            return None
        content = msg["content"]
        last = outs[-1] if outs and not self.clear_before_next_output else {}
        self._cut = self._shorten(msg)
        if msg["msg_type"] == "stream" and last.get("name") == content["name"]:
            last["text"] += content["text"]
        else:
            super().output(outs, msg, display_id, cell_index)
        if self._cut:
            text = f"\n[… the output is cut here: a cell may print {self.max_output:,} characters]\n"
            outs.append(new_output("stream", name="stderr", text=text))  # type: ignore[no-untyped-call]
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
        data = content.get("data", {})
        sizes = {kind: len(value) for kind, value in data.items() if isinstance(value, str)}
        text = sum(size for kind, size in sizes.items() if kind.startswith("text/"))
        self._text += text
        self._rich += sum(sizes.values())
        if text <= room and self._rich <= self.max_output * _RICH_FACTOR:
            return False
        content["data"] = {"text/plain": str(data.get("text/plain", ""))[:room]}
        return True


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
