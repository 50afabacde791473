"""The LaTeX of a whole book: the pages in their order, in the frame of the template `theme/latex/book.tex`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sphinx.util import texescape

from d2lbuild.config.types import Config, Framework
from d2lbuild.rendering.locale import language_tag, translated
from d2lbuild.rendering.parts import Part
from d2lbuild.rendering.pdf.fonts import CHINESE, Fonts
from d2lbuild.rendering.pdf.latex_pages import Written
from d2lbuild.rendering.pdf.places import pages_in_place
from d2lbuild.rendering.pdf.translator import saved_label

__all__ = ["LATEX_THEME", "book_text", "framed", "without_images"]

LATEX_THEME = Path(__file__).parents[1] / "theme" / "latex"


def book_text(written: Written, root: str, config: Config) -> str:
    """Return the pages, one after the other, and the index of saved names."""
    first = next((name for name in written.pages if name in written.numbered), "")
    before = _beginnings(written.parts, first)
    texts = {name: page.latex for name, page in written.pages.items()}
    return pages_in_place(root, texts, before) + _index(written, config)


def _beginnings(parts: Sequence[Part], first: str) -> dict[str, str]:
    """Return what stands before some pages: the beginning of a part, and that of the arabic numbers."""
    before = {first: "\n\\mainmatter\n"} if first else {}
    inside = False
    for part in parts:
        page = part.pages[0]
        if part.title and part.numbered:
            inside = True
            before[page] = before.get(page, "") + f"\n\\part{{{escaped(part.title)}}}\n"
        elif inside:
            # In the outline of the file these pages are not below the part before them.
            inside = False
            before[page] = before.get(page, "") + "\n\\bookmarksetup{startatroot}\n"
    return before


def without_images(text: str, names: Iterable[str]) -> str:
    """Return a text in which there is nothing but a mark in place of some images."""
    for name in names:
        stem, _, suffix = name.rpartition(".")
        image = rf"\\sphinxincludegraphics(?:\[[^\]]*\])?\{{\{{images/{stem}\}}\.{suffix}\}}"
        text = re.sub(image, rf"\\dlabsent{{{stem}}}", text)
    return text


def _index(written: Written, config: Config) -> str:
    saved = {name for page in written.pages.values() for name in page.saved}
    names = sorted(saved, key=lambda name: (name.casefold(), name))
    if not names:
        return ""
    title = escaped(translated(config.language, "Index of the library"))
    entries = [f"\\dlindexentry{{{escaped(name)}}}{{\\detokenize{{{saved_label(name)}}}}}" for name in names]
    return "\n".join(["", f"\\begin{{dlindex}}{{{title}}}", *entries, "\\end{dlindex}", ""])


def framed(
    body: str, framework: Framework, config: Config, fonts: Fonts, characters: str, *, language: str, logo: str
) -> str:
    """Return the whole file."""
    pdf = config.pdf
    author, edition = escaped(config.author), escaped(framework.title)
    preamble = (config.root / pdf.preamble).read_text(encoding="utf-8") if pdf.preamble else ""
    template = (LATEX_THEME / "book.tex").read_text(encoding="utf-8")
    image = f"\\includegraphics[height=14mm]{{images/{logo}}}" if logo else ""
    values = {
        "sides": "twoside,openright" if pdf.variant == "print" else "twoside,openany",
        "class": pdf.document_class.stem if pdf.document_class else "book",
        "fonts": _fonts(fonts),
        "language": _language(config.language, language),
        "variant": pdf.variant,
        "pdftitle": escaped(config.title),
        "pdfauthor": author,
        "pdfsubject": edition,
        "tag": language_tag(config.language),
        "pagelayout": "pdfpagelayout=TwoPageRight" if pdf.variant == "print" else "pdfpagelayout=SinglePage",
        "macros": _macros(config.html.math_macros),
        "characters": characters,
        "preamble": preamble,
        "title": escaped(config.title),
        "author": author,
        "edition": edition,
        "release": escaped(config.release),
        "logo": image,
        "copyright": escaped(f"© {config.copyright}") if config.copyright else "",
        "body": body,
    }
    return re.sub(r"@([a-z]+)@", lambda match: values[match[1]], template)


def escaped(text: str) -> str:
    """Return text for LaTeX."""
    texescape.init()
    return texescape.escape(" ".join(text.split()), "xelatex")


def _fonts(fonts: Fonts) -> str:
    return "\n".join(
        [
            f"\\setmainfont{{{fonts.main.name}}}",
            f"\\setsansfont{{{fonts.sans.name}}}[Scale=MatchLowercase]",
            f"\\setmonofont{{{fonts.mono.name}}}[Scale=.85]",
            f"\\setmathfont{{{fonts.math.name}}}",
        ]
    )


def _language(language: str, name: str) -> str:
    if language.startswith("zh"):
        serif, sans, mono = CHINESE
        families = [f"\\setCJKmainfont{{{serif}}}[ItalicFont={{{serif}}}]", f"\\setCJKsansfont{{{sans}}}"]
        extra = f"\\setCJKmonofont{{{mono}}}\\xeCJKsetup{{CJKmath=true}}"  # formulas have words too
        return "\n".join(["\\usepackage[fontset=none]{ctex}", *families, extra])
    return f"\\usepackage{{polyglossia}}\n\\setmainlanguage{{{name or 'english'}}}"


def _macros(macros: Mapping[str, str]) -> str:
    """Return the book's own commands for formulas."""
    lines = []
    for name, text in macros.items():
        count = max((int(digit) for digit in "123456789" if f"#{digit}" in text), default=0)
        arguments = f"[{count}]" if count else ""
        lines += [f"\\providecommand{{\\{name}}}{{}}", f"\\renewcommand{{\\{name}}}{arguments}{{{text}}}"]
    return "\n".join(lines)
