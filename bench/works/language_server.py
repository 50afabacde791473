"""How long the language server takes to answer, over its protocol. Nothing of the book is changed: no key is saved."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from bench.measuring import OURS, Rows, Setting
from d2lbuild.config import load_config
from d2lbuild.source.book import load_book

TITLE = "Writing in an editor"
ABOUT = """\
What the language server answers, over its protocol, in the longest section of the book while somebody types in it.
None of the other tools has one for such books."""
_TIMES = 20


def measure(setting: Setting) -> Rows:
    """Ask each question a number of times."""
    root = setting.copy("book", without=("graffle",))
    book = load_book(load_config(root))
    referring = [one for one in book.sections.values() if any(ref.role == "numref" for ref in one.references)]
    longest = max(referring, key=lambda one: sum(len(block.text) for block in one.blocks))
    rows = Rows()
    for question, seconds in asyncio.run(_ask(root, root / longest.path)).items():
        for one in seconds:
            rows.note(question, OURS, one * 1000, "ms")
        rows.note(f"{question}, the slowest", OURS, max(seconds) * 1000, "ms")
    return rows


async def _ask(root: Path, file: Path) -> dict[str, list[float]]:
    """Return the seconds of each answer, by question."""
    client = LanguageClient("bench", "1")
    news = asyncio.Event()
    uri = file.as_uri()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def told(params: types.PublishDiagnosticsParams) -> None:
        if params.uri == uri:
            news.set()

    await client.start_io(sys.executable, "-m", "d2lbuild", "lsp")
    folder = types.WorkspaceFolder(root.as_uri(), "book")
    await client.initialize_async(types.InitializeParams(types.ClientCapabilities(), workspace_folders=[folder]))
    client.initialized(types.InitializedParams())
    text = file.read_text("utf-8")
    document = types.TextDocumentIdentifier(uri)
    found: dict[str, list[float]] = {}

    async def timed(name: str, act: Callable[[], Awaitable[object]]) -> None:
        begun = time.perf_counter()
        await act()
        found.setdefault(name, []).append(time.perf_counter() - begun)

    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "markdown", 1, text)))
    await news.wait()
    await asyncio.sleep(5)  # the whole pass
    lines = text.split("\n")
    line = next(number for number, one in enumerate(lines) if ":numref:`" in one)
    at = types.Position(line, lines[line].index(":numref:`") + len(":numref:`") + 1)
    for version in range(2, _TIMES + 2):
        news.clear()
        here = types.Range(types.Position(0, len(lines[0])), types.Position(0, len(lines[0])))
        change = types.TextDocumentContentChangePartial(here, "x")
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(version, uri), [change])
        )
        await timed("findings after a key", news.wait)
        for name, ask in {
            "completion": lambda: client.text_document_completion_async(types.CompletionParams(document, at)),
            "hover": lambda: client.text_document_hover_async(types.HoverParams(document, at)),
            "definition": lambda: client.text_document_definition_async(types.DefinitionParams(document, at)),
            "rename": lambda: client.text_document_rename_async(types.RenameParams(document, at, "sec_of_bench")),
            "folding": lambda: client.text_document_folding_range_async(types.FoldingRangeParams(document)),
        }.items():
            await timed(name, ask)
        await asyncio.sleep(0.1)
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return found
