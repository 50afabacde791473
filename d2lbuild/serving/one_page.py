"""The quick way from a changed file to its page, where nothing but the words of that page can have changed.

It takes what the last build has left in memory. Whatever it cannot be sure of is left to a build, and one follows in
any case: what is made here is for the eye.
"""

from dataclasses import replace
from pathlib import Path

from d2lbuild.config import Config
from d2lbuild.edition.edition import Edition
from d2lbuild.edition.expansion import expand
from d2lbuild.edition.select import select
from d2lbuild.memory import Memory
from d2lbuild.model import Block, BlockKind, Notebook, Section
from d2lbuild.rendering.assemble import assemble
from d2lbuild.source.book import read_again

__all__ = ["rewrite"]


def rewrite(config: Config, memory: Memory, file: Path) -> Path | None:
    """Write the page again that a file of the book is the source of.

    Returns the page's file, or None if this is nothing for the quick way.
    """
    book = memory.book
    if book is None:
        return None
    assert memory.built is not None
    before = next((one for one in book.sections.values() if config.root / one.path == file), None)
    if before is None:
        return None
    try:
        section = read_again(config, before)
    except OSError:
        return None
    if _seen_elsewhere(section) != _seen_elsewhere(before):
        return None
    notebooks = {
        name: _notebook(config, section, edition)
        for name, edition in memory.editions.items()
        if before.id in edition.notebooks
    }
    page = assemble(
        section,
        notebooks,
        {name: memory.shown[before.id, name] for name in notebooks if (before.id, name) in memory.shown},
        {name: memory.notices[before.id, name] for name in notebooks if (before.id, name) in memory.notices},
        language=config.language,
    )
    sections = {**book.sections, section.id: section}
    labels = {**book.labels, **{one.name: one for one in section.labels if one.name in book.labels}}
    now = replace(book, sections=sections, labels=labels)
    there = memory.built.sections[section.id]
    moved = {one.span: old.span for one, old in zip(_code_blocks(section), _code_blocks(there), strict=True)}
    written = memory.site.write_again(page, now, moved)
    if written is not None:
        memory.book = now
    return written


def _notebook(config: Config, section: Section, edition: Edition) -> Notebook:
    framework = edition.framework
    comment = "" if framework.is_python else framework.comment
    notebook = select(section, framework.name, [one.name for one in config.frameworks], comment=comment)
    if not framework.is_python:
        return notebook
    return expand(notebook, framework.aliases, edition.library.package, edition.expanded)


def _seen_elsewhere(section: Section) -> object:
    """Return what other pages, the library or the runs of notebooks may have from a section."""
    return (
        section.title,
        [(one.name, one.kind, one.frameworks, one.text) for one in section.labels],
        [one.target for one in section.images],
        [one.target for one in section.bibliographies],
        [[(entry.target, entry.section) for entry in one.entries] for one in section.contents],
        [_code(block) for block in section.blocks if block.kind is not BlockKind.PROSE],
    )


def _code_blocks(section: Section) -> list[Block]:
    return [block for block in section.blocks if block.kind is BlockKind.CODE]


def _code(block: Block) -> object:
    return block.kind, block.frameworks, block.content, block.indent, block.tags, block.needs
