"""What a reader needs beside the notebooks to run them, exact requirements, library and data; and all of it in a zip.

pytorch/README.md, requirements.txt, d2l-1.0-py3-none-any.whl, preface.ipynb, chapter/…
"""

import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from d2lbuild.config.types import Config, Framework
from d2lbuild.edition.library import Library
from d2lbuild.files import copy_if_changed, write_if_changed
from d2lbuild.rendering.fixed_time import fixed_time
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.wheel import Wheel, is_version, make_wheel
from d2lbuild.source.data_files import resource_files

__all__ = ["library_wheel", "write_archive", "write_kit"]

_IMAGES = frozenset({".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf"})
_PACKED = _IMAGES - {".svg", ".pdf"} | {".whl", ".zip"}
"""Files that would not become smaller."""


def write_kit(
    pages: Sequence[Page], framework: Framework, config: Config, library: Library | None, folder: Path
) -> Iterator[Path]:
    """Write what the notebooks of a framework need into their folder; yield the files."""
    wheel = _write_wheel(config, library, folder)
    texts = {"README.md": _readme(config, framework), "requirements.txt": _requirements(framework, wheel)}
    for name, text in texts.items():
        if text:
            write_if_changed(folder / name, text)
            yield folder / name
    if wheel:
        yield folder / wheel
    for name, source in _data(pages, framework.name, config).items():
        copy_if_changed(source, folder / name)
        yield folder / name


def _write_wheel(config: Config, library: Library | None, folder: Path) -> str:
    """Write the library that the notebooks import; return the wheel's name, or nothing if there is no library."""
    wheel = library_wheel(config, {library.framework.name: library}) if library else None
    if wheel is None:
        return ""
    write_if_changed(folder / wheel.name, wheel.content)
    return wheel.name


def library_wheel(config: Config, libraries: Mapping[str, Library]) -> Wheel | None:
    """Return the wheel of those libraries that hold anything; None if none does."""
    good = {name: one for name, one in libraries.items() if one.blocks and not one.fault}
    # A wheel must have a version; a book need not have one, or one that pip understands.
    return make_wheel(config if is_version(config.release) else replace(config, release="0"), good) if good else None


def _requirements(framework: Framework, wheel: str) -> str:
    """Return the lock of the environment that the notebooks were made with, and the library; empty without a lock."""
    if framework.lock is None or not framework.lock.is_file():
        return ""
    lines = framework.lock.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith("#")]
    return "\n".join([*pins, *([f"./{wheel}"] if wheel else [])]) + "\n"


def _readme(config: Config, framework: Framework) -> str:
    python = f"Python {framework.python}" if framework.python else "Python"
    release = f" {config.release}" if config.release else ""
    return f"""\
# {config.title}{release}: {framework.title}

These are the notebooks of the book. They want an environment of their own, with {python}:

```
python -m venv environment
environment/bin/pip install -r requirements.txt jupyterlab
environment/bin/jupyter lab
```

Run `pip` in this folder: `requirements.txt` names the library of the book, which lies beside it. The versions are those
that the outputs in the book were made with.
"""


def _data(pages: Sequence[Page], framework: str, config: Config) -> Mapping[str, Path]:
    """Return the files that notebooks read, where a run has noted them; otherwise the book's resources but images."""
    source = config.root / config.chapters
    found = {name: path for name, path in resource_files(config) if path.suffix.lower() not in _IMAGES}
    for page in pages:
        result = page.results.get(framework)
        for name in result.inputs if result else ():
            path = source / name
            inside = not PurePosixPath(os.path.normpath(name)).is_absolute() and not name.startswith("..")
            if inside and path.is_file():
                found[name] = path
    return found


def write_archive(path: Path, folder: Path, files: Sequence[Path]) -> None:
    """Put files that lie below a folder into a zip, in the same bytes for the same files."""
    time = max(fixed_time().timetuple()[:6], (1980, 1, 1, 0, 0, 0))
    temporary = path.with_name(f".{path.name}")
    with zipfile.ZipFile(temporary, "w") as archive:
        for file in sorted(files):
            entry = zipfile.ZipInfo(f"{path.stem}/{file.relative_to(folder).as_posix()}", time)
            entry.compress_type = zipfile.ZIP_STORED if file.suffix.lower() in _PACKED else zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    temporary.replace(path)
