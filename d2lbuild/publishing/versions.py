"""Versions of a website side by side: each in a folder, a list of them for pages, and a first page that leads on.

What lies at the place beside them stays as it is, so that addresses that readers have go on to work.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically
from d2lbuild.publishing.manifest import BEGUN, MANIFEST, Changes, digests_of, files_of_ours, read_manifest
from d2lbuild.publishing.places import Place
from d2lbuild.publishing.publish import VERSIONS, Observer, nobody, publish_files, site_digests

__all__ = ["publish_version"]

_FIRST = "index.html"
_ICON = "_static/book/favicon.svg"
"""Every website has this one."""
_TO_GITHUB = ".nojekyll"
_FIRST_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<link rel="canonical" href="{address}">
<link rel="icon" href="{icon}">
<title>{title}</title>
</head>
<body><p><a href="{address}">{title}</a></p></body>
</html>
"""


def publish_version(
    source: Path,
    place: Place,
    version: str,
    *,
    title: str,
    language: str,
    latest: bool = False,
    dry_run: bool = False,
    observer: Observer = nobody,
) -> Changes:
    """Make a folder of a place hold a version of a website, and list it; `latest`: readers are led to it first.

    The first version that is published is the latest one until another is. Raises UsageError as `publish` does.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", version) or version in (_FIRST, VERSIONS):
        raise UsageError(f"'{version}' cannot be a version", hint="letters, digits, `.`, `-` and `_`, such as 1.0")
    site = site_digests(source)
    before = place.read(MANIFEST)
    ours = files_of_ours(before, place.read(BEGUN))
    # What only a time that broke off has put there belongs to no version.
    whole = {name: ours[name] for name in read_manifest(before)}
    listed, current = _listed(place.read(VERSIONS)) if VERSIONS in ours else ((), "")
    names = {one for one in listed if any(name.startswith(f"{one}/") for name in whole)}
    below = f"{version}/"
    if version not in names and any(name.startswith(below) for name in whole):
        raise UsageError(f"{version} is a folder of the book that lies there", hint="publish into another folder")
    first = version if latest or current not in names else current
    wanted = {name: digest for name, digest in whole.items() if not name.startswith(below)}
    # What tells GitHub to leave names alone must lie at the top.
    places = {name: name if name == _TO_GITHUB else below + name for name in site}
    wanted |= {places[name]: digest for name, digest in site.items()}
    with TemporaryDirectory() as folder:
        made = Path(folder)
        write_atomically(made / VERSIONS, _list(_in_order({*names, version}), first, wanted))
        address = f"{quote(first)}/{_FIRST}"
        page = _FIRST_PAGE.format(
            language=html.escape(language), address=address, icon=f"{quote(first)}/{_ICON}", title=html.escape(title)
        )
        write_atomically(made / _FIRST, page)
        wanted |= digests_of(made)
        files = {places[name]: source / name for name in site} | {name: made / name for name in (VERSIONS, _FIRST)}
        return publish_files(files, wanted, place, dry_run=dry_run, observer=observer)


def _listed(content: bytes | None) -> tuple[Sequence[str], str]:
    """Return the versions of a list, and the latest one; none of a damaged list."""
    try:
        data = json.loads(content or b"{}")
        return [str(one["name"]) for one in data["versions"]], str(data["latest"])
    except (KeyError, TypeError, ValueError):
        return (), ""


def _list(versions: Sequence[str], latest: str, files: Mapping[str, str]) -> str:
    """Return the list, with the pages of each version: a page leads to itself in another version if it is there."""

    def pages(version: str) -> Iterator[str]:
        for name in sorted(files):
            if name.startswith(f"{version}/") and name.endswith(".html"):
                yield name.removeprefix(f"{version}/")

    data = {"latest": latest, "versions": [{"name": one, "pages": [*pages(one)]} for one in versions]}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _in_order(versions: set[str]) -> list[str]:
    """Return versions, the newest first; those that are no numbers come before them, as development does."""

    def rank(version: str) -> tuple[bool, Version, str]:
        try:
            return False, Version(version), version
        except InvalidVersion:
            return True, Version("0"), version

    return sorted(versions, key=rank, reverse=True)
