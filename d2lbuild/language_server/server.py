"""The server: takes the texts that editors open and change, tells what is wrong with them, hands questions on."""

import asyncio
import gc
from pathlib import Path, PurePosixPath

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from d2lbuild import __version__
from d2lbuild.config import find_book
from d2lbuild.errors import BookError, D2lbuildError
from d2lbuild.language_server import replies
from d2lbuild.language_server.replies import Question
from d2lbuild.language_server.session import Session

__all__ = ["Server", "serve"]

_PAUSE = 0.4
"""Seconds without a key before the whole book is checked."""
_WATCHED = ("**/*.md", "**/*.ipynb", "**/*.bib", "**/book.toml", "**/framework.toml", "**/config.ini")
_TRIGGERS = ("`", ":", ",", ".", "/", "(", " ")
"""Characters after which editors ask for choices by themselves."""


class Server(LanguageServer):
    """A language server with the book that the editor has open."""

    def __init__(self) -> None:
        super().__init__("d2lbuild", __version__)
        self.session: Session | None = None
        self._open: set[PurePosixPath] = set()
        self._told: set[PurePosixPath] = set()
        """The files that were said to have findings."""
        self._waiting: asyncio.Task[None] | None = None
        self._running = asyncio.Lock()

    # --- the book ---

    def begin(self, folder: str | None) -> None:
        """Find the book that a folder belongs to, and read it."""
        if folder is None:
            return
        try:
            self.session = Session(find_book(Path(folder)))
        except D2lbuildError as error:
            self.say(error)

    def say(self, error: D2lbuildError) -> None:
        """Show why the book cannot be read."""
        hint = f" ({error.hint})" if error.hint else ""
        lines = [f"d2lbuild: {error.message}{hint}", *map(str, error.findings)]
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, "\n".join(lines)))

    def opened(self) -> list[PurePosixPath]:
        """Return the files of the book that the editor has open."""
        return sorted(self._open)

    def locate(self, uri: str) -> tuple[Session, PurePosixPath] | None:
        """Return the book and the path of a file in it; None for files of which the server knows nothing."""
        file = uris.to_fs_path(uri)
        if self.session is None and file is not None:
            self.begin(str(Path(file).parent))
        path = self.session.path_of(Path(file)) if self.session and file else None
        return (self.session, path) if self.session and path is not None else None

    def question(
        self, document: types.TextDocumentIdentifier, position: types.Position | None = None
    ) -> Question | None:
        """Return what an editor asks about, with the book as it is now; None where the server knows nothing."""
        found = self.locate(document.uri)
        section = found[0].section(found[1]) if found else None
        snapshot = found[0].snapshot if found else None
        if snapshot is None or section is None:
            return None
        return Question.about(snapshot, section, self.workspace.position_codec, position)

    # --- findings ---

    def text_changed(self, uri: str, text: str | None) -> None:
        """Take a text that was opened or typed, or None for one that was closed; tell what is wrong."""
        if (found := self.locate(uri)) is None:
            return
        session, path = found
        if text is None:
            session.close(path)
            self._open.discard(path)
        else:
            session.type(path, text)
            self._open.add(path)
        for one in dict.fromkeys([*self.opened(), path]):
            self.tell(session, one)
        self.check_later()

    def tell(self, session: Session, path: PurePosixPath) -> None:
        """Send what is wrong with a file, if there is something or was."""
        findings = session.findings(path)
        if not findings and path not in self._told and path not in self._open:
            return
        section, snapshot = session.section(path), session.snapshot
        lines = snapshot.lines(section) if snapshot and section else []
        diagnostics = [
            replies.diagnostic(one, one.span, lines, self.workspace.position_codec) for one in findings if one.span
        ]
        self._told = self._told | {path} if findings else self._told - {path}
        uri = uris.from_fs_path(str(session.root / path)) or ""
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics))

    def check_later(self, pause: float = _PAUSE) -> None:
        """Check the whole book when nothing has been typed for a while."""
        if self._waiting:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().create_task(self._check(pause))

    async def _check(self, pause: float) -> None:
        await asyncio.sleep(pause)
        session = self.session
        if session is None:
            return
        await asyncio.shield(asyncio.ensure_future(self._whole_pass(session)))

    async def _whole_pass(self, session: Session) -> None:
        async with self._running:
            try:
                found = await asyncio.to_thread(session.whole_pass, session.config, session.unsaved())
            except BookError as error:
                self.say(error)
                return
            for path in sorted(session.take_whole(found) | self._open):
                self.tell(session, path)


def serve() -> None:
    """Answer over standard input and output until the editor says that it is enough."""
    server = Server()
    _connect_texts(server)
    _connect_questions(server)
    # The collector would look through the whole book again and again, a tenth of a second each time.
    gc.set_threshold(100_000, 50, 1000)
    server.start_io()


def _connect_texts(server: Server) -> None:
    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        folders = list(server.workspace.folders.values())
        root = uris.to_fs_path(folders[0].uri) if folders else server.workspace.root_path
        server.begin(root)
        server.check_later(0)
        watching = (
            server.client_capabilities.workspace and server.client_capabilities.workspace.did_change_watched_files
        )
        if watching and watching.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(one) for one in _WATCHED])
            registration = types.Registration("files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([registration]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.text_changed(params.text_document.uri, params.text_document.text)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.text_changed(uri, server.workspace.get_text_document(uri).source)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.text_changed(params.text_document.uri, None)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(_params: types.DidSaveTextDocumentParams) -> None:
        server.check_later(0)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def files_changed(_params: types.DidChangeWatchedFilesParams) -> None:
        if server.session:
            server.session.files_changed()
            if server.session.trouble:
                server.say(server.session.trouble)
            for path in server.opened():
                server.tell(server.session, path)
            server.check_later()


def _connect_questions(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=list(_TRIGGERS)))
    async def complete(params: types.CompletionParams) -> types.CompletionList | None:
        asked = server.question(params.text_document, params.position)
        return replies.completion(asked) if asked else None

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        asked = server.question(params.text_document, params.position)
        return replies.hover(asked) if asked else None

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def define(params: types.DefinitionParams) -> list[types.Location] | None:
        asked = server.question(params.text_document, params.position)
        return replies.definition(asked) if asked else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def refer(params: types.ReferenceParams) -> list[types.Location] | None:
        asked = server.question(params.text_document, params.position)
        return replies.uses(asked, labels=params.context.include_declaration) if asked else None

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def fold(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        asked = server.question(params.text_document)
        return replies.folding(asked) if asked else None

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        asked = server.question(params.text_document, params.position)
        return replies.what_is_renamed(asked) if asked else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        asked = server.question(params.text_document, params.position)
        try:
            return replies.renaming(asked, params.new_name) if asked else None
        except ValueError as error:
            raise JsonRpcInvalidParams(str(error)) from error
