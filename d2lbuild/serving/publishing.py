"""The website that is served: a copy of the last one that was built, so that no reader sees half of a build."""

import os
from collections.abc import Iterable
from pathlib import Path

from d2lbuild.files import write_atomically
from d2lbuild.rendering.page_store import FileFacts, facts_of

__all__ = ["Publisher"]


class Publisher:
    """Brings the folder `shown` to what lies in the folder `site`."""

    def __init__(self, site: Path, shown: Path) -> None:
        self.site = site
        self.shown = shown
        self._taken: dict[str, FileFacts | None] = {}
        self._seen: dict[str, FileFacts | None] = {}

    def publish(self) -> tuple[str, ...]:
        """Take over the whole site; return the names of files that are not what they were."""
        names = set(_files_below(self.site))
        changed = [name for name in sorted(names) if self._take(name)]
        for name in sorted(set(_files_below(self.shown)) - names):
            (self.shown / name).unlink(missing_ok=True)
            changed.append(name)
        self._taken = {name: facts for name, facts in self._taken.items() if name in names}
        return tuple(changed)

    def publish_files(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Take over some files of the site; return the names of those that are not what they were."""
        names = (path.relative_to(self.site).as_posix() for path in paths)
        return tuple(name for name in names if self._take(name))

    def _take(self, name: str) -> bool:
        source, target = self.site / name, self.shown / name
        facts = facts_of(source)
        if self._taken.get(name) == facts and self._seen.get(name) == facts_of(target):
            return False
        content = source.read_bytes()
        changed = not target.is_file() or target.read_bytes() != content
        if changed:
            write_atomically(target, content)
        self._taken[name], self._seen[name] = facts, facts_of(target)
        return changed


def _files_below(folder: Path) -> Iterable[str]:
    start = len(str(folder)) + 1
    for name, _, files in os.walk(folder):
        yield from (f"{name}{os.sep}{one}"[start:].replace(os.sep, "/") for one in files)
