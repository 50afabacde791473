"""What a translation keeps of its origin: beside ``page.md`` lies ``page_origin.md``, the text that was translated."""

from pathlib import PurePosixPath

__all__ = ["is_origin_copy", "origin_copy"]

_END = "_origin"


def origin_copy(section: PurePosixPath) -> PurePosixPath:
    """Return where the origin of a section's file is kept."""
    return section.with_name(f"{section.stem}{_END}.md")


def is_origin_copy(file: PurePosixPath) -> bool:
    """Whether a file is such a copy, and no section."""
    return file.suffix == ".md" and file.stem.endswith(_END) and file.stem != _END
