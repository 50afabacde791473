"""`d2lbuild lsp`: the language server, which editors start."""

from importlib.util import find_spec

import click

from d2lbuild.errors import SetupError

__all__ = ["lsp"]


@click.command
def lsp() -> int:
    """Answer an editor: what is wrong while one types, names to choose from, what they mean.

    \b
    A language server over standard input and output. Editors start it by themselves once they know it:
    docs/editors.md says how VS Code, Neovim and Emacs are told. It finds the book of the folder that the
    editor has open, and needs the extra `lsp`: pip install "d2lbuild[lsp]".

    \b
    Examples:
      d2lbuild lsp
    """
    if find_spec("pygls") is None:
        raise SetupError("the language server needs pygls", hint='pip install "d2lbuild[lsp]"')
    from d2lbuild.language_server.server import serve  # noqa: PLC0415 - only this command needs it

    serve()
    return 0
