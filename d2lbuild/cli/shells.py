"""Completion in shells: the scripts that ask d2lbuild how a word may go on, and where shells find them."""

import os
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from d2lbuild.files import write_atomically

__all__ = ["install", "script", "shell_named"]


class _CompleteInFish(FishComplete):
    """What Click does for fish, but frameworks that are joined by commas stay whole."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": _CompleteInFish}
_PLACES = {
    "bash": Path(".bash_completions/d2lbuild.sh"),
    "zsh": Path(".zfunc/_d2lbuild"),
    "fish": Path(".config/fish/completions/d2lbuild.fish"),
}
"""Where each shell's script lies, below the user's folder."""
_LINES = {
    "bash": (".bashrc", "source '{script}'"),
    "zsh": (".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
}
"""For shells that do not look there by themselves: the file that they read first, and the line that it needs."""


def shell_named(name: str) -> str:
    """Return the shell of that name, or the user's own if it is empty; a usage error for one that is not known."""
    shell = name or Path(os.environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        raise click.UsageError(f"No completion for {shell or 'this shell'}: name one of {', '.join(_SHELLS)}.")
    return shell


def script(shell: str, program: click.Command) -> str:
    """Return what a shell reads so as to ask `program` for completions."""
    return _SHELLS[shell](program, {}, "d2lbuild", "_D2LBUILD_COMPLETE").source()


def install(shell: str, program: click.Command) -> Path:
    """Put the script where the shell reads it when it starts, and return its path."""
    place = Path.home() / _PLACES[shell]
    write_atomically(place, script(shell, program))
    if shell in _LINES:
        name, line = _LINES[shell]
        _add_line(Path.home() / name, line.format(script=place))
    return place


def _add_line(file: Path, line: str) -> None:
    text = file.read_text("utf-8", "surrogateescape") if file.is_file() else ""
    if line not in text:
        with file.open("a", encoding="utf-8") as end:  # it may be a link, and stays one
            end.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")
