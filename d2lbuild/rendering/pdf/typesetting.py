"""Sets the LaTeX of a book although some of it may be wrong: a block with an error is shown as it was written instead.

Whatever is wrong becomes a finding at the chapter's line.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from d2lbuild.config.types import Config
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding, Severity
from d2lbuild.rendering.pdf.fonts import Fonts
from d2lbuild.rendering.pdf.log import Complaint, complaints, missing_characters
from d2lbuild.rendering.pdf.places import Block, Places
from d2lbuild.rendering.pdf.xelatex import NAME, Typesetter

__all__ = ["absent_fonts", "not_shown", "set_aside", "set_book"]

_MOST_ROUNDS = 4
"""So often blocks are set aside: an error may hide others."""
_WIDE = 10.0
"""Points; a box that is wider than the page by less is hardly seen."""
_MARKED = re.compile(r"^%@.*\n?", re.MULTILINE)
_FOLLOWING = ("Emergency stop", "==> Fatal error", "File ended while scanning", "LaTeX Error: \\begin{document} ended")
"""What is said at the end of the file of an error that came before."""

PlacesOf = Callable[[str], Places]


def set_book(text: str, typesetter: Typesetter, places_of: PlacesOf) -> tuple[Path | None, tuple[Finding, ...]]:
    """Set a text; return the PDF, or None if none could be made, and what is wrong with the book."""
    findings: list[Finding] = []
    goes_on = _begin(text, typesetter)
    for _ in range(_MOST_ROUNDS):
        wrong = [one for one in complaints(typesetter.log(), f"{NAME}.tex") if not one.points]
        if not wrong:
            break
        places = places_of(text)
        found, blocks = _judged(wrong, places)
        findings += found
        if not blocks:
            break
        text = set_aside(text, blocks)
        typesetter.forget()
        goes_on = _begin(text, typesetter)
    while goes_on:
        goes_on = typesetter.one_pass()
    places = places_of(text)
    log = typesetter.log()
    findings += _too_wide(complaints(log, f"{NAME}.tex"), places)
    findings += _lost(missing_characters(log), places)
    return typesetter.finish(), tuple(dict.fromkeys(findings))


def _begin(text: str, typesetter: Typesetter) -> bool:
    write_atomically(typesetter.folder / f"{NAME}.tex", text)
    return typesetter.one_pass()


# --- errors -----------------------------------------------------------------------------------------------------------


def _judged(wrong: Sequence[Complaint], places: Places) -> tuple[list[Finding], list[Block]]:
    """Say what is wrong, and which blocks have to be set aside for it."""
    telling = [one for one in wrong if not one.what.startswith(_FOLLOWING)] or list(wrong)
    findings: list[Finding] = []
    blocks: list[Block] = []
    for one in telling:
        block = places.block(one.line) or (places.near(one.line) if one.line else None)
        if block in blocks:
            continue  # one error leads to others
        if block is not None:
            blocks.append(block)
        before = f" after `{one.excerpt}`" if one.excerpt else ""
        outcome = "; this is shown as it is written" if block else ""
        message = f"LaTeX stops here{before}: {one.what.rstrip('.')}{outcome}"
        findings.append(Finding("latex-error", message, places.span(block), Severity.WARNING))
    return findings, blocks


def set_aside(text: str, blocks: Sequence[Block]) -> str:
    """Return a text in which blocks are shown as what they are written with."""
    lines = text.split("\n")
    outer = [one for one in blocks if not any(_holds(other, one) for other in blocks if other is not one)]
    for block in sorted(outer, key=lambda block: -block.first):
        written = "\n".join(lines[block.first - 1 : block.last])
        plain = _MARKED.sub("", f"{written}\n").strip().replace("\\end{Verbatim}", "\\end {Verbatim}")
        lines[block.first - 1 : block.last] = ["\\begin{Verbatim}", *plain.split("\n"), "\\end{Verbatim}"]
    return "\n".join(lines)


def _holds(one: Block, other: Block) -> bool:
    return one.first <= other.first and other.last <= one.last and one != other


# --- what is not shown as it should be --------------------------------------------------------------------------------


def _too_wide(found: Iterator[Complaint], places: Places) -> Iterator[Finding]:
    for one in found:
        if one.points >= _WIDE:
            span = places.span(places.near(one.line))
            message = f"this is {one.points:.0f} points wider than the page of the PDF"
            yield Finding("too-wide", message, span, Severity.WARNING)


def _lost(characters: Sequence[str], places: Places) -> Iterator[Finding]:
    for character in characters:
        line = next((at for at, line in enumerate(places.lines, start=1) if character in line and places.near(at)), 0)
        sign = f"{character} (U+{ord(character[0]):04X})"
        message = f"the fonts of the PDF have no {sign}"
        yield Finding("missing-character", message, places.span(places.near(line)), Severity.WARNING)


def not_shown(text: str, failed: Mapping[str, str], lost: Sequence[str], places: Places) -> Iterator[Finding]:
    """Yield images that cannot be converted, and characters that no font has."""
    yield from _lost(lost, places)
    for name, reason in failed.items():
        line = text[: text.find(Path(name).stem)].count("\n") + 1
        message = f"an image cannot be converted for the PDF: {reason}"
        yield Finding("missing-image", message, places.span(places.near(line)), Severity.WARNING)


def absent_fonts(config: Config, fonts: Fonts) -> Iterator[Finding]:
    """Yield the fonts that the configuration names and the machine lacks."""
    source = config.source.relative_to(config.root) if config.source.is_relative_to(config.root) else config.source
    for name in fonts.absent:
        message = f"{source}: the font {name} is not installed: the PDF has another one"
        yield Finding("missing-font", message, severity=Severity.WARNING)
