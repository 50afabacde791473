"""What a PDF needs of the system: programs, LaTeX styles and fonts, and the Debian packages that have them."""

import shutil
import subprocess

from d2lbuild.config.types import Config
from d2lbuild.errors import SetupError
from d2lbuild.rendering.pdf.fonts import CHINESE, OURS, find_font

__all__ = ["CHINESE_PACKAGES", "PACKAGES", "require_system"]

PACKAGES = (
    "texlive-xetex texlive-fonts-recommended lmodern fonts-texgyre fonts-texgyre-math fonts-dejavu"
    " fontconfig librsvg2-bin"
)
CHINESE_PACKAGES = "texlive-lang-chinese fonts-noto-cjk"
"""What a book in Chinese needs beside the others."""

_PROGRAMS = ("xelatex", "xdvipdfmx", "kpsewhich", "rsvg-convert", "fc-match")
_STYLES = ("unicode-math.sty", "titlesec.sty", "tabulary.sty", "xurl.sty", "polyglossia.sty", "pzdr.tfm")
"""Some of what the book loads from each Debian package."""


def require_system(config: Config) -> None:
    """Raise SetupError, with the command that helps, if something is missing."""
    chinese = config.language.startswith("zh")
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if not missing:
        missing = [*_absent_styles((*_STYLES, "ctex.sty") if chinese else _STYLES), *_absent_fonts(config, chinese)]
    if missing:
        packages = f"{PACKAGES} {CHINESE_PACKAGES}" if chinese else PACKAGES
        raise SetupError(
            f"a PDF needs {', '.join(missing)}, which this machine lacks",
            hint=f"sudo apt-get install --no-install-recommends {packages}",
        )


def _absent_styles(names: tuple[str, ...]) -> list[str]:
    done = subprocess.run(
        [shutil.which("kpsewhich") or "kpsewhich", *names], capture_output=True, text=True, check=False
    )
    found = {line.rpartition("/")[2] for line in done.stdout.splitlines()}
    return [name for name in names if name not in found]


def _absent_fonts(config: Config, chinese: bool) -> list[str]:
    """Return those of our fonts that are needed because the book names no others, or names some that are not there."""
    pdf = config.pdf
    asked = (pdf.main_font, pdf.sans_font, pdf.mono_font, pdf.math_font)
    needed = [ours for name, ours in zip(asked, OURS, strict=True) if not (name and find_font(name))]
    return [f"the font {name}" for name in (*needed, *(CHINESE if chinese else ())) if find_font(name) is None]
