"""What stands in braces in a framework's environment variables: `{threads}` and `{downloads}`."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["filled"]


def filled(variables: Mapping[str, str], *, threads: int, downloads: Path) -> dict[str, str]:
    """Return a framework's variables with the number of threads and the folder of downloads put in."""
    return {
        name: value.replace("{threads}", str(threads)).replace("{downloads}", str(downloads))
        for name, value in variables.items()
    }
