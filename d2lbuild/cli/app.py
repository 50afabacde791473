"""The program: its commands, and what becomes of errors. Nothing else ends the process."""

import errno
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from d2lbuild import __version__
from d2lbuild.cli.build import build
from d2lbuild.cli.cache import export, gc, import_, info, pull, push, verify
from d2lbuild.cli.check import check
from d2lbuild.cli.ci import init
from d2lbuild.cli.clean import clean
from d2lbuild.cli.deploy import deploy
from d2lbuild.cli.diff import diff
from d2lbuild.cli.doctor import doctor
from d2lbuild.cli.edit import edit
from d2lbuild.cli.entry import drop_output
from d2lbuild.cli.env import lock, remove, show, sync, upgrade
from d2lbuild.cli.extract_lib import extract_lib
from d2lbuild.cli.import_ import import_notebook
from d2lbuild.cli.legacy import legacy
from d2lbuild.cli.lsp import lsp
from d2lbuild.cli.messages import complain, say
from d2lbuild.cli.migrate import migrate
from d2lbuild.cli.new import new
from d2lbuild.cli.notebook import notebook
from d2lbuild.cli.plan import plan
from d2lbuild.cli.release import release
from d2lbuild.cli.serve import serve
from d2lbuild.cli.status import status
from d2lbuild.cli.translate import accept
from d2lbuild.cli.translate import status as translation_status
from d2lbuild.errors import D2lbuildError

__all__ = ["run"]

INTERRUPTED = 130
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

app = typer.Typer(
    name="d2lbuild",
    no_args_is_help=True,
    rich_markup_mode=None,  # examples keep their lines, and help looks the same in a pipe
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)
_ENVIRONMENTS = """The environments that notebooks run in.

\b
Examples:
  d2lbuild env list
  d2lbuild env sync pytorch
"""
_RESULTS = """The results of notebooks that are kept.

\b
Examples:
  d2lbuild cache info
  d2lbuild cache gc --older-than 30d
"""
_CONTINUOUS = """Continuous integration for a book.

\b
Examples:
  d2lbuild ci init
"""
_TRANSLATION = """Following the book that this one is a translation of.

\b
Examples:
  d2lbuild translate status
  d2lbuild translate accept preface
"""
environments = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=_SETTINGS)
results = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=_SETTINGS)
continuous = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=_SETTINGS)
translations = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=_SETTINGS)


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name and return the exit code."""
    try:
        typer.main.get_command(app)(args=list(arguments), prog_name="d2lbuild", obj=tuple(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        return _interrupted()
    return 0


def _version(wanted: bool) -> None:
    if wanted:
        say(f"d2lbuild {__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Build books whose code runs in several deep-learning frameworks.

    \b
    Examples:
      d2lbuild new my-book               start a book
      d2lbuild check                     what is wrong with the book
      d2lbuild build                     run its notebooks, write its website
      d2lbuild build --framework all     the same with a tab for each framework
      d2lbuild serve --open              the website, live while you write
      d2lbuild doctor                    what is missing on this machine
      d2lbuild COMMAND --help            more about a command

    \b
    Exit codes: 0 fine, 1 the book failed, 2 usage or configuration, 3 something is not installed,
    4 out of date (--check), 130 interrupted.
    """


def _guarded(command: Callable[..., int]) -> Callable[..., None]:
    """Turn what a command returns or raises into an exit code, and show errors without a traceback."""

    @functools.wraps(command)
    def run(*args: object, **options: object) -> None:
        try:
            code = command(*args, **options)
            sys.stdout.flush()
        except D2lbuildError as error:
            complain(error.message, findings=error.findings, hint=error.hint)
            code = error.exit_code
        except KeyboardInterrupt:
            code = _interrupted()
        except BrokenPipeError:
            drop_output()
            code = 1
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            complain(_told(error), hint="free some space, or choose another folder with --output" if full else "")
            code = 1
        raise typer.Exit(code)

    return run


def _told(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _interrupted() -> int:
    complain("", title="interrupted")
    return INTERRUPTED


_COMMANDS: Mapping[str, Callable[..., int]] = {
    "new": new,
    "build": build,
    "serve": serve,
    "check": check,
    "plan": plan,
    "release": release,
    "status": status,
    "extract-lib": extract_lib,
    "edit": edit,
    "import": import_notebook,
    "notebook": notebook,
    "clean": clean,
    "deploy": deploy,
    "diff": diff,
    "doctor": doctor,
    "legacy": legacy,
    "lsp": lsp,
    "migrate": migrate,
}
_ENVIRONMENT_COMMANDS: Mapping[str, Callable[..., int]] = {
    "sync": sync,
    "list": show,
    "remove": remove,
    "lock": lock,
    "upgrade": upgrade,
}
_CI_COMMANDS: Mapping[str, Callable[..., int]] = {"init": init}
_TRANSLATION_COMMANDS: Mapping[str, Callable[..., int]] = {"status": translation_status, "accept": accept}
_CACHE_COMMANDS: Mapping[str, Callable[..., int]] = {
    "info": info,
    "gc": gc,
    "verify": verify,
    "export": export,
    "import": import_,
    "push": push,
    "pull": pull,
}

_FOREIGN_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""For `legacy`, whose words are those of another program."""

for _name, _command in _COMMANDS.items():
    app.command(_name, context_settings=_FOREIGN_OPTIONS if _name == "legacy" else None)(_guarded(_command))
for _name, _command in _ENVIRONMENT_COMMANDS.items():
    environments.command(_name)(_guarded(_command))
for _name, _command in _CACHE_COMMANDS.items():
    results.command(_name)(_guarded(_command))
for _name, _command in _CI_COMMANDS.items():
    continuous.command(_name)(_guarded(_command))
for _name, _command in _TRANSLATION_COMMANDS.items():
    translations.command(_name)(_guarded(_command))
app.add_typer(environments, name="env", help=_ENVIRONMENTS)
app.add_typer(results, name="cache", help=_RESULTS)
app.add_typer(continuous, name="ci", help=_CONTINUOUS)
app.add_typer(translations, name="translate", help=_TRANSLATION)
