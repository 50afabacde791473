"""Sphinx's search index, taken apart: what it says of one page, so that pages can be indexed where they are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.search import IndexBuilder

__all__ = ["PageIndexer", "SearchPart", "add_part"]


@dataclass(frozen=True)
class SearchPart:
    """What the index says of a page."""

    title: str
    file: str
    titles: list[tuple[str, str | None]]
    entries: list[tuple[str, str, str]]
    words: tuple[str, ...]
    title_words: tuple[str, ...]


class PageIndexer:
    """Indexes pages, each by itself; what becomes of a word is found once, not once a page."""

    def __init__(self, index: IndexBuilder) -> None:
        self._index = index
        self._stems: dict[str, str] = {}

    def part(self, page: str, file: str, title: str, tree: nodes.document) -> SearchPart:
        """Index a page as `IndexBuilder.feed` does."""
        index: Any = self._index
        for name in ("_titles", "_filenames", "_mapping", "_title_mapping", "_all_titles", "_index_entries"):
            setattr(index, name, {})
        collected = index._word_collector(tree)
        bare = nodes.document(tree.settings, tree.reporter)
        bare.extend(addnodes.index(entries=node["entries"]) for node in tree.findall(addnodes.index))
        index.feed(page, file, title, bare)
        title_words = {found for word in set(collected.title_words) if (found := self._title_word(word))}
        words = {found for word in set(collected.words) if (found := self._word(word))}
        return SearchPart(
            title=title,
            file=file,
            titles=collected.titles,
            entries=index._index_entries[page],
            words=tuple(sorted(words - title_words)),
            title_words=tuple(sorted(title_words)),
        )

    def _stem(self, word: str) -> str:
        if word not in self._stems:
            self._stems[word] = self._index.lang.stem(word).lower()
        return self._stems[word]

    def _title_word(self, word: str) -> str:
        accept = self._index.lang.word_filter
        stem = self._stem(word)
        if accept(stem):
            return stem
        return word if accept(word) else ""

    def _word(self, word: str) -> str:
        accept = self._index.lang.word_filter
        stem = self._stem(word)
        if not accept(stem) and accept(word):
            stem = word
        return stem if accept(stem) else ""


def add_part(index: IndexBuilder, page: str, part: SearchPart) -> None:
    """Add a page to an index."""
    state: Mapping[str, Any] = index.__dict__
    state["_titles"][page] = part.title
    state["_filenames"][page] = part.file
    state["_all_titles"][page] = part.titles
    state["_index_entries"][page] = part.entries
    for words, mapping in ((part.words, state["_mapping"]), (part.title_words, state["_title_mapping"])):
        for word in words:
            mapping.setdefault(word, set()).add(page)
