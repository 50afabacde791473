"""Printed text, tracebacks and notes of outputs as boxes of HTML that scroll within themselves."""

import re
from collections.abc import Sequence
from html import escape

from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.outputs.terminal_text import terminal_html, without_codes

__all__ = ["error_box", "html_box", "note", "text_box", "without_places"]

LONG = 30
"""Lines; a longer text scrolls."""
_VERY_LONG = 200
"""Lines; of more, paper shows only the beginning."""
_WIDE = 80
"""Characters, more than which a line may have to scroll sideways: then it must be possible with the keyboard."""
_MESSAGE = 300
"""Characters of an error's message that stand above its traceback."""
_LABELS = {"stderr": "Warnings and messages", "traceback": "Traceback"}
"""What a box is, for who does not see it; others are outputs."""

_FOLDER = r"(?:(?<![\w/.:~\\-])|(?<=\dm))(?:~|[A-Za-z]:)?[/\\][^\s\"'<>:;,()\x1b]{0,300}?"
"""The beginning of a path, which may stand behind a colour."""


def without_places(text: str, package: str) -> str:
    """Shorten the paths of installed packages, of the library and of the kernel's own folders: no reader has those."""
    place = re.compile(
        rf"{_FOLDER}(?:"
        r"(?<=[/\\])lib[/\\]python3\.\d+[/\\](?:(?:site|dist)-packages[/\\])?"
        r"|(?<=[/\\])(?:site|dist)-packages[/\\]"
        r"|(?<=[/\\])d2l[a-z0-9_]{8}[/\\](?:book|home|k)[/\\]"
        rf"|(?<=[/\\])(?={re.escape(package)}[/\\]\w+\.py)"
        r")"
    )
    return place.sub("", text)


def text_box(text: str, kind: str, language: str = "en") -> str:
    """Return printed text, with its colours."""
    text = text.strip("\n")
    return _box(f"<pre>{terminal_html(text)}</pre>", kind, without_codes(text).split("\n"), language)


def error_box(name: str, message: str, traceback: Sequence[str], language: str = "en") -> str:
    """Return an error: what it is, and below that how it came to it, without saying the same twice."""
    first, _, rest = without_codes(message).strip().partition("\n")
    title = f"{name}: {first}" if first else name
    frames = [piece.strip("\n") for piece in traceback]
    plain = [without_codes(frame).strip() for frame in frames]
    shown = [
        frame
        for frame, words in zip(frames, plain, strict=True)
        if words.strip("-")
        and not re.fullmatch(rf"{re.escape(name)}\s+Traceback \(most recent call last\)", words)
        and not (words == title and len(title) <= _MESSAGE and not rest)
    ]
    text = "\n\n".join(shown)
    head = f'<p class="d2l-error-name">{escape(title if len(title) <= _MESSAGE else f"{title[:_MESSAGE]}…")}</p>'
    frames_box = _box(f"<pre>{terminal_html(text)}</pre>", "traceback", without_codes(text).split("\n"), language)
    label = escape(translated(language, "Error"))
    return (
        f'<div class="d2l-output d2l-error" role="group" aria-label="{label}">{head}{frames_box if shown else ""}</div>'
    )


def html_box(html: str, *, table: bool, own_colours: bool, language: str = "en") -> str:
    """Return cleaned HTML; tables may be wider than the page."""
    classes = f"d2l-output d2l-html{' d2l-own-colours' if own_colours else ''}"
    label = escape(translated(language, "Table"))
    scroll = f' tabindex="0" role="region" aria-label="{label}"' if table else ""
    return f'<div class="{classes}"{scroll}>{html}</div>'


def note(text: str, addresses: Sequence[str] = ()) -> str:
    """Return a quiet line about an output that a page cannot show, with links to what it would have shown."""
    links = " ".join(
        f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{escape(_short(address))}</a>'
        for address in addresses[:3]
    )
    return f'<p class="d2l-output-note">{escape(text)}{f" {links}" if links else ""}</p>'


def _short(address: str) -> str:
    return address if len(address) <= 80 else f"{address[:79]}…"


def _box(content: str, kind: str, lines: Sequence[str], language: str) -> str:
    long = len(lines) > LONG
    classes = ["d2l-output", f"d2l-{kind}"]
    attributes = ""
    size = escape(translated(language, "{count} lines").format(count=f"{len(lines):,}"))
    if long:
        classes.append("d2l-very-long" if len(lines) > _VERY_LONG else "d2l-long")
        attributes = f' data-lines="{size}"'
    if long or any(len(line) > _WIDE for line in lines):
        label = escape(translated(language, _LABELS.get(kind, "Output")))
        attributes += f' tabindex="0" role="region" aria-label="{label}{f", {size}" if long else ""}"'
    return f'<div class="{" ".join(classes)}"{attributes}>{content}</div>'
