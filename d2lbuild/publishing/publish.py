"""Publishing a folder at a place: only what has changed, never touching what is not ours."""

from collections.abc import Callable
from pathlib import Path

from d2lbuild.errors import UsageError
from d2lbuild.publishing.manifest import BEGUN, MANIFEST, Changes, changes_to, digests_of, files_of_ours, manifest_text
from d2lbuild.publishing.places import Place, digest

__all__ = ["publish"]

_SHOWN = 5


def publish(
    source: Path, place: Place, *, dry_run: bool = False, observer: Callable[[Changes], None] = lambda _: None
) -> Changes:
    """Make a place hold the files of a folder; return what was done, or with `dry_run` what would be.

    Raises UsageError if files are in the way that we have not put there, and then has changed nothing. `observer` hears
    of the changes before they are made.
    """
    wanted = digests_of(source)
    if not wanted:
        raise UsageError(f"there is nothing in {source}", hint="build the book first")
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
        # Should this break off, all that may be ours then is known; of what is to go, no content is.
        begin = manifest_text(dict.fromkeys(ours, "") | wanted)
        place.publish(source, changes.write, changes.remove, begin, manifest)
    return changes
