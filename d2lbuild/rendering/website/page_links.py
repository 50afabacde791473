"""A page in other forms: its source, its notebooks, the same notebooks on the web, the book as a PDF."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from d2lbuild.config.types import SERVICES, Config
from d2lbuild.rendering.elsewhere.places import notebook_path
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.reader_texts import reader_texts

__all__ = ["PageLink", "PageLinks", "edit_address", "page_links"]


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to another form of a page."""

    kind: str
    """``edit``, ``notebook``, ``open`` or ``pdf``."""
    text: str
    address: str
    """Of the web, or a path below the site."""
    framework: str = ""
    """The only framework that it is for, in a site that has others too."""
    title: str = ""
    """What readers see of that framework."""


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What stands around the text of one page."""

    links: tuple[PageLink, ...] = ()
    notices: tuple[tuple[str, str], ...] = ()
    """A framework, or the empty string, and what its readers should know of the outputs."""


def page_links(page: Page, config: Config, frameworks: Sequence[str]) -> PageLinks:
    """Return what to say around a page of a site of `frameworks`."""
    found: list[PageLink] = []
    several = len(frameworks) > 1
    texts = reader_texts(config.language)

    def add(kind: str, text: str, address: str, framework: str) -> None:
        title = config.framework(framework).title
        found.append(PageLink(kind, text, address, framework, title) if several else PageLink(kind, text, address))

    for framework in page.coded:
        add("notebook", texts["notebook"], notebook_path(framework, page.section.id), framework)
    for service in config.html.services:
        unlinked = _is_excluded(page.section.id, service.name, config)
        for framework in page.coded:
            if (template := service.addresses.get(framework)) and not unlinked:
                address = template.replace("{section}", quote(page.section.id))
                add("open", f"{texts['open']} {service.name}", address, framework)
    found += _pdfs(config, frameworks)
    if edit := edit_address(config, page.section.path):
        found.append(PageLink("edit", texts["edit"], edit))
    notices = tuple((name if several else "", text) for name, text in page.outdated.items())
    return PageLinks(tuple(found), notices)


def _is_excluded(section: str, title: str, config: Config) -> bool:
    """Return whether a section's page does not lead to its notebook on a service."""
    patterns = next((config.elsewhere[key].exclusions for key in config.elsewhere if SERVICES[key] == title), ())
    return any(_matches(section.split("/"), pattern.split("/")) for pattern in patterns)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether a path matches a glob pattern, in which ``**`` stands for any folders, or none."""
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] == "**":
        return any(_matches(parts[at:], pattern[1:]) for at in range(len(parts) + 1)) if pattern[1:] else True
    return fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _pdfs(config: Config, frameworks: Sequence[str]) -> list[PageLink]:
    words = reader_texts(config.language)["pdf"]
    addresses = {name: config.html.pdf[name] for name in frameworks if name in config.html.pdf}
    if len(set(addresses.values())) < 2:
        return [PageLink("pdf", words, address) for address in list(addresses.values())[:1]]
    return [PageLink("pdf", words, address, name, config.framework(name).title) for name, address in addresses.items()]


def edit_address(config: Config, file: PurePosixPath) -> str:
    """Return where a change of a file can be proposed; empty if the book names no repository on the web."""
    repository = config.html.repository.rstrip("/")
    place = urlsplit(repository)
    if place.scheme not in {"http", "https"}:
        return ""
    form = "-/edit" if "gitlab" in place.netloc else "edit"
    return f"{repository}/{form}/{quote(config.html.branch)}/{quote(file.as_posix())}"
