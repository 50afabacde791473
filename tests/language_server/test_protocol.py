"""The language server over its real protocol: a client starts it as an editor does."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.client import LanguageClient

from tests.books import write_book

INDEX = "# The Book\n:label:`chap_book`\n\n```toc\n:numbered:\n\none\ntwo\n```\n"
ONE = """\
# One 😀
:label:`sec_one`

See :numref:`sec_two`, :cite:`Knuth.1984` and ![A plot](../img/plot.svg).

$$x$$
:eqlabel:`eq_x`

```{.python .input}
#@tab pytorch
def loss(a, b):  #@save
    \"\"\"The loss of a step.\"\"\"
    return a - b
```

```{.python .input}
#@tab jax
def loss(a, b, c=0):  #@save
    return a
```

:begin_tab:`pytorch`
Only here.
:end_tab:
"""
TWO = """\
# Two
:label:`sec_two`

😀 :numref:`sec_one` and again :ref:`sec_one`; :eqref:`eq_x`.

```{.python .input}
#@tab pytorch, jax
d2l.loss(1, 2)  # :numref:`sec_one`
```
"""
BIB = """\
@article{Knuth.1984,
  title={Literate {P}rogramming},
  author={Knuth, Donald},
  journal={J},
  year={1984}
}
"""
FILES = {"index.md": INDEX, "one.md": ONE, "two.md": TWO, "spare.md": "# Spare\n"}


class Editor:
    """An editor that has the book open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = LanguageClient("editor", "1")
        self.told: dict[str, types.PublishDiagnosticsParams] = {}
        self.messages: list[str] = []
        self._news = asyncio.Event()
        self._version = 1

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def told(params: types.PublishDiagnosticsParams) -> None:
            self.told[Path(params.uri).name] = params
            self._news.set()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def shown(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            self._news.set()

    def uri(self, name: str) -> str:
        return (self.root / "chapters" / name).as_uri()

    async def start(self) -> types.InitializeResult:
        await self.client.start_io(sys.executable, "-m", "d2lbuild", "lsp", cwd=self.root)
        folder = types.WorkspaceFolder(self.root.as_uri(), "book")
        params = types.InitializeParams(capabilities=types.ClientCapabilities(), workspace_folders=[folder])
        result = await self.client.initialize_async(params)
        self.client.initialized(types.InitializedParams())
        return result

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()  # type: ignore[no-untyped-call]

    def open(self, name: str) -> None:
        text = (self.root / "chapters" / name).read_text("utf-8")
        document = types.TextDocumentItem(self.uri(name), "markdown", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))

    def type(self, name: str, line: int, column: int, text: str, *, over: int = 0) -> None:
        """Type at a place (in UTF-16 units) over some characters that stand there."""
        self._version += 1
        where = types.Range(types.Position(line, column), types.Position(line, column + over))
        change = types.TextDocumentContentChangePartial(where, text)
        document = types.VersionedTextDocumentIdentifier(self._version, self.uri(name))
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until what was told makes something true."""
        async with asyncio.timeout(30):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def rules(self, name: str) -> set[tuple[str, int]]:
        if name not in self.told:
            return set()
        return {(str(one.code), one.range.start.line) for one in self.told[name].diagnostics}

    def at(self, name: str, line: int, column: int) -> tuple[types.TextDocumentIdentifier, types.Position]:
        return types.TextDocumentIdentifier(self.uri(name)), types.Position(line, column)

    async def choices(self, name: str, line: int, column: int) -> list[str]:
        params = types.CompletionParams(*self.at(name, line, column))
        found = await self.client.text_document_completion_async(params)
        return [item.label for item in found.items] if isinstance(found, types.CompletionList) else []

    async def hover(self, name: str, line: int, column: int) -> str:
        found = await self.client.text_document_hover_async(types.HoverParams(*self.at(name, line, column)))
        return found.contents.value if found and isinstance(found.contents, types.MarkupContent) else ""

    async def definition(self, name: str, line: int, column: int) -> list[tuple[str, int]]:
        found = await self.client.text_document_definition_async(types.DefinitionParams(*self.at(name, line, column)))
        assert isinstance(found, list | tuple)
        return [(Path(one.uri).name, one.range.start.line) for one in found if isinstance(one, types.Location)]


def with_editor(root: Path, story: Callable[[Editor], Awaitable[None]], files: dict[str, str] | None = None) -> None:
    """Write the book and let an editor live through a story."""
    write_book(root, {"../img/plot.svg": "<svg/>", "../conf/references.bib": BIB, **FILES, **(files or {})})
    conf = root / "conf" / "book.toml"
    conf.write_text(conf.read_text("utf-8") + 'bibliography = ["conf/references.bib"]\n', "utf-8")

    async def run() -> None:
        editor = Editor(root)
        await editor.start()
        try:
            await story(editor)
        finally:
            await editor.stop()

    asyncio.run(run())


def column(text: str, line: int, piece: str) -> int:
    """Return the UTF-16 column of a piece of a line."""
    before = text.split("\n")[line].partition(piece)[0]
    return len(before.encode("utf-16-le")) // 2


def test_findings_follow_what_is_typed_and_reach_other_files(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        editor.open("one.md")
        editor.open("two.md")
        await editor.until(lambda: {"one.md", "two.md"} <= editor.told.keys())
        assert editor.rules("two.md") == set()
        editor.type("one.md", 1, 8, "sec_uno", over=7)
        await editor.until(lambda: ("undefined-label", 3) in editor.rules("two.md"))
        wrong = [one for one in editor.told["two.md"].diagnostics if one.code == "undefined-label"]
        assert len(wrong) == 2
        marked = wrong[0].range
        assert (marked.start.character, marked.end.character) == (3, 20)  # behind a character of two units
        assert wrong[0].severity == types.DiagnosticSeverity.Error
        assert "sec_uno" in wrong[0].message
        editor.type("one.md", 1, 8, "sec_one", over=7)
        await editor.until(lambda: editor.rules("two.md") == set())

    with_editor(tmp_path, story)


def test_code_is_checked_while_it_is_typed_and_the_library_soon_after(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        editor.open("two.md")
        editor.type("two.md", 7, 0, "d2l.nothing(\n")
        await editor.until(lambda: any(line in (6, 7) for _, line in editor.rules("two.md")))
        editor.type("two.md", 7, 12, ")")
        await editor.until(lambda: ("unknown-library-name", 7) in editor.rules("two.md"))
        editor.type("two.md", 0, 0, "\n\n")  # a finding of the whole book stays with its line
        await editor.until(lambda: ("unknown-library-name", 9) in editor.rules("two.md"))
        editor.type("two.md", 9, 4, "loss", over=7)
        await editor.until(lambda: editor.rules("two.md") == set())

    with_editor(tmp_path, story)


def test_what_is_broken_on_disk_is_told_without_being_open(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        await editor.until(lambda: ("undefined-label", 2) in editor.rules("two.md"))

    with_editor(tmp_path, story, {"two.md": "# Two\n\n:numref:`sec_on`\n"})


def test_completion(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        editor.open("two.md")
        line = 2
        for typed, expected in (
            (":numref:`", ["chap_book", "sec_one", "sec_two"]),
            (":numref:`two", ["sec_two"]),
            (":eqref:`", ["eq_x"]),
            (":cite:`Some.2000, Kn", ["Knuth.1984"]),
            (":func:`d2l.los", ["loss"]),
            ("😀 ![x](../img/", ["../img/plot.svg"]),
            (":begin_tab:`pytorch, ja", ["jax"]),
            ("A :num", [":numref:`"]),
            ("nothing to say", []),
        ):
            editor.type("two.md", line, 0, f"{typed}\n")
            units = len(typed.encode("utf-16-le")) // 2
            if typed.startswith(":func"):  # the names of the library are known after the first whole pass
                await editor.until(lambda: ("undefined-label", 9) in editor.rules("one.md") or "one.md" in editor.told)
            assert await editor.choices("two.md", line, units) == expected, typed
            editor.type("two.md", line, 0, "", over=units)
        cell = TWO.split("\n").index("#@tab pytorch, jax") + 9
        editor.type("two.md", cell, 0, "#@tab ")
        assert await editor.choices("two.md", cell, 6) == ["all", "jax", "pytorch"]
        editor.open("index.md")
        editor.type("index.md", 8, 0, "sp\n")
        assert await editor.choices("index.md", 8, 2) == ["spare"]

    with_editor(tmp_path, story, {"one.md": ONE.replace(":cite:`Knuth.1984`", ":cite:`Knuth.1948`")})


def test_hover_and_definition(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        editor.open("one.md")
        editor.open("two.md")
        await editor.until(lambda: "one.md" in editor.told)
        see = column(ONE, 3, "sec_two")
        assert (await editor.hover("one.md", 3, see)).startswith("**Two**")
        assert await editor.definition("one.md", 3, see) == [("two.md", 1)]
        again = column(TWO, 3, "sec_one")
        assert (await editor.hover("two.md", 3, again)).startswith("**One 😀**")
        loss = column(TWO, 7, "loss")
        await wait_for_library(editor, "two.md", 7, loss)
        words = await editor.hover("two.md", 7, loss)
        assert "def loss(a, b):" in words
        assert "def loss(a, b, c=0):" in words
        assert "The loss of a step." in words
        assert await editor.definition("two.md", 7, loss) == [("one.md", 10), ("one.md", 17)]
        cite = column(ONE, 3, "Knuth")
        assert (await editor.hover("one.md", 3, cite)).startswith("Knuth, Literate Programming, 1984")
        assert await editor.definition("one.md", 3, cite) == [("references.bib", 0)]
        image = column(ONE, 3, "../img")
        assert "plot.svg" in await editor.hover("one.md", 3, image)
        assert await editor.definition("one.md", 3, image) == [("plot.svg", 0)]
        assert "PyTorch" in await editor.hover("one.md", 9, column(ONE, 9, "pytorch"))
        editor.open("index.md")
        assert await editor.definition("index.md", 6, 1) == [("one.md", 0)]
        assert await editor.hover("index.md", 6, 1) == "**One 😀**"
        assert await editor.hover("index.md", 2, 0) == ""

    with_editor(tmp_path, story)


async def wait_for_library(editor: Editor, name: str, line: int, place: int) -> None:
    """Wait for the whole pass, which tells of no finding where there is none."""
    async with asyncio.timeout(30):
        while not await editor.hover(name, line, place):
            await asyncio.sleep(0.05)


def test_a_label_is_renamed_through_the_book(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        editor.open("two.md")
        await editor.until(lambda: "two.md" in editor.told)
        place = editor.at("two.md", 3, column(TWO, 3, "sec_one"))
        prepared = await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(*place))
        assert isinstance(prepared, types.PrepareRenamePlaceholder)
        assert prepared.placeholder == "sec_one"
        edit = await editor.client.text_document_rename_async(types.RenameParams(*place, "sec_first"))
        assert edit is not None
        assert edit.changes is not None
        changed = {Path(uri).name: edits for uri, edits in edit.changes.items()}
        assert {name: len(edits) for name, edits in changed.items()} == {"one.md": 1, "two.md": 3}
        texts = {"one.md": ONE, "two.md": TWO}
        for name, edits in changed.items():
            for one in sorted(edits, key=lambda one: (one.range.start.line, -one.range.start.character)):
                lines = texts[name].split("\n")
                raw = lines[one.range.start.line].encode("utf-16-le")
                start, end = one.range.start.character * 2, one.range.end.character * 2
                raw = raw[:start] + one.new_text.encode("utf-16-le") + raw[end:]
                lines[one.range.start.line] = raw.decode("utf-16-le")
                texts[name] = "\n".join(lines)
        assert texts == {"one.md": ONE.replace("sec_one", "sec_first"), "two.md": TWO.replace("sec_one", "sec_first")}
        context = types.ReferenceContext(include_declaration=False)
        uses = await editor.client.text_document_references_async(types.ReferenceParams(context, *place))
        assert uses is not None
        assert len(uses) == 3
        for wrong in ("sec_two", "two words", ""):
            with pytest.raises(JsonRpcInvalidParams, match="label"):
                await editor.client.text_document_rename_async(types.RenameParams(*place, wrong))
        elsewhere = editor.at("two.md", 0, 3)
        assert await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(*elsewhere)) is None

    with_editor(tmp_path, story)


def test_folding_by_framework(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        editor.open("one.md")
        document = types.TextDocumentIdentifier(editor.uri("one.md"))
        found = await editor.client.text_document_folding_range_async(types.FoldingRangeParams(document))
        assert found is not None
        assert [(one.start_line, one.end_line, one.collapsed_text) for one in found] == [
            (8, 13, "code: pytorch"),
            (15, 19, "code: jax"),
            (21, 23, "prose: pytorch"),
        ]

    with_editor(tmp_path, story)


def test_a_book_that_cannot_be_read_is_told_and_mended(tmp_path: Path) -> None:
    async def story(editor: Editor) -> None:
        conf = tmp_path / "conf" / "book.toml"
        good = conf.read_text("utf-8")
        editor.open("two.md")
        await editor.until(lambda: "two.md" in editor.told)
        conf.write_text(good + "unknown = [", "utf-8")
        change = types.DidChangeWatchedFilesParams([types.FileEvent(conf.as_uri(), types.FileChangeType.Changed)])
        editor.client.workspace_did_change_watched_files(change)
        await editor.until(lambda: bool(editor.messages))
        editor.type("two.md", 2, 0, ":numref:`gone`\n")  # the last good configuration holds
        await editor.until(lambda: ("undefined-label", 2) in editor.rules("two.md"))
        conf.write_text(good, "utf-8")
        editor.client.workspace_did_change_watched_files(change)
        editor.type("two.md", 2, 0, "", over=14)
        await editor.until(lambda: editor.rules("two.md") == set())

    with_editor(tmp_path, story)


def test_a_folder_without_a_book_is_said_to_be_none(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "chapters").mkdir()
        (tmp_path / "chapters" / "a.md").write_text("# A\n", "utf-8")
        editor = Editor(tmp_path)
        await editor.start()
        await editor.until(lambda: bool(editor.messages))
        assert "no book" in editor.messages[0]
        editor.open("a.md")
        assert await editor.hover("a.md", 0, 0) == ""
        await editor.stop()

    asyncio.run(run())


def test_comments_and_rules_of_style_count_in_editors_too(tmp_path: Path) -> None:
    two = "# Two\n:label:`sec_two`\n\nThe the text.\n\n<!-- d2lbuild: ignore undefined-label -->\n:numref:`sec_lost`\n"

    async def story(editor: Editor) -> None:
        editor.open("two.md")
        await editor.until(lambda: ("repeated-word", 3) in editor.rules("two.md"))
        editor.type("two.md", 3, 0, ":numref:`sec_gone` ")
        await editor.until(lambda: ("undefined-label", 3) in editor.rules("two.md"))
        assert ("undefined-label", 6) not in editor.rules("two.md")

    with_editor(tmp_path, story, {"two.md": two})
