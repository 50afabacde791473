"""The index: what a book puts there by itself, and the public names of the libraries with links for each framework."""

from typing import Any

from sphinx.application import Sphinx
from sphinx.locale import _

__all__ = ["connect"]

_Links = list[tuple[str, str]]
_Entry = tuple[str, tuple[_Links, list[tuple[str, _Links]], str | None]]
"""As Sphinx has it: the words, links, and below that words with links; a link is an emphasis and an address."""


def _add_names(app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    if page != "genindex":
        return
    letters: dict[str, list[_Entry]] = {letter: list(entries) for letter, entries in context["genindexentries"]}
    for words, links in _names(app).items():
        first = words[0].upper()
        letter = first if first.isalpha() else "_" if first == "_" else _("Symbols")
        entry = ("", links[0][1]) if len(app.config.d2lbuild_frameworks) == 1 else None
        below = [] if entry else [(title, [("", address)]) for title, address in links]
        letters.setdefault(letter, []).append((words, ([entry] if entry else [], below, None)))
    symbols = (_("Symbols"), "_")
    context["genindexentries"] = [
        (letter, sorted(letters[letter], key=lambda entry: (entry[0].casefold(), entry[0])))
        for letter in sorted(letters, key=lambda letter: (letter not in symbols, letter))
    ]


def _names(app: Sphinx) -> dict[str, _Links]:
    """Return, by the words of an entry, the frameworks that have it, with addresses."""
    titles = dict(app.config.d2lbuild_frameworks)
    found: dict[str, _Links] = {}
    for framework, api in app.config.d2lbuild_api.items():
        page = app.builder.get_relative_uri("genindex", api["page"])
        for name, kind in api["objects"].items():
            address = f"{page}#{api['module']}.{name}"
            found.setdefault(_words(name, kind), []).append((titles[framework], address))
    return found


def _words(name: str, kind: str) -> str:
    owner, _dot, own = name.rpartition(".")
    if kind == "method":
        return _("%s() (%s method)") % (own, owner)
    if kind == "property":
        return _("%s (%s property)") % (own, owner)
    return f"{own}()" if kind == "function" else own


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("html-page-context", _add_names)
