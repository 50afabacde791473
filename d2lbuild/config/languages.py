"""What is known of the languages that code cells can be in."""

from collections.abc import Mapping

__all__ = ["comment_sign", "notebook_language"]

_SIGNS = {
    "#": "python bash elixir julia nim perl r ruby",
    "//": "c c++ cpp csharp dart fsharp go groovy java javascript kotlin php rust scala swift typescript zig",
    "--": "haskell lua sql",
    "%": "matlab octave",
    ";": "clojure scheme",
}
_COMMENTS = {language: sign for sign, languages in _SIGNS.items() for language in languages.split()}


def comment_sign(language: str) -> str:
    """Return what begins a comment in a language, such as ``//`` in ``java``; empty if it is not known."""
    return _COMMENTS.get(language, "")


def notebook_language(metadata: Mapping[str, object]) -> str:
    """Return the language that a notebook's metadata name, Python if none."""
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        found = metadata.get(key)
        language = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(language, str) and language.strip():
            return language.strip().lower()
    return "python"
