"""Reads what a `config.ini` says of notebooks for services: ``[colab]`` and ``[sagemaker]``."""

import re
from collections.abc import Iterator, Sequence

from d2lbuild.config.ini import Entry, Ini
from d2lbuild.config.problems import Problems, nearest
from d2lbuild.config.types import SERVICES, Elsewhere, NotebookService
from d2lbuild.model import Span

__all__ = ["LegacyServices"]

_ADDRESSES = {
    "colab": "https://colab.research.google.com/github/{repository}/blob/master/{{section}}.ipynb",
    "sagemaker": "https://studiolab.sagemaker.aws/import/github/{repository}/blob/main/{{section}}.ipynb",
}
"""Where the notebooks of a repository on GitHub can be run: the branches are those that existing books publish to."""


class LegacyServices:
    """What a `config.ini` says of them, for a book of these frameworks."""

    def __init__(self, ini: Ini, problems: Problems, frameworks: Sequence[str], release: str) -> None:
        self.ini = ini
        self.problems = problems
        self.frameworks = frameworks
        self.release = release

    def services(self) -> Iterator[NotebookService]:
        """Yield where the notebooks can be run: each framework, or all, has a repository there."""
        for section, template in _ADDRESSES.items():
            repositories = self._repositories(section)
            addresses = {name: template.format(repository=one) for name, one in repositories.items()}
            if addresses:
                yield NotebookService(SERVICES[section], addresses)

    def elsewhere(self) -> dict[str, Elsewhere]:
        """Return what is said of the notebooks themselves: what to install, kernels, where drawings are."""
        found = {}
        for section in _ADDRESSES:
            drawings = self.ini.text(section, "replace_svg_url")
            folder, comma, address = (part.strip() for part in drawings.partition(","))
            one = Elsewhere(
                install=self._installed(section),
                kernels=self._kernels(section),
                images=((folder, address),) if comma and re.match("https?://", address) else (),
                header=" ".join(self.ini.text(section, "libs_header").split()),
                gpu_pattern=" ".join(self.ini.text(section, "gpu_pattern").split()),
                exclusions=tuple(self._exclusions(section)),
            )
            if one != Elsewhere():
                found[section] = one
        return found

    def _exclusions(self, section: str) -> Iterator[str]:
        """Yield patterns of sections without their suffix; those of a `config.ini` are of pages."""
        for word in self.ini.text(section, "exclusions").replace(",", " ").split():
            yield word.removesuffix(".html")

    def _installed(self, section: str) -> dict[str, tuple[str, ...]]:
        """Return what is installed: a line of `libs` has a framework, a name and what pip is told.

        Where one repository holds the notebooks of all frameworks, lines have only a name and what pip is told.
        """
        entry = self.ini.entry(section, "libs")
        for_all = len(self._items(self.ini.entry(section, "github_repo"))) == 1
        found: dict[str, tuple[str, ...]] = {}
        for line in entry.lines if entry else ():
            if not line.text.partition(",")[0].strip():
                continue
            first, *rest = (part.strip() for part in line.text.split(",", 2))
            names = [first.lower()] if first.lower() in self.frameworks else []
            if for_all and not (names and len(rest) == 2):
                names, rest = [*self.frameworks], [part.strip() for part in line.text.split(",", 1)]
            words = re.split(r"(?:^|\s)#", rest[1])[0].strip() if len(rest) == 2 else ""
            if not names or not words:
                message = f"[{section}] `libs`: `{line.text.strip()}` is ignored"
                hint = "a line has a framework of `tabs`, a name, and what pip is told"
                self.problems.warn("bad-value", message, line.span, hint)
                continue
            # The book itself, from which a repository of notebooks installed its library.
            words = "." if re.fullmatch(r"\.{1,2}/?", words) else words.replace("RELEASE", self.release)
            for name in names:
                found[name] = (*found.get(name, ()), words)
        return found

    def _kernels(self, section: str) -> dict[str, str]:
        """Return the kernels: a name alone is for all frameworks, pairs say which is for which."""
        items = [item for item, _ in self._items(self.ini.entry(section, "kernel"))]
        if len(items) == 1:
            return dict.fromkeys(self.frameworks, items[0])
        pairs = zip(items[::2], items[1::2], strict=False)
        return {name.lower(): kernel for name, kernel in pairs if name.lower() in self.frameworks}

    def _repositories(self, section: str) -> dict[str, str]:
        """Return the repositories of notebooks: a name alone is for all frameworks, pairs say which is for which."""
        entry = self.ini.entry(section, "github_repo")
        if entry is None:
            return {}
        items = self._items(entry)
        pairs = list(zip(items[::2], items[1::2], strict=False))
        if len(items) == 1:
            pairs = [((name, entry.span), items[0]) for name in self.frameworks]
        found: dict[str, str] = {}
        for (name, span), (repository, _) in pairs:
            if name.lower() not in self.frameworks:
                message = f"[{section}] `github_repo` names `{name}`, which is not in `tabs`: ignored"
                self.problems.warn("unknown-framework", message, span, nearest(name.lower(), self.frameworks))
            elif not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
                message = f"[{section}] `github_repo`: `{repository}` is no repository on GitHub: ignored"
                self.problems.warn("bad-value", message, span, "write it as owner/name")
            else:
                found[name.lower()] = repository
        return found

    @staticmethod
    def _items(entry: Entry | None) -> list[tuple[str, Span]]:
        """Return the items of a list that commas separate, over lines too."""
        lines = entry.lines if entry else ()
        return [(item.strip(), line.span) for line in lines for item in line.text.split(",") if item.strip()]
