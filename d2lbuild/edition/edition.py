"""The book for one framework: its notebooks and its library, put together."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from d2lbuild.config import Config, Framework
from d2lbuild.edition.expansion import expand
from d2lbuild.edition.library import Library, extract
from d2lbuild.edition.library_checks import check_edition
from d2lbuild.edition.select import has_page, select
from d2lbuild.model import Finding, Notebook, Section
from d2lbuild.source.kept import Cut, KeptSections

__all__ = ["Edition", "make_edition"]


@dataclass(frozen=True)
class Edition:
    """The book for one framework."""

    framework: Framework
    neutral: tuple[Notebook, ...]
    """The notebooks as they are written, with framework-neutral names."""
    library: Library
    """Made from those: its module keeps the neutral names and defines them. Empty unless its code is Python."""
    expanded: MutableMapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Cells with their aliases expanded, by their neutral source; `notebooks` adds what it lacks."""

    @cached_property
    def notebooks(self) -> Mapping[str, Notebook]:
        """The notebooks by section, with aliases expanded: as they are run and shown."""
        if not self.framework.is_python:
            return {one.section.id: one for one in self.neutral}
        aliases, package = self.framework.aliases, self.library.package
        return {one.section.id: expand(one, aliases, package, self.expanded) for one in self.neutral}

    @property
    def findings(self) -> Iterator[Finding]:
        """What is wrong with its code."""
        for notebook in self.neutral:
            yield from notebook.findings
        if self.framework.is_python:
            yield from self.library.findings
            yield from check_edition(self.neutral, self.library)


def make_edition(config: Config, sections: Sequence[Section], name: str, kept: KeptSections | None = None) -> Edition:
    """Return the edition of the framework called `name`; cells that are `kept` from another time are not cut again."""
    framework = config.framework(name)
    names = [one.name for one in config.frameworks]
    comment = "" if framework.is_python else framework.comment
    chosen = (section for section in sections if has_page(section, name))

    def cut(section: Section) -> Cut:
        notebook = select(section, name, names, comment=comment)
        return notebook.cells, notebook.findings

    memory = kept or KeptSections(config)
    notebooks = tuple(Notebook(one, name, *memory.cells(one, name, partial(cut, one))) for one in chosen)
    library = extract(
        notebooks if framework.is_python else (), framework, package=config.library.package, title=config.title
    )
    return Edition(framework, notebooks, library)
