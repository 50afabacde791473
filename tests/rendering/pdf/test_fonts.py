"""Which font has which character."""

import pytest

from d2lbuild.rendering.pdf import fonts
from d2lbuild.rendering.pdf.fonts import Font, character_commands, choose_fonts

INSTALLED = {
    "TeX Gyre Pagella": Font("TeX Gyre Pagella", ((0x20, 0x17F),)),
    "TeX Gyre Heros": Font("TeX Gyre Heros", ((0x20, 0x17F),)),
    "TeX Gyre Pagella Math": Font("TeX Gyre Pagella Math", ((0x20, 0x17F),)),
    "DejaVu Sans Mono": Font("DejaVu Sans Mono", ((0x20, 0x3FF), (0x2500, 0x257F))),
    "DejaVu Serif": Font("DejaVu Serif", ((0x20, 0x3FF),)),
    "Noto Serif CJK SC": Font("Noto Serif CJK SC", ((0x4E00, 0x9FFF),)),
    "Noto Sans Mono CJK SC": Font("Noto Sans Mono CJK SC", ((0x4E00, 0x9FFF),)),
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "find_font", INSTALLED.get)


def test_fonts_that_are_not_there_are_told_and_replaced() -> None:
    found = choose_fonts("DejaVu Serif", "", "Nothing Mono", "")
    assert (found.main.name, found.sans.name, found.mono.name) == ("DejaVu Serif", "TeX Gyre Heros", "DejaVu Sans Mono")
    assert found.absent == ("Nothing Mono",)


def test_a_character_gets_the_first_font_that_has_it() -> None:
    commands, lost = character_commands("é α │ 书 😀 \u200b", choose_fonts("", "", "", ""), chinese=False)
    assert commands == [
        "\\newfontfamily\\dlfontA{DejaVu Serif}[Scale=MatchLowercase]",
        "\\newfontfamily\\dlfontB{DejaVu Sans Mono}[Scale=MatchLowercase]",
        "\\newfontfamily\\dlfontC{Noto Serif CJK SC}[Scale=MatchLowercase]",
        "\\newfontfamily\\dlfontD{Noto Sans Mono CJK SC}[Scale=MatchLowercase]",
        "\\dlcharacter{α}{\\dlfontA}{}",
        "\\dlcharacter{│}{\\dlfontB}{}",
        "\\dlcharacter{书}{\\dlfontC}{\\dlfontD}",
    ]
    assert lost == ["😀"]


def test_chinese_signs_are_left_to_the_chinese_fonts() -> None:
    commands, lost = character_commands("书，α", choose_fonts("", "", "", ""), chinese=True)
    assert [command for command in commands if "character" in command] == ["\\dlcharacter{α}{\\dlfontA}{}"]
    assert lost == []
