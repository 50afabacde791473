"""Pages to plain Markdown files, one for each section and framework, with an index in the form of ``llms.txt``.

They are for programs that read, and for people who like text: no mark of the dialect is left, code is fenced, and what
it printed follows it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from d2lbuild.config.types import Framework
from d2lbuild.files import write_if_changed
from d2lbuild.model import CellKind, Output
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.numbering import Numbers
from d2lbuild.rendering.outputs.terminal_text import without_codes
from d2lbuild.rendering.page import Page, PageCell
from d2lbuild.rendering.plain_book import PlainBook, page_text, remove_others
from d2lbuild.rendering.plain_markdown import PlainContext, plain_markdown
from d2lbuild.rendering.sources.displayed_code import displayed_code

__all__ = ["render_markdown"]

_INDEX = "llms.txt"
"""See llmstxt.org: a heading, a sentence, and lists of links."""


def render_markdown(pages: Sequence[Page], context: RenderContext) -> Path:
    """Write `pages` below ``context.output/FRAMEWORK`` and an index beside them; return the output folder."""
    book = PlainBook(pages, context, ".md")
    wanted: set[Path] = set()
    for done, page in enumerate(pages, start=1):
        for name in page.frameworks:
            text = _page(page, context.config.framework(name), book.plain_context(page, name), book.numbers)
            write_if_changed(book.path(page, name), text)
            wanted.add(book.path(page, name))
        context.observer("Markdown", done, len(pages))
    index = context.output / _INDEX
    write_if_changed(index, "\n".join(_index(pages, context, book)) + "\n")
    remove_others(context.output, wanted | book.files | {index})
    return context.output


def _page(page: Page, framework: Framework, context: PlainContext, numbers: Numbers) -> str:
    parts: list[str] = []
    for cell in page.cells:
        if framework.name in cell.frameworks:
            parts += _code(cell, framework) if cell.kind is CellKind.CODE else [page_text(cell, page, context, numbers)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _code(cell: PageCell, framework: Framework) -> Iterator[str]:
    """Yield the code of a cell, and what it printed; what readers are not shown is left out."""
    source = displayed_code(cell.source)[0] if framework.is_python else cell.source
    if source.strip() and not cell.tags & {"hide-input", "remove-input", "remove-cell", "hide-cell"}:
        yield _fenced(source, framework.language)
    if not cell.tags & {"hide-output", "remove-output", "remove-cell", "hide-cell"}:
        printed = "".join(map(_words, cell.outputs)).rstrip()
        if printed.strip():
            yield _fenced(printed, "output")


def _words(output: Output) -> str:
    """Return what an output says in plain text, ending in a line end; stderr is left out."""
    kind = output["output_type"]
    if kind == "error":
        return f"{output.get('ename', '')}: {output.get('evalue', '')}\n"
    if kind == "stream":
        return without_codes("".join(output["text"])) if output.get("name") == "stdout" else ""
    text = without_codes("".join(output.get("data", {}).get("text/plain", "")))
    return f"{text}\n" if text else ""


def _fenced(text: str, language: str) -> str:
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def _index(pages: Sequence[Page], context: RenderContext, book: PlainBook) -> Iterator[str]:
    config = context.config
    yield f"# {config.title}"
    titles = ", ".join(config.framework(name).title for name in context.frameworks)
    yield ""
    yield f"> A book whose code is in {titles}. Each page is a Markdown file, with its code and what that printed."
    for name in context.frameworks:
        yield ""
        yield f"## {config.framework(name).title}"
        yield ""
        for page in pages:
            if name in page.frameworks:
                title = plain_markdown(page.section.title, book.plain_context(page, name)) or page.section.id
                number = book.numbers.pages.get(page.section.id, "")
                address = book.path(page, name).relative_to(context.output).as_posix()
                yield f"- [{f'{number} {title}'.strip()}]({address})"
