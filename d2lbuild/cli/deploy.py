"""`d2lbuild deploy`: publishes the website."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_file
from d2lbuild.cli.messages import count, note, say
from d2lbuild.cli.options import book_option, framework_option, read_config, words
from d2lbuild.errors import UsageError

if TYPE_CHECKING:
    from d2lbuild.publishing.manifest import Changes

__all__ = ["deploy"]


@click.command
@click.argument(
    "target",
    metavar="PLACE",
    help="A folder, branch:NAME of the book's repository, or s3://bucket/path.",
    shell_complete=complete_file,
)
@framework_option
@click.option(
    "--from",
    "output",
    metavar="OUTPUT",
    default="html",
    help="What is published: html, notebooks, markdown, slides.",
)
@click.option("--push", metavar="REMOTE", help="Push the branch to this remote afterwards.")
@click.option("--version", metavar="NAME", help="Publish below PLACE/NAME, beside the book's other versions.")
@click.option("--latest", is_flag=True, help="Readers of PLACE are led to this version from now on.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@book_option
def deploy(
    *,
    target: str,
    framework: Sequence[str],
    output: str,
    push: str | None,
    version: str | None,
    latest: bool,
    dry_run: bool,
    book: Path | None,
) -> int:
    """Publish what was built: only files that have changed.

    \b
    Takes the last build as it is; --framework says of which edition, by default that of the first framework.
    What d2lbuild has published is noted at the place, in .d2lbuild-manifest.json: other files there are
    neither replaced nor removed. A folder and a branch change as a whole; elsewhere, a file is sent before
    what leads to it. --version keeps all versions that were published so, lists them in PLACE/versions.json,
    and lets PLACE/index.html lead to the latest one.

    \b
    Examples:
      d2lbuild deploy /srv/www/book --framework all
      d2lbuild deploy branch:gh-pages --framework all --push origin
      d2lbuild deploy s3://bucket/book --dry-run
      d2lbuild deploy /srv/www/book --version 1.1 --latest
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.publishing.places import Branch, place_of  # noqa: PLC0415
    from d2lbuild.publishing.publish import nobody, publish  # noqa: PLC0415
    from d2lbuild.publishing.versions import publish_version  # noqa: PLC0415
    from d2lbuild.renderers import edition_name  # noqa: PLC0415

    config = read_config(book)
    edition = edition_name(config, pipeline.select_frameworks(config, words(framework)))
    source = config.output / edition / output
    if not source.is_dir():
        raise UsageError(f"{source} does not exist", hint=f"run `d2lbuild build --to {output}` for that edition first")
    place = place_of(target, config.root)
    if push and not isinstance(place, Branch):
        raise UsageError("--push is for branches", hint="name the place as branch:NAME")
    if latest and version is None:
        raise UsageError("--latest says so of a version", hint="add --version 1.0")
    if version is not None and output != "html":
        raise UsageError("--version is for websites", hint="leave --from out")
    observer = _tell if dry_run else nobody
    if version is None:
        changes = publish(source, place, dry_run=dry_run, observer=observer)
    else:
        changes = publish_version(
            source,
            place,
            version,
            title=config.title,
            language=config.language,
            latest=latest,
            dry_run=dry_run,
            observer=observer,
        )
    verb = "would be " if dry_run else ""
    note(
        f"{count(len(changes.write), 'file')} {verb}written, {len(changes.remove)} removed, {changes.same} as they are"
    )
    if push and isinstance(place, Branch) and not dry_run:
        place.push(push)
        note(f"pushed {place.name} to {push}")
    return 0


def _tell(changes: "Changes") -> None:
    for name in changes.write:
        say(f"write {name}")
    for name in changes.remove:
        say(f"remove {name}")
