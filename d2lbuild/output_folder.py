"""The folder that builds write: a file in it says that it is ours."""

from pathlib import Path

from d2lbuild.errors import UsageError

__all__ = ["OUTPUT_MARKER", "prepare_output"]

OUTPUT_MARKER = ".d2lbuild"
"""This file lies in every output folder that d2lbuild has made: `clean` removes no other."""


def prepare_output(output: Path) -> None:
    """Make the output folder, and mark it as ours if it was not there or empty.

    Raises UsageError if it cannot be written.
    """
    import tempfile  # noqa: PLC0415 - most commands only ask for the name of the marker

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
