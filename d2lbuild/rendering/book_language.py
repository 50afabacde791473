"""The language of a book, for Sphinx: the texts of pages, what HTML calls the language, the words of a search.

Sphinx tells Chinese words apart by a dictionary that is a large package of its own; without it, it finds none. Here a
word is found by its pairs of characters, so it need not be in any dictionary.
"""

import re
from collections.abc import Iterator
from typing import Any

from sphinx import locale
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

from d2lbuild.rendering.locale import Texts

__all__ = ["SearchChinese", "connect"]

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


def _tag(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    context["language"] = app.config.d2lbuild_language_tag


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_config_value("d2lbuild_language_tag", "en", "", types=frozenset({str}))
    locale.translators["general", "sphinx"].add_fallback(Texts(app.config.language))
    app.add_search_language(SearchChinese)
    app.connect("html-page-context", _tag)
