"""The language of a book, for Sphinx: the texts of pages and scripts, what HTML calls it, the words of a search.

Sphinx tells Chinese words apart by a dictionary that is a large package of its own; without it, it finds none. Here a
word is found by its pairs of characters, so it need not be in any dictionary.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from sphinx import locale, package_dir
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

from d2lbuild.rendering.locale import Texts, sphinx_language, texts_of, translated

__all__ = ["SearchChinese", "connect", "translations_script"]

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Chinese characters, for regular expressions of Python and JavaScript alike."""

_SPLITTER = r"""
var splitQuery = (query) => {
  const words = query.split(/[^\p{Letter}\p{Number}_]+/gu).flatMap((word) => word.split(/([HAN]+)/u));
  return words.filter(Boolean).flatMap((word) => {
    if (!/^[HAN]{2,}$/u.test(word)) return [word];
    return Array.from({ length: word.length - 1 }, (_, at) => word.slice(at, at + 2));
  });
};
""".replace("HAN", _HAN)


class SearchChinese(SearchEnglish):
    """Chinese words as pairs of characters, and each character by itself; other words as English ones."""

    lang = "zh"
    js_splitter_code = _SPLITTER

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name that Sphinx gives it
        """Return the words of a text."""
        return [word for run in re.findall(rf"[{_HAN}]+|[^\W{_HAN}]+", input) for word in _words(run)]


def _words(run: str) -> Iterator[str]:
    if not re.match(f"[{_HAN}]", run):
        yield run
        return
    yield from run
    yield from (run[at : at + 2] for at in range(len(run) - 1))


# --- texts ------------------------------------------------------------------------------------------------------------

_FOUND = (
    "Search finished, found one page matching the search query.",
    "Search finished, found ${resultCount} pages matching the search query.",
)


def translations_script(language: str) -> str:
    """Return the texts of scripts, ``Documentation.gettext("Text")``, as a script; empty if Sphinx has no such file.

    Sphinx's own file makes a function of a string, which a site's content security policy may forbid, and fails where
    its catalogue has gaps.
    """
    path = package_dir / "locale" / sphinx_language(language) / "LC_MESSAGES" / "sphinx.js"
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    catalogue = json.loads(text[text.index("{") : text.rindex("}") + 1])
    texts = {key: value for key, value in catalogue["messages"].items() if value and all(value)}
    if texts_of(language):
        texts = {**texts_of(language), _FOUND[0]: [translated(language, one) for one in _FOUND], **texts}
    return (
        f"Documentation.TRANSLATIONS = {json.dumps(texts, sort_keys=True)};\n"
        f"Documentation.PLURAL_EXPR = (n) => Number({catalogue['plural_expr']});\n"
        f"Documentation.LOCALE = {json.dumps(catalogue['locale'])};\n"
    )


def _tag(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    context["language"] = app.config.d2lbuild_language_tag


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_config_value("d2lbuild_language_tag", "en", "", types=frozenset({str}))
    locale.translators["general", "sphinx"].add_fallback(Texts(app.config.language))
    app.add_search_language(SearchChinese)
    app.connect("html-page-context", _tag)
