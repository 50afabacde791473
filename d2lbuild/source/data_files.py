"""The files beside the sections that notebooks may read."""

from collections.abc import Iterator
from pathlib import Path

from d2lbuild.config import Config
from d2lbuild.source.links import SUFFIXES

__all__ = ["data_files", "resource_files"]


def data_files(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the configured resources, and what lies beside the sections without being one, by their names below the
    folder of the sections."""
    source = config.root / config.chapters
    found = set(_resources(config))
    for folder in {path.parent for pattern in config.notebooks for path in source.glob(pattern)}:
        # Beside the root of an existing book lies all that makes its repository.
        found |= set(folder.glob("*" if folder == config.root else "**/*"))
    return _named(config, found)


def resource_files(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the configured resources alone."""
    return _named(config, set(_resources(config)))


def _resources(config: Config) -> Iterator[Path]:
    for pattern in config.resources:
        for path in (config.root / config.chapters).glob(pattern.rstrip("/")):
            yield from [path] if path.is_file() else path.rglob("*")


def _named(config: Config, paths: set[Path]) -> Iterator[tuple[str, Path]]:
    for path in sorted(paths):
        name = path.relative_to(config.root / config.chapters)
        hidden = any(part.startswith(".") for part in name.parts)
        if not hidden and path.suffix not in SUFFIXES and not path.is_relative_to(config.output) and path.is_file():
            yield name.as_posix(), path
