"""The program: its commands, and what becomes of errors. Nothing else ends the process."""

import errno
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from d2lbuild import __version__
from d2lbuild.cli.entry import drop_output
from d2lbuild.cli.groups import LazyGroup
from d2lbuild.cli.messages import complain, say
from d2lbuild.errors import D2lbuildError

__all__ = ["program", "run"]

INTERRUPTED = 130
_COMMANDS = {
    "new": "d2lbuild.cli.new:new",
    "build": "d2lbuild.cli.build:build",
    "serve": "d2lbuild.cli.serve:serve",
    "check": "d2lbuild.cli.check:check",
    "plan": "d2lbuild.cli.plan:plan",
    "release": "d2lbuild.cli.release:release",
    "status": "d2lbuild.cli.status:status",
    "extract-lib": "d2lbuild.cli.extract_lib:extract_lib",
    "edit": "d2lbuild.cli.edit:edit",
    "import": "d2lbuild.cli.import_:import_notebook",
    "notebook": "d2lbuild.cli.notebook:notebook",
    "clean": "d2lbuild.cli.clean:clean",
    "deploy": "d2lbuild.cli.deploy:deploy",
    "diff": "d2lbuild.cli.diff:diff",
    "doctor": "d2lbuild.cli.doctor:doctor",
    "legacy": "d2lbuild.cli.legacy:legacy",
    "lsp": "d2lbuild.cli.lsp:lsp",
    "migrate": "d2lbuild.cli.migrate:migrate",
    "env": "d2lbuild.cli.env:env",
    "cache": "d2lbuild.cli.cache:cache",
    "ci": "d2lbuild.cli.ci:ci",
    "translate": "d2lbuild.cli.translate:translate",
}


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name and return the exit code."""
    try:
        program.main(list(arguments), prog_name="d2lbuild", obj=tuple(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1


class _Program(LazyGroup):
    """The commands, whose results and errors become exit codes."""

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Run the command, show errors without a traceback, and end with the exit code."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except D2lbuildError as error:
            complain(error.message, findings=error.findings, hint=error.hint)
            code = error.exit_code
        except KeyboardInterrupt:
            complain("", title="interrupted")
            code = INTERRUPTED
        except BrokenPipeError:
            drop_output()
            code = 1
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            complain(_told(error), hint="free some space, or choose another folder with --output" if full else "")
            code = 1
        ctx.exit(code)


def _told(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _install_completion(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is not None and not context.resilient_parsing:
        from d2lbuild.cli.shells import install, shell_named  # noqa: PLC0415 - hardly ever

        shell = shell_named(shell)
        say(f"{shell} completes d2lbuild once it is started anew: {install(shell, context.command)}")
        context.exit()


def _show_completion(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is not None and not context.resilient_parsing:
        from d2lbuild.cli.shells import script, shell_named  # noqa: PLC0415 - hardly ever

        click.echo(script(shell_named(shell), context.command), nl=False)
        context.exit()


@click.group(
    cls=_Program,
    places=_COMMANDS,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "show_default": True},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--install-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value="",
    expose_value=False,
    callback=_install_completion,
    help="Install completion for bash, zsh or fish. Default: as $SHELL says.",
)
@click.option(
    "--show-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value="",
    expose_value=False,
    callback=_show_completion,
    help="Show what --install-completion installs, to copy it or change it.",
)
def program() -> None:
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
