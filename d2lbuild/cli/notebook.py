"""`d2lbuild notebook`: one section as a notebook for readers."""

from pathlib import Path

import click

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.messages import note, say
from d2lbuild.cli.options import PATH, book_option, one_framework, one_framework_option, one_section, read_config

__all__ = ["notebook"]


@click.command
@click.argument("section", metavar="SECTION", help="The section: its id, or its file.", shell_complete=complete_section)
@one_framework_option
@click.option("--output", "-o", metavar="FILE", type=PATH, help="Default: a file below _build/notebook.")
@click.option("--outputs", is_flag=True, help="With the outputs that the cache holds.")
@book_option
def notebook(*, section: str, framework: str | None, output: Path | None, outputs: bool, book: Path | None) -> int:
    """Write one section as a clean notebook, as readers get it.

    \b
    Marks of the dialect become words, links and italics, branches are taken and aliases expanded. Nothing
    is run. To change a section in Jupyter, use `d2lbuild edit`.

    \b
    Examples:
      d2lbuild notebook chapter_linear/regression
      d2lbuild notebook chapters/sgd.md --framework jax -o sgd.ipynb --outputs
    """
    from d2lbuild.output_folder import prepare_output  # noqa: PLC0415 - slow to import
    from d2lbuild.single_notebook import write_notebook  # noqa: PLC0415

    config = read_config(book)
    chosen = one_framework(framework, config)
    name = one_section(section, config).id
    wanted = output.expanduser().absolute() if output else None
    if wanted is None:
        prepare_output(config)
    path, notice = write_notebook(config, name, chosen.name, wanted, outputs=outputs)
    if notice:
        note(notice)
    say(str(path))
    return 0
