"""The outputs of a cell as its page shows them, in the notebook that MyST-NB reads. Pure functions.

Of the forms that an output comes in, one is chosen: the one that says most and needs no script. Pictures, drawings and
formulas stay what they are; all else becomes HTML that is finished and safe.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from d2lbuild.model import Output
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.outputs.animation import find_animation
from d2lbuild.rendering.outputs.safe_html import SafeHtml, safe_html
from d2lbuild.rendering.outputs.safe_svg import Drawing, safe_svg
from d2lbuild.rendering.outputs.text_boxes import error_box, html_box, note, text_box, without_places
from d2lbuild.rendering.outputs.written_text import formula, is_harmless, markdown_html

__all__ = ["Displayed", "OutputSettings", "displayed"]

_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
"""How a picture begins, best format first."""
_HEAVY = 1_500_000
"""Characters of a drawing; browsers are slow with more, and take a picture of it if there is one."""
_LONG_MARKDOWN = 100_000
"""Characters; more than that is no prose, and takes long to read."""
_MOST_WORDS = 120
"""Characters of what is said of a drawing."""
_NAME_OF_OBJECT = re.compile(r"<IPython\.(?:core|lib)\.display\.\w+ (?:object|at 0x[0-9a-fA-F]+)>")
_INTERACTIVE = "This output is interactive. It works in the notebook, not on this page."
_ELSEWHERE = "This output shows something from another site, which the page does not load:"


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What pages show."""

    stderr: bool = False
    """Whether what is written to stderr is published."""
    package: str = "d2l"
    """The library, whose files are named in tracebacks."""
    language: str = "en"
    """That of the book."""


@dataclass(frozen=True, slots=True)
class Displayed:
    """What a page shows of a cell."""

    outputs: tuple[Output, ...] = ()
    """As in a notebook; each in one form."""
    pictures: tuple[Mapping[str, str], ...] = ()
    """What MyST-NB cannot be told of the pictures among them, in order: `name` for who does not see it, and `folded`,
    what to press for those that are not shown at once."""


@dataclass(slots=True)
class _Shown:
    """What is collected."""

    scope: str
    settings: OutputSettings
    outputs: list[Output] = field(default_factory=list)
    pictures: list[Mapping[str, str]] = field(default_factory=list)

    def says(self, text: str) -> str:
        """Return words of ours in the language of the book."""
        return translated(self.settings.language, text)

    def text(self, text: str, kind: str) -> None:
        self.html(text_box(text, kind, self.settings.language))

    def html(self, html: str) -> None:
        self.outputs.append(_output("text/html", html))

    def picture(
        self, kind: str, data: str, name: str, *, folded: str = "", size: Mapping[str, Any] | None = None
    ) -> None:
        self.outputs.append(_output(kind, data, size))
        self.pictures.append({"name": name, "folded": folded} if folded else {"name": name})


def displayed(outputs: Sequence[Output], cell: str, tags: AbstractSet[str], settings: OutputSettings) -> Displayed:
    """Return what the page shows of the outputs of `cell`, which is an id that no other cell of the page has."""
    shown = _Shown(f"out-{cell}", settings)
    for index, output in enumerate(_joined(outputs, tags, settings)):
        shown.scope = f"out-{cell}-{index}"
        match output.get("output_type"):
            case "stream":
                _stream(output, shown)
            case "error":
                traceback = [without_places(_text(piece), settings.package) for piece in output.get("traceback", ())]
                shown.html(
                    error_box(_text(output.get("ename")), _text(output.get("evalue")), traceback, settings.language)
                )
            case "display_data" | "execute_result":
                _bundle(output.get("data") or {}, output.get("metadata") or {}, shown)
    return Displayed(tuple(shown.outputs), tuple(shown.pictures))


def _joined(outputs: Sequence[Output], tags: AbstractSet[str], settings: OutputSettings) -> Iterator[Output]:
    """Leave out the streams that are not shown, and join what then stands together."""
    wanted = {"stdout"} | ({"stderr"} if settings.stderr else set())
    wanted -= {name for name in ("stdout", "stderr") if f"remove-{name}" in tags}
    waiting: Output | None = None
    for output in outputs:
        is_stream = output.get("output_type") == "stream"
        if is_stream and output.get("name") not in wanted:
            continue
        if waiting and is_stream and output.get("name") == waiting["name"]:
            waiting = {**waiting, "text": _text(waiting["text"]) + _text(output.get("text"))}
            continue
        if waiting:
            yield waiting
        waiting = output if is_stream else None
        if not is_stream:
            yield output
    if waiting:
        yield waiting


def _stream(output: Output, shown: _Shown) -> None:
    text = _text(output.get("text"))
    if not text.strip():
        return
    if output["name"] == "stderr":
        shown.text(without_places(text, shown.settings.package), "stderr")
    else:
        shown.text(text, "stdout")


# --- what comes in several forms --------------------------------------------------------------------------------------


def _bundle(data: Mapping[str, Any], metadata: Mapping[str, Any], shown: _Shown) -> None:
    """Show an output in the first form that there is, and that says everything."""
    html = _text(data.get("text/html"))
    cleaned = safe_html(html, shown.scope) if html else None
    if cleaned and cleaned.visible and not cleaned.lost and not cleaned.elsewhere:
        _html(cleaned, shown)
        return
    if not (
        _animation(html, shown)
        or _formula(data, shown)
        or _drawing(data, metadata, shown)
        or _picture(data, metadata, shown)
        or _written(data, shown)
        or _plain(data, shown)
        or _json(data, shown)
    ):
        _remains(cleaned, data, shown)


def _html(cleaned: SafeHtml, shown: _Shown) -> None:
    """Show what is left of HTML, and say what is not."""
    language = shown.settings.language
    if cleaned.visible:
        box = html_box(cleaned.text, table=cleaned.has_table, own_colours=cleaned.own_colours, language=language)
        shown.html(box)
    if cleaned.elsewhere:
        shown.html(note(translated(language, _ELSEWHERE), cleaned.elsewhere))
    elif cleaned.lost and not cleaned.visible:
        shown.html(note(translated(language, _INTERACTIVE)))


def _remains(cleaned: SafeHtml | None, data: Mapping[str, Any], shown: _Shown) -> None:
    """Show what little there is."""
    if cleaned:
        _html(cleaned, shown)
    elif source := (_text(data.get("text/latex")) or _text(data.get("text/markdown"))).strip():
        shown.text(source, "result")


def _animation(html: str, shown: _Shown) -> bool:
    """Show the last frame, as of all that is drawn again and again; a reader who wants to see it move asks for it."""
    found = find_animation(html) if html else None
    if found is None:
        return False
    shown.picture("image/png", found.last, shown.says("The last frame of an animation"))
    if found.moving:
        words = shown.says("Play the animation ({count} frames)").format(count=found.frames)
        shown.picture("image/png", found.moving, shown.says("An animation"), folded=words)
    return True


def _formula(data: Mapping[str, Any], shown: _Shown) -> bool:
    found = formula(_text(data.get("text/latex")))
    if found:
        shown.outputs.append(_output("text/latex", found))
    return bool(found)


def _drawing(data: Mapping[str, Any], metadata: Mapping[str, Any], shown: _Shown) -> bool:
    kind = "image/svg+xml"
    text = _text(data.get(kind))
    if not text or (len(text) > _HEAVY and any(other in data for other in _SIGNATURES)):
        return False
    drawing = safe_svg(text)
    if drawing is None:
        return False
    shown.picture(kind, drawing.text, _said(metadata, kind) or _name(drawing, shown), size=_size(metadata, kind))
    return True


def _name(drawing: Drawing, shown: _Shown) -> str:
    """Say what is written in a drawing: nobody has described it."""
    words = ""
    for word in drawing.words:
        longer = f"{words}, {word}" if words else word
        if len(longer) > _MOST_WORDS:
            break
        words = longer
    return shown.says("Figure: {words}").format(words=words) if words else shown.says("Figure")


def _picture(data: Mapping[str, Any], metadata: Mapping[str, Any], shown: _Shown) -> bool:
    for kind, signatures in _SIGNATURES.items():
        encoded = "".join(_text(data.get(kind)).split())
        if not encoded:
            continue
        try:
            is_picture = base64.b64decode(encoded, validate=True).startswith(signatures)
        except (binascii.Error, ValueError):
            is_picture = False
        if not is_picture:
            continue
        is_figure = "<Figure" in _text(data.get("text/plain"))
        name = _said(metadata, kind) or (shown.says("Figure") if is_figure else shown.says("Image"))
        if kind == "image/webp":  # which MyST-NB does not know
            cleaned = safe_html(f'<img alt="{name}" src="data:{kind};base64,{encoded}">', shown.scope)
            _html(cleaned, shown)
        else:
            shown.picture(kind, encoded, name, size=_size(metadata, kind))
        return True
    return False


def _written(data: Mapping[str, Any], shown: _Shown) -> bool:
    """Show Markdown, or LaTeX that is text with formulas."""
    text, latex = (_text(data.get(f"text/{kind}")) for kind in ("markdown", "latex"))
    if len(text) > _LONG_MARKDOWN:
        return False
    if not text.strip():
        if len(latex) > _LONG_MARKDOWN or "$" not in latex or "\\begin{" in latex or not is_harmless(latex):
            return False
        text = latex
    html = markdown_html(text, html=text is not latex)
    cleaned = safe_html(html, shown.scope, formulas=is_harmless(text))
    _html(cleaned, shown)
    return cleaned.visible or bool(cleaned.elsewhere)


def _plain(data: Mapping[str, Any], shown: _Shown) -> bool:
    text = _text(data.get("text/plain"))
    if not text.strip() or _NAME_OF_OBJECT.fullmatch(text.strip()):
        return False
    shown.text(text, "result")
    return True


def _json(data: Mapping[str, Any], shown: _Shown) -> bool:
    if "application/json" not in data:
        return False
    text = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
    shown.text(text, "result")
    return True


# --- parts of outputs -------------------------------------------------------------------------------------------------


def _output(kind: str, data: str, size: Mapping[str, Any] | None = None) -> Output:
    metadata = {kind: dict(size)} if size else {}
    return {"output_type": "display_data", "data": {kind: data}, "metadata": metadata}


def _text(value: object) -> str:
    """Return text that notebooks may hold in lines; empty for what is no text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else ""


def _said(metadata: Mapping[str, Any], kind: str) -> str:
    """Return what the cell itself says of a picture."""
    of_kind = metadata.get(kind)
    alt = metadata.get("alt") or (of_kind.get("alt") if isinstance(of_kind, Mapping) else "")
    return " ".join(_text(alt).split())


def _size(metadata: Mapping[str, Any], kind: str) -> dict[str, int]:
    """Return the size at which a picture wants to be seen; pictures for dense screens have more dots."""
    found = metadata.get(kind)
    sizes = found if isinstance(found, Mapping) else {}
    return {
        name: round(value)
        for name in ("width", "height")
        if isinstance(value := sizes.get(name), int | float) and 0 < value < 10_000
    }
