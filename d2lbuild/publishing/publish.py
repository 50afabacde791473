"""Publishing a folder at a place: only what has changed, never touching what is not ours."""

from collections.abc import Callable, Mapping
from pathlib import Path

from d2lbuild.errors import UsageError
from d2lbuild.publishing.manifest import BEGUN, MANIFEST, Changes, changes_to, digests_of, files_of_ours, manifest_text
from d2lbuild.publishing.places import Place, digest

__all__ = ["VERSIONS", "Observer", "nobody", "publish", "publish_files", "site_digests"]

VERSIONS = "versions.json"
"""The list of versions, at a place that has several."""
Observer = Callable[[Changes], None]
"""Hears of changes before they are made."""
_SHOWN = 5


def nobody(_changes: Changes) -> None:
    """Hear of nothing."""


def publish(source: Path, place: Place, *, dry_run: bool = False, observer: Observer = nobody) -> Changes:
    """Make a place hold the files of a folder; return what was done, or with `dry_run` what would be.

    Raises UsageError if files are in the way that we have not put there, and then has changed nothing. `observer` hears
    of the changes before they are made.
    """
    wanted = site_digests(source)
    if VERSIONS not in wanted and VERSIONS in files_of_ours(place.read(MANIFEST), place.read(BEGUN)):
        raise UsageError(
            "versions of the book lie there, which would be removed",
            hint="say which one this is, as --version 1.0, or publish into another folder",
        )
    files = {name: source / name for name in wanted}
    return publish_files(files, wanted, place, dry_run=dry_run, observer=observer)


def site_digests(source: Path) -> dict[str, str]:
    """Return the digests of what is to be published; UsageError if there is nothing."""
    wanted = digests_of(source)
    if not wanted:
        raise UsageError(f"there is nothing in {source}", hint="build the book first")
    return wanted


def publish_files(
    files: Mapping[str, Path], wanted: Mapping[str, str], place: Place, *, dry_run: bool, observer: Observer
) -> Changes:
    """Make a place hold what is `wanted`, by name and digest; `files` has those that may have to be copied."""
    before = place.read(MANIFEST)
    begun = place.read(BEGUN)
    ours = files_of_ours(before, begun)
    changes = changes_to(wanted, ours, lambda name: digest(place.read(name)))
    if changes.foreign:
        names = ", ".join(changes.foreign[:_SHOWN]) + (", …" if len(changes.foreign) > _SHOWN else "")
        raise UsageError(
            f"files are in the way that d2lbuild has not published: {names}",
            hint="move them away, or publish into another folder",
        )
    observer(changes)
    manifest = manifest_text(wanted)
    if not dry_run and (changes or begun is not None or before != manifest.encode()):
        # Should this break off, all that may be ours then is known; of what is to come or to go, no content is.
        begin = manifest_text(dict.fromkeys(ours, "") | dict(wanted) | dict.fromkeys(changes.write, ""))
        place.publish({name: files[name] for name in changes.write}, changes.remove, begin, manifest)
    return changes
