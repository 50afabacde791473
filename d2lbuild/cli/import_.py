"""`d2lbuild import`: a notebook from elsewhere as a section of the book."""

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_framework
from d2lbuild.cli.messages import note, say
from d2lbuild.cli.options import PATH, book_option, known, read_config
from d2lbuild.errors import UsageError

if TYPE_CHECKING:
    from d2lbuild.config import Config
    from d2lbuild.source.cells import FrameworkNames

__all__ = ["import_notebook"]


@click.command
@click.argument("file", metavar="FILE", type=PATH, help="A notebook: .ipynb, .py, .md or what Jupytext reads.")
@click.option("--to", metavar="PATH", type=PATH, help="The section's file. Default: in the sources' folder.")
@click.option(
    "--framework",
    "-f",
    metavar="NAME",
    help="Whose cells they are, or 'all'. Default: the first.",
    shell_complete=complete_framework,
)
@click.option("--toc", is_flag=True, help="Add it to the nearest table of contents.")
@click.option("--force", is_flag=True, help="Replace a section that is there.")
@book_option
def import_notebook(
    *, file: Path, to: Path | None, framework: str | None, toc: bool, force: bool, book: Path | None
) -> int:
    """Make a section from a notebook.

    \b
    Code becomes cells of a framework, text stays, outputs are dropped. Pictures that are attached, or lie
    beside the notebook, go into the folder img beside the section.

    \b
    Examples:
      d2lbuild import ~/regression.ipynb
      d2lbuild import sgd.py --to chapters/optimisation/sgd.md --framework jax --toc
    """
    from d2lbuild.editing import importing  # noqa: PLC0415 - slow to import
    from d2lbuild.files import write_atomically  # noqa: PLC0415
    from d2lbuild.source.book import framework_names, load_book  # noqa: PLC0415

    config = read_config(book)
    choices = [*(one.name for one in config.frameworks), "all"]
    (chosen,) = known([framework or config.default_framework], choices, "framework")
    path = _target(config, file, to)
    section = path.relative_to(config.root / config.chapters).with_suffix("").as_posix()
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", hint="name another one with --to, or add --force")
    names = framework_names(config)
    labels = [name for name, label in load_book(config).labels.items() if (config.root / label.span.path) != path]
    made = importing.import_notebook(
        importing.read_foreign(file.expanduser()), file.expanduser(), section, chosen, names, labels=labels
    )
    pictures = {path.parent / "img" / name: content for name, content in made.pictures.items()}
    for picture, content in pictures.items():
        if picture.exists() and picture.read_bytes() != content and not force:
            raise UsageError(f"{picture} is there already", hint="rename it, or add --force")
    for picture, content in pictures.items():
        write_atomically(picture, content)
        say(f"wrote {picture}")
    write_atomically(path, made.text)
    say(f"wrote {path}")
    for one in dict.fromkeys(made.notes):
        note(one)
    _contents(config, section, names, toc=toc)
    return 0


def _target(config: "Config", file: Path, to: Path | None) -> Path:
    chapters = config.root / config.chapters
    if to is None:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-") or "section"
        return chapters / f"{stem}.md"
    path = (Path.cwd() / to.expanduser()).resolve()
    if not path.is_relative_to(chapters.resolve()):
        raise UsageError(f"{to} does not lie in the sources' folder", hint=f"that is {chapters}")
    if path.suffix != ".md":
        raise UsageError(f"{to} is no Markdown file", hint=f"--to {PurePosixPath(to).with_suffix('.md')}")
    return chapters / path.relative_to(chapters.resolve())


def _contents(config: "Config", section: str, names: "FrameworkNames", *, toc: bool) -> None:
    """Name the section in a table of contents, or say how that is done."""
    from d2lbuild.editing.contents_entry import add_entry, nearest_contents  # noqa: PLC0415 - slow to import

    found = nearest_contents(config, section)
    if found is None:
        note(f"no index.md was found whose `toc` could name {section}")
    elif toc and add_entry(*found, names):
        say(f"added `{found[1]}` to the `toc` of {found[0]}")
    else:
        note(f"write `{found[1]}` into the `toc` of {found[0]}, so that the book has it")
