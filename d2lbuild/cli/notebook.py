"""`d2lbuild notebook`: one section as a notebook for readers."""

from pathlib import Path
from typing import Annotated

import typer

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.messages import note, say
from d2lbuild.cli.options import BookOption, OneFrameworkOption, one_framework, one_section, read_config

__all__ = ["notebook"]


def notebook(
    section: Annotated[
        str,
        typer.Argument(metavar="SECTION", autocompletion=complete_section, help="The section: its id, or its file."),
    ],
    *,
    framework: OneFrameworkOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: a file below _build/notebook.")
    ] = None,
    outputs: Annotated[bool, typer.Option("--outputs", help="With the outputs that the cache holds.")] = False,
    book: BookOption = None,
) -> int:
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
        prepare_output(config.output)
    path, notice = write_notebook(config, name, chosen.name, wanted, outputs=outputs)
    if notice:
        note(notice)
    say(str(path))
    return 0
