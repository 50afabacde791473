"""What is where in the book: the pages and their sections, with the numbers of the website."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment

from d2lbuild.rendering.epub.formulas import Formulas
from d2lbuild.rendering.parts import Part, parts_of_book

__all__ = ["Entry", "entries_of_book", "plain_title"]


@dataclass(slots=True)
class Entry:
    """A line of the contents."""

    title: str
    """With its number."""
    address: str
    """Below the folder of the pages."""
    below: list["Entry"] = field(default_factory=list)


def plain_title(env: BuildEnvironment, page: str, formulas: Formulas) -> str:
    """Return the title of a page, with its number, as text."""
    return _numbered(env.toc_secnumbers.get(page, {}).get(""), _words(env.titles.get(page), formulas)) or page


def entries_of_book(env: BuildEnvironment, address_of: Callable[[str], str], formulas: Formulas) -> list[Entry]:
    """Return the contents: the first page, and after it those that it leads to, each with what is below it."""
    seen: set[str] = set()

    def entry(page: str) -> Entry:
        seen.add(page)
        found = Entry(plain_title(env, page, formulas), address_of(page))
        found.below += sections(page)
        found.below += entries(page)
        return found

    def entries(page: str) -> Iterator[Entry]:
        for name in env.toctree_includes.get(page, ()):
            if name not in seen and name in env.found_docs:
                yield entry(name)

    def sections(page: str) -> list[Entry]:
        """Return the sections of a page; its title stands for the whole."""
        numbers = env.toc_secnumbers.get(page, {})
        top = env.tocs[page].children if page in env.tocs else []
        inner: list[Entry] = []
        for item in top:
            own = _own_entries(item, address_of(page), numbers, formulas)
            # Of the first section the entry is that of the page.
            inner += own[0].below if own and not inner and item is top[0] else own
        return inner

    root = entry(env.config.root_doc)
    pages, root.below = root.below, []
    return [root, *_in_parts(pages, parts_of_book(env), address_of)]


def _in_parts(pages: Sequence[Entry], parts: Sequence[Part], address_of: Callable[[str], str]) -> Iterator[Entry]:
    """Yield the entries of the book, those of a part below its title."""
    part_of = {address_of(page): part for part in parts if part.title and part.numbered for page in part.pages}
    for part, entries in groupby(pages, lambda entry: part_of.get(entry.address)):
        if part is None:
            yield from entries
        else:
            yield Entry(part.title, address_of(part.pages[0]), list(entries))


def _own_entries(item: nodes.Node, page: str, numbers: dict[str, tuple[int, ...]], formulas: Formulas) -> list[Entry]:
    """Return what the item of a page's own contents stands for."""
    if not isinstance(item, nodes.list_item):
        return []
    found: list[Entry] = []
    for child in item.children:
        if isinstance(child, addnodes.compact_paragraph):
            link = next(child.findall(nodes.reference), None)
            if link is not None:
                anchor = link.get("anchorname", "")
                found.append(Entry(_numbered(numbers.get(anchor), _words(link, formulas)), page + anchor))
        elif isinstance(child, nodes.bullet_list) and found:
            for below in child.children:
                found[-1].below += _own_entries(below, page, numbers, formulas)
    return found


def _numbered(number: Sequence[int] | None, words: str) -> str:
    return f"{'.'.join(map(str, number))}. {words}" if number else words


def _words(node: nodes.Node | None, formulas: Formulas) -> str:
    """Return the text of a title, its formulas as they are read."""
    if node is None:
        return ""
    if isinstance(node, nodes.math):
        return formulas.words(node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    assert isinstance(node, nodes.Element)
    return " ".join("".join(_words(child, formulas) for child in node.children).split(" "))
