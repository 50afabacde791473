"""`d2lbuild edit`: a section in Jupyter, for one framework, and what is saved there back in its Markdown."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.messages import complain, is_detail, note, say
from d2lbuild.cli.options import book_option, known, one_framework, one_framework_option, one_section, read_config
from d2lbuild.errors import D2lbuildError, UsageError

if TYPE_CHECKING:
    from d2lbuild.config import Config, Framework
    from d2lbuild.editing.sync import EditedSection, Synced

__all__ = ["edit"]


@click.command
@click.argument(
    "section",
    metavar="[SECTION]",
    required=False,
    help="The section: its id, or its file.",
    shell_complete=complete_section,
)
@one_framework_option
@click.option("--with", "program", metavar="PROGRAM", help="lab, vscode or none. Default: what is on the PATH.")
@click.option("--sync-once", is_flag=True, help="Bring both files up to date, and end.")
@click.option("--keep", metavar="WHICH", help="End a conflict with the version of 'notebook' or of 'markdown'.")
@click.option("--forget-kernels", is_flag=True, help="Remove the kernels that were registered for VS Code.")
@book_option
def edit(
    *,
    section: str | None,
    framework: str | None,
    program: str | None,
    sync_once: bool,
    keep: str | None,
    forget_kernels: bool,
    book: Path | None,
) -> int:
    """Edit a section in Jupyter, and write back what is saved.

    \b
    The notebook shows the cells of one framework as they are written, branches and marks included, and
    runs them in that framework's environment with the book's own library. Other frameworks' cells, the
    layout and all that was not edited stay byte for byte; outputs never go into the Markdown. A change
    of the Markdown shows up in the notebook. Ctrl-C ends.

    \b
    Examples:
      d2lbuild edit chapter_linear/regression                       in the first framework
      d2lbuild edit chapters/sgd.md --framework jax --with vscode
      d2lbuild edit sgd --framework jax --with none                 only keeps both files in step
      d2lbuild edit sgd --framework jax --sync-once
      d2lbuild edit --forget-kernels
    """
    config = read_config(book)
    if forget_kernels:
        return _forget(config)
    if section is None:
        raise UsageError("no section is named", hint="d2lbuild edit SECTION")
    from d2lbuild.editing.session import PROGRAMS, found_program  # noqa: PLC0415 - slow to import
    from d2lbuild.editing.sync import EditedSection  # noqa: PLC0415
    from d2lbuild.output_folder import prepare_output  # noqa: PLC0415

    chosen = one_framework(framework, config)
    program = known([program], PROGRAMS, "program")[0] if program else found_program()
    edited = EditedSection(config, one_section(section, config), chosen.name)
    prepare_output(config)
    if keep is not None:
        _tell(edited, edited.keep(known([keep], ("notebook", "markdown"), "version")[0]))
        return 0
    first = edited.open()
    _tell(edited, first)
    if not sync_once:
        _hold(config, chosen, edited, program)
    return int(first.outcome.value == "conflict")


def _forget(config: "Config") -> int:
    from d2lbuild.editing.kernels import forget_kernels  # noqa: PLC0415 - slow to import

    folders = forget_kernels(config)
    for folder in folders:
        say(f"removed {folder}")
    if not folders:
        note("there are no kernels of this book")
    return 0


def _hold(config: "Config", framework: "Framework", edited: "EditedSection", program: str) -> None:
    """Keep both files in step until the program, or the user, ends it."""
    from d2lbuild.editing.session import keep_in_step, start  # noqa: PLC0415 - slow to import

    jupyter = config.output / "edit" / "jupyter"
    _prepare_kernel(config, framework, program, jupyter)
    process = start(program, edited.notebook, edited.folder, jupyter)
    say(f"{edited.notebook}")
    if program == "none":
        note("open this notebook in JupyterLab (`pip install jupyterlab`) or VS Code; its saved changes are taken over")
    note("Ctrl-C ends")

    def ended() -> bool:
        return program == "lab" and process is not None and process.poll() is not None

    try:
        keep_in_step(edited, lambda synced: _tell(edited, synced), _complain, ended)
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt):
            if program == "lab" and process is not None:
                process.terminate()
                process.wait()
            _tell(edited, edited.sync())


def _prepare_kernel(config: "Config", framework: "Framework", program: str, jupyter: Path) -> None:
    from d2lbuild.editing import kernels  # noqa: PLC0415 - slow to import
    from d2lbuild.execution.environments import environments  # noqa: PLC0415
    from d2lbuild.execution.home import cache_home  # noqa: PLC0415

    environment = environments.find(framework, cache_home())
    if environment is None and program != "none":
        environment = environments.sync(framework, cache_home(), lambda line: None if is_detail(line) else note(line))
    if environment is None:
        note(f"{framework.title} has no environment yet: `d2lbuild env sync {framework.name}` makes it")
        return
    kernels.write_library(config, framework)
    place = jupyter / "kernels" if program == "lab" else kernels.user_kernels()
    if program == "none":
        kernels.write_kernel(jupyter / "kernels", config, framework, environment)
        note(f"its kernel is found by Jupyter with JUPYTER_PATH={jupyter}")
        return
    folder = kernels.write_kernel(place, config, framework, environment)
    if program == "vscode":
        note(f"registered the kernel {folder}; `d2lbuild edit --forget-kernels` removes it")


def _tell(edited: "EditedSection", synced: "Synced") -> None:
    name = edited.source.relative_to(edited.config.root.resolve())
    for one in synced.notes:
        note(f"{name}: {one}")
    kind = synced.outcome.value
    if kind == "conflict":
        complain(
            f"{name} and its notebook have changed the same block; neither was written",
            hint=f"the notebook's version is {edited.conflict}; take its changes into {name} yourself, or "
            "end it with --keep notebook or --keep markdown",
            title="conflict",
        )
    elif kind in ("saved", "merged"):
        note(f"{name}: saved" if kind == "saved" else f"{name}: saved together with what had changed there")


def _complain(error: D2lbuildError) -> None:
    complain(error.message, findings=error.findings, hint=error.hint)
