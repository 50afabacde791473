"""The harmless part of the styles that outputs bring along, renamed so that they reach nothing else on the page."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tinycss2

__all__ = ["KEPT_CLASSES", "renamed", "safe_declarations", "safe_rules"]

KEPT_CLASSES = frozenset({"dataframe"})
"""Classes that keep their name, since style sheets of books know them."""

_SIDES = ("bottom", "left", "right", "top")
_PROPERTIES = frozenset(
    {f"{name}-{side}" for name in ("border", "padding") for side in _SIDES}
    | {f"border-{side}-{part}" for side in _SIDES for part in ("color", "style", "width")}
    | {f"border-{part}" for part in ("collapse", "color", "radius", "spacing", "style", "width")}
    | {f"font-{part}" for part in ("family", "size", "style", "variant", "weight")}
    | {f"text-{part}" for part in ("align", "decoration", "indent", "transform")}
    | {f"{limit}{size}" for limit in ("", "max-", "min-") for size in ("height", "width")}
    | {"background", "background-color", "border", "caption-side", "color", "display", "empty-cells", "line-height"}
    | {"list-style-type", "opacity", "padding", "table-layout", "vertical-align", "white-space", "word-break"}
)
"""Nothing that could put an output on top of something else, and nothing that could load."""
_FUNCTIONS = frozenset({"calc", "hsl", "hsla", "linear-gradient", "rgb", "rgba"})
_PSEUDO = frozenset(
    {"empty", "first-child", "first-of-type", "hover", "last-child", "last-of-type", "not", "nth-child", "nth-of-type"}
    | {"nth-last-child", "only-child", "only-of-type"}
)
_PLAIN = frozenset({"ident", "number", "percentage", "dimension", "hash", "string", "whitespace"})


def renamed(name: str) -> str:
    """Return a class of an output as it stands on the page, where no script and no style knows it."""
    return name if name in KEPT_CLASSES else f"out-{name}"


def safe_rules(css: str, scope: str) -> str:
    """Return the rules of a style sheet that can only change how what stands in the class `scope` looks.

    Classes are renamed, and ids begin with the scope, so that they are those of one output.
    """
    written = []
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type != "qualified-rule":
            continue
        declarations = _declarations(rule.content)
        selectors = [selector for one in _split(rule.prelude) if (selector := _selector(one, scope)) is not None]
        if declarations and selectors:
            written.append(f"{', '.join(f'.{scope} {one}' for one in selectors)} {{ {declarations} }}")
    return "\n".join(written)


def safe_declarations(css: str) -> str:
    """Return what is harmless of the value of a ``style`` attribute."""
    return _declarations(css)


def _declarations(content: str | Sequence[Any]) -> str:
    found = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    kept = [
        f"{one.lower_name}: {tinycss2.serialize(one.value).strip()}{' !important' if one.important else ''}"
        for one in found
        if one.type == "declaration" and one.lower_name in _PROPERTIES and _is_harmless(one.value)
    ]
    return "; ".join(kept)


def _is_harmless(tokens: Iterable[Any]) -> bool:
    for token in tokens:
        if token.type == "function":
            if token.lower_name not in _FUNCTIONS or not _is_harmless(token.arguments):
                return False
        elif token.type == "string":
            # It may stand in a `style` element, which a parser of HTML ends without knowing strings.
            if "<" in token.value or "\\" in token.representation:
                return False
        elif token.type == "literal":
            if token.value not in (",", "/", "+", "-", "*"):
                return False
        elif token.type not in _PLAIN:
            return False
    return True


def _split(prelude: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the selectors of a rule."""
    current: list[Any] = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield current
            current = []
        elif token.type != "comment":
            current.append(token)
    yield current


def _selector(tokens: Sequence[Any], scope: str) -> str | None:
    """Write a selector with the names that stand on the page; None if it holds what is not understood."""
    pieces: list[str] = []
    before = ""
    for token in tokens:
        piece = _selector_piece(token, before, scope)
        if piece is None:
            return None
        pieces.append(piece)
        before = token.value if token.type == "literal" else ""
    return "".join(pieces).strip() or None


def _selector_piece(token: Any, before: str, scope: str) -> str | None:
    if token.type == "whitespace":
        return " "
    if token.type == "hash":
        return f"#{_identifier(f'{scope}-{token.value}')}"
    if token.type == "ident":
        if before == ":":
            return str(token.lower_value) if token.lower_value in _PSEUDO else None
        return _identifier(renamed(token.value)) if before == "." else _identifier(token.value)
    if token.type == "literal":
        return str(token.value) if token.value in (".", ">", "+", "~", "*", ":") and before != ":" else None
    if token.type == "function" and before == ":" and token.lower_name in _PSEUDO:
        inside = _selector(token.arguments, scope) if token.lower_name == "not" else _formula(token.arguments)
        return f"{token.lower_name}({inside})" if inside else None
    return None


def _formula(tokens: Sequence[Any]) -> str | None:
    """Write what stands in ``:nth-child(2n + 1)``."""
    allowed = {"ident", "number", "dimension", "whitespace"}
    if all(token.type in allowed or (token.type == "literal" and token.value in "+-") for token in tokens):
        return str(tinycss2.serialize(tokens)).strip()
    return None


def _identifier(name: str) -> str:
    return str(tinycss2.serializer.serialize_identifier(name))
