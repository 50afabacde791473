"""Where the files are on the web that a notebook opened elsewhere asks for: figures, and the library.

They lie beside the notebooks in the repository that a service opens them from, or else on the book's website.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.config.types import SERVICES, Config

__all__ = ["SITE_NOTEBOOKS", "Places", "figure_path", "notebook_path", "places_of"]

SITE_NOTEBOOKS = "_notebooks"
"""The folder of a website that has its notebooks, and what they show."""

_ON_GITHUB = re.compile(
    r"https://[^/]+/(?:import/)?github/(?P<repository>[^/]+/[^/]+)/blob/(?P<path>[^{}]+/)\{section\}\.ipynb$"
)
_RAW = "https://raw.githubusercontent.com"


def notebook_path(framework: str, section: str) -> str:
    """Return where a notebook lies below the website."""
    return f"{SITE_NOTEBOOKS}/{framework}/{section}.ipynb"


def figure_path(name: str) -> str:
    """Return where the figure of notebooks lies below the website that has this path below the book."""
    return f"{SITE_NOTEBOOKS}/figures/{name}"


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of the notebooks of one framework for one service."""

    beside: str = ""
    """The address of the folder that holds the notebooks, with a slash at its end; empty if it is not known."""
    site: str = ""
    """The address of the website's folder of notebooks; the same."""
    images: tuple[tuple[Path, str], ...] = ()
    """Folders of the book, absolute, and the addresses that have their files."""

    def wheel(self, name: str) -> str:
        """Return the address of a wheel; empty if there is none."""
        base = self.beside or self.site
        return f"{base}{name}" if base else ""

    def configured(self, file: Path, quote: Callable[[str], str]) -> str:
        """Return the address that the configuration gives to a file; empty if it gives none."""
        for folder, address in self.images:
            if file.is_relative_to(folder):
                return f"{address.rstrip('/')}/{quote(file.relative_to(folder).as_posix())}"
        return ""


def places_of(service: str, framework: str, config: Config) -> Places:
    """Return where the files of a framework's notebooks for a service are."""
    title = SERVICES[service]
    addresses = next((one.addresses for one in config.html.services if one.name == title), {})
    match = _ON_GITHUB.match(addresses.get(framework, ""))
    own = config.elsewhere.get(service)
    sources = (config.root / config.chapters).resolve()
    return Places(
        beside=f"{_RAW}/{match['repository']}/{match['path']}" if match else "",
        site=f"{config.html.site_url}{SITE_NOTEBOOKS}/" if config.html.site_url else "",
        images=tuple(((sources / folder).resolve(), address) for folder, address in own.images) if own else (),
    )
