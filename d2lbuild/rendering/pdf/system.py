"""What a PDF needs of the system: programs, LaTeX styles and fonts, and the Debian packages that have them."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence

from d2lbuild.config.types import Config, Pdf
from d2lbuild.equipment import Item, State
from d2lbuild.errors import SetupError
from d2lbuild.rendering.pdf.fonts import CHINESE, choose_fonts, find_font

__all__ = ["CHINESE_PACKAGES", "PACKAGES", "pdf_equipment", "require_system"]

PACKAGES = (
    "texlive-xetex texlive-fonts-recommended lmodern fonts-texgyre fonts-texgyre-math fonts-dejavu"
    " fontconfig librsvg2-bin"
)
CHINESE_PACKAGES = "texlive-lang-chinese fonts-noto-cjk"
"""What a book in Chinese needs beside the others."""

_FINDS_STYLES, _FINDS_FONTS = "kpsewhich", "fc-match"
_PROGRAMS = ("xelatex", "xdvipdfmx", _FINDS_STYLES, "rsvg-convert", _FINDS_FONTS)
_STYLES = ("unicode-math.sty", "titlesec.sty", "tabulary.sty", "xurl.sty", "polyglossia.sty", "pzdr.tfm")
"""Some of what the book loads from each Debian package."""


def require_system(config: Config) -> None:
    """Raise SetupError, with the command that helps, if something is missing."""
    missing = [item for item in pdf_equipment(config.pdf, config.language) if item.state is State.MISSING]
    if missing:
        named = "; ".join(f"{item.name} {', '.join(item.lacks)}" for item in missing)
        raise SetupError(
            f"this machine lacks what a PDF needs: {named}",
            hint=f"{missing[0].mend}; `d2lbuild doctor pdf` looks again",
        )


def pdf_equipment(pdf: Pdf, language: str) -> Iterator[Item]:
    """Yield what the PDF of a book in some language needs, and whether it is there."""
    chinese = language.startswith("zh")
    packages = f"{PACKAGES} {CHINESE_PACKAGES}" if chinese else PACKAGES
    mend = f"sudo apt-get install --no-install-recommends {packages}"
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    yield _item("programs", _PROGRAMS, absent, mend)
    styles = (*_STYLES, "ctex.sty") if chinese else _STYLES
    if _FINDS_STYLES in absent:
        yield Item("LaTeX styles", State.NOTE, f"cannot be looked for without {_FINDS_STYLES}")
    else:
        yield _item("LaTeX styles", styles, _absent_styles(styles), mend)
    if _FINDS_FONTS in absent:
        yield Item("fonts", State.NOTE, f"cannot be looked for without {_FINDS_FONTS}")
        return
    chosen = choose_fonts(pdf.main_font, pdf.sans_font, pdf.mono_font, pdf.math_font)
    families = [font.name for font in (chosen.main, chosen.sans, chosen.mono, chosen.math)]
    fonts = tuple(dict.fromkeys([*families, *(CHINESE if chinese else ())]))
    yield _item("fonts", fonts, [name for name in fonts if find_font(name) is None], mend)
    for name in chosen.absent:
        yield Item("fonts", State.NOTE, f"{name} is not installed: the PDF has another one in its place", (name,))


def _item(name: str, wanted: Sequence[str], absent: Sequence[str], mend: str) -> Item:
    if absent:
        return Item(name, State.MISSING, lacks=tuple(absent), mend=mend)
    return Item(name, State.THERE, ", ".join(wanted))


def _absent_styles(names: Sequence[str]) -> list[str]:
    done = subprocess.run(
        [shutil.which(_FINDS_STYLES) or _FINDS_STYLES, *names], capture_output=True, text=True, check=False
    )
    found = {line.rpartition("/")[2] for line in done.stdout.splitlines()}
    return [name for name in names if name not in found]
