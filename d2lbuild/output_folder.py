"""The folder that builds write: a file in it says that it is ours."""

from d2lbuild.config.types import Config
from d2lbuild.errors import UsageError
from d2lbuild.source.links import is_inside

__all__ = ["OUTPUT_MARKER", "prepare_output"]

OUTPUT_MARKER = ".d2lbuild"
"""This file lies in every output folder that d2lbuild has made: `clean` removes no other."""


def prepare_output(config: Config) -> None:
    """Make the output folder, and mark it as ours if it was not there or empty.

    Raises UsageError if it cannot be written, or if the book has made it, or what is in it, a link to somewhere else.
    """
    import tempfile  # noqa: PLC0415 - most commands only ask for the name of the marker

    output = config.output
    if output.is_relative_to(config.root):
        places = [output, *output.glob("*"), *output.glob("*/*")]
        elsewhere = next((one for one in places if one.is_symlink() and not is_inside(one, config.root)), None)
        if elsewhere is not None:
            raise UsageError(
                f"{elsewhere} is a link that leads out of the book",
                hint="remove it; if the output is to lie elsewhere, name that folder with --output",
            )
    ours = not output.exists() or (output.is_dir() and not any(output.iterdir()))
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output, prefix="."):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot write to the output folder {output}: {reason}", hint="choose another one with --output"
        ) from None
    if ours:
        (output / OUTPUT_MARKER).write_text(
            "Everything in this folder was made by d2lbuild; `d2lbuild clean` removes it.\n", encoding="utf-8"
        )
