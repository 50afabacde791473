"""`d2lbuild deploy`: publishes the website."""

from typing import TYPE_CHECKING, Annotated

import typer

from d2lbuild.cli.messages import count, note, say
from d2lbuild.cli.options import BookOption, FrameworkOption, read_config, words
from d2lbuild.errors import UsageError

if TYPE_CHECKING:
    from d2lbuild.publishing.manifest import Changes

__all__ = ["deploy"]


def deploy(
    target: Annotated[
        str,
        typer.Argument(metavar="PLACE", help="A folder, branch:NAME of the book's repository, or s3://bucket/path."),
    ],
    *,
    framework: FrameworkOption = None,
    output: Annotated[
        str, typer.Option("--from", metavar="OUTPUT", help="What is published: html, notebooks, markdown, slides.")
    ] = "html",
    push: Annotated[
        str | None, typer.Option("--push", metavar="REMOTE", help="Push the branch to this remote afterwards.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="NAME", help="Publish below PLACE/NAME, beside the book's other versions."),
    ] = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="Readers of PLACE are led to this version from now on.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    book: BookOption = None,
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
