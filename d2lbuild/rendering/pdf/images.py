"""The images of the book as LaTeX takes them: drawings and animations become PDF, once for each content.

The names are digests of the contents, so that they hold no sign that LaTeX could take for something else.
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from d2lbuild.files import copy_if_changed, write_atomically
from d2lbuild.rendering.fixed_time import FIXED_SECONDS
from d2lbuild.rendering.kept_digests import digest_of_file

__all__ = ["FIXED_TIME", "bring_images", "image_name"]

FIXED_TIME = {"SOURCE_DATE_EPOCH": FIXED_SECONDS, "FORCE_SOURCE_DATE": "1"}
"""For programs that write the time into their files: the same input gives the same bytes."""

_AS_THEY_ARE = {".png", ".jpg", ".jpeg", ".pdf"}
_MOST_SECONDS = 120
"""For one drawing."""
_WRAPPED = {".gif": "image/gif", ".webp": "image/webp"}
"""Pictures that LaTeX does not know: the converter takes them inside of a drawing."""


def image_name(path: Path) -> str:
    """Return what LaTeX calls an image; empty if it is not there."""
    found = digest_of_file(path)[:24]
    suffix = path.suffix.lower()
    return f"{found}{suffix if suffix in _AS_THEY_ARE else '.pdf'}" if found else ""


def bring_images(images: Mapping[str, Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Put images, by their names, into a folder, and remove others; yield names and reasons of those that failed.

    A drawing that is there was converted before, and is not again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in images:
            path.unlink()
    for name, source in sorted(images.items()):
        target = folder / name
        if source.suffix.lower() in _AS_THEY_ARE:
            copy_if_changed(source, target)
        elif not target.is_file() and (problem := _convert(source, target)):
            yield name, problem


def _convert(source: Path, target: Path) -> str:
    """Convert a drawing; return what was wrong with it."""
    with TemporaryDirectory() as folder:
        drawing = source
        if kind := _WRAPPED.get(source.suffix.lower()):
            drawing = Path(folder) / "wrapped.svg"
            data = base64.b64encode(source.read_bytes()).decode()
            drawing.write_text(
                f'<svg xmlns="http://www.w3.org/2000/svg"><image href="data:{kind};base64,{data}"/></svg>', "utf-8"
            )
        made = Path(folder) / "made.pdf"
        try:
            done = subprocess.run(
                [shutil.which("rsvg-convert") or "rsvg-convert", "--format=pdf", f"--output={made}", str(drawing)],
                capture_output=True,
                check=False,
                env={**os.environ, **FIXED_TIME},
                timeout=_MOST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"converting it takes longer than {_MOST_SECONDS} seconds"
        if done.returncode or not made.is_file():
            return next(iter(done.stderr.decode(errors="replace").strip().splitlines()), "it could not be converted")
        write_atomically(target, made.read_bytes())
    return ""
