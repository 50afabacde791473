"""What pages say by themselves, in the language of the book: a table of texts for each language, beside this file.

The English text is the key, and what is shown where a table lacks it. Templates say ``_("Text")``: Sphinx looks into
its own catalogue of the language first, then here.
"""

import gettext
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["Texts", "language_tag", "languages", "numbering_formats", "sphinx_language", "texts_of", "translated"]

_FOLDER = Path(__file__).parent
_SPHINX = {"zh": "zh_CN", "pt": "pt_BR"}
"""What Sphinx calls languages that it knows by country only, or better so."""
_TAGS = {"zh": "zh-CN"}
_NUMBERED = {"section": "Section %s", "figure": "Fig. %s", "table": "Table %s", "code-block": "Listing %s"}


def translated(language: str, text: str) -> str:
    """Return `text`, which is English, in a language such as ``zh`` or ``pt_BR``."""
    return texts_of(language).get(text, text)


def languages() -> list[str]:
    """Return the languages that there are tables for."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def numbering_formats(language: str) -> dict[str, str]:
    """Return how references and captions say numbers; empty where Sphinx knows the language and we do not."""
    return {kind: translated(language, text) for kind, text in _NUMBERED.items()} if texts_of(language) else {}


def sphinx_language(language: str) -> str:
    """Return what Sphinx calls a language."""
    return _SPHINX.get(language, language.replace("-", "_"))


def language_tag(language: str) -> str:
    """Return what HTML calls a language."""
    return _TAGS.get(language, language.replace("_", "-"))


@cache
def texts_of(language: str) -> Mapping[str, str]:
    """Return the table of a language; empty if there is none."""
    name = language.replace("-", "_")
    for candidate in (name, name.partition("_")[0]):
        path = _FOLDER / f"{candidate.lower()}.toml"
        if path.is_file():
            return tomllib.loads(path.read_text(encoding="utf-8"))
    return {}


class Texts(gettext.NullTranslations):
    """The texts of a language, for Sphinx to look into."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def gettext(self, message: str) -> str:
        """Return a text of a template."""
        found = translated(self._language, message.strip())
        # Templates of the theme have line ends in some texts.
        return message.replace(message.strip(), found) if found != message.strip() else super().gettext(message)
