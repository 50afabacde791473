"""`d2lbuild lsp`: the language server, which editors start."""

import click

from d2lbuild.extras import require

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
    require("lsp", "the language server")
    from d2lbuild.language_server.server import serve  # noqa: PLC0415 - only this command needs it

    serve()
    return 0
