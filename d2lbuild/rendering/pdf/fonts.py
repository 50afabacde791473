"""Which fonts there are, and which characters each has: LaTeX is told of those that need another font than the text."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["CHINESE", "OURS", "Font", "Fonts", "character_commands", "choose_fonts", "find_font"]

CHINESE = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Noto Sans Mono CJK SC")
OURS = ("TeX Gyre Pagella", "TeX Gyre Heros", "DejaVu Sans Mono", "TeX Gyre Pagella Math")
"""For text, for what stands out, for code and for formulas."""
_SIGNS = ("DejaVu Sans", *CHINESE[:2], "Symbola", "Noto Emoji")
_OTHERS_OF_TEXT = ("DejaVu Serif", *_SIGNS, "FreeSerif", "DejaVu Sans Mono")
_OTHERS_OF_CODE = ("DejaVu Sans Mono", CHINESE[2], *_SIGNS, "FreeMono")
_CHINESE_SIGNS = re.compile(
    "[\u2e80-\u303f\u31c0-\u31ef\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\u2014\u2018-\u201d\u2026]"
)
"""What `ctex` sets in its own fonts."""


@dataclass(frozen=True, slots=True)
class Font:
    """An installed family."""

    name: str
    ranges: tuple[tuple[int, int], ...]

    def has(self, character: str) -> bool:
        """Whether it has a character."""
        code = ord(character)
        return any(first <= code <= last for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class Fonts:
    """The families of a book."""

    main: Font
    sans: Font
    mono: Font
    math: Font
    absent: tuple[str, ...] = ()
    """What the configuration names and the machine lacks."""


@cache
def find_font(name: str) -> Font | None:
    """Return a family, if it is installed."""
    pattern = name.replace("-", r"\-")
    done = subprocess.run(
        [shutil.which("fc-match") or "fc-match", "--format=%{family}\n%{charset}", pattern],
        capture_output=True,
        text=True,
        check=False,
    )
    families, _, characters = done.stdout.partition("\n")
    if name.casefold() not in {family.strip().casefold() for family in families.split(",")}:
        return None
    ends = [piece.partition("-") for piece in characters.split()]
    return Font(name, tuple((int(first, 16), int(last or first, 16)) for first, _, last in ends))


def choose_fonts(main: str, sans: str, mono: str, math: str) -> Fonts:
    """Return the fonts that are asked for, and in place of those that are not there, or not named, ours."""
    found: list[Font] = []
    absent = []
    for wanted, usual in zip((main, sans, mono, math), OURS, strict=True):
        font = find_font(wanted) if wanted else None
        if wanted and font is None:
            absent.append(wanted)
        found.append(font or find_font(usual) or Font(usual, ()))
    text, plain, code, formulas = found
    return Fonts(text, plain, code, formulas, tuple(absent))


def character_commands(text: str, fonts: Fonts, *, chinese: bool) -> tuple[list[str], list[str]]:
    """Return the LaTeX that says which font has what the text's own fonts lack, and the characters that none has."""
    commands: list[str] = []
    lost: list[str] = []
    families: dict[str, str] = {}
    for character in sorted({sign for sign in text if sign > "\x7f"}):
        if (chinese and _CHINESE_SIGNS.match(character)) or not character.isprintable():
            continue
        choices = [
            "" if own.has(character) else _first_with(character, others)
            for own, others in ((fonts.main, _OTHERS_OF_TEXT), (fonts.mono, _OTHERS_OF_CODE))
        ]
        if None in choices:
            lost.append(character)
        elif any(choices):
            switches = [_switch(choice or "", families) for choice in choices]
            commands.append(f"\\dlcharacter{{{character}}}{{{switches[0]}}}{{{switches[1]}}}")
    loaded = [f"\\newfontfamily{switch}{{{name}}}[Scale=MatchLowercase]" for name, switch in families.items()]
    return [*loaded, *commands], lost


def _first_with(character: str, names: Sequence[str]) -> str | None:
    """Return the first family of several that has a character; None if none of them has."""
    return next((name for name in names if (font := find_font(name)) and font.has(character)), None)


def _switch(name: str, families: dict[str, str]) -> str:
    """Return the command that changes to a family."""
    if not name:
        return ""
    return families.setdefault(name, f"\\dlfont{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[len(families)]}")
