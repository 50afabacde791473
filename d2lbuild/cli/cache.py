"""`d2lbuild cache …`: what the cache holds, and looking after it."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_file
from d2lbuild.cli.groups import OrderedGroup
from d2lbuild.cli.messages import columns, count, duration, errors, note, say
from d2lbuild.cli.options import PATH, book_option, framework_option, read_config, words
from d2lbuild.errors import UsageError
from d2lbuild.execution.home import cache_home

if TYPE_CHECKING:
    from d2lbuild.execution.results.shared import SharedCache
    from d2lbuild.execution.results.upkeep import Garbage, OnStep
    from d2lbuild.notebook_runs import NotebookRuns

__all__ = ["cache"]

DAMAGED = 1
UNREACHABLE = 1
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SHOWN = 20

_place_argument = click.argument(
    "place", metavar="PLACE", type=PATH, help="A folder, or a file that ends in .tar.gz, .tar.zst or .zip."
)
_address_argument = click.argument(
    "address",
    metavar="ADDRESS",
    help="A folder, s3://bucket/path, or for pull also https://host/path.",
    shell_complete=complete_file,
)


@click.group(cls=OrderedGroup, no_args_is_help=True)
def cache() -> None:
    """The results of notebooks that are kept.

    \b
    Examples:
      d2lbuild cache info
      d2lbuild cache gc --older-than 30d
    """


@cache.command
def info() -> int:
    """Show what the cache holds.

    \b
    Results are kept in D2LBUILD_CACHE or the system's cache folder, for all books together.

    \b
    Examples:
      d2lbuild cache info
    """
    from d2lbuild.execution.results import upkeep  # noqa: PLC0415 - slow to import
    from d2lbuild.notation import show_size  # noqa: PLC0415

    home = cache_home()
    say(str(home))
    found = upkeep.kinds(home)
    if not found:
        note("nothing is there yet")
        return 0
    rows = [(one.name, f"{one.count:,}", show_size(one.size), _day(one.oldest)) for one in found]
    say(columns([("", "files", "size", "oldest"), *rows]))
    books = upkeep.usage(home)
    if books:
        heading = ("book", "framework", "notebooks", "results there", "size", "last runs took")
        lines = [
            (one.book, one.framework, str(one.notebooks), str(one.results), show_size(one.size), duration(one.seconds))
            for one in books
        ]
        say()
        say(columns([heading, *lines]))
    return 0


@cache.command
@click.option("--older-than", metavar="TIME", help="Remove what was made before: 12h, 30d, 8w.")
@click.option("--max-size", metavar="SIZE", help="Remove the oldest above this: 500MB, 5GB.")
@click.option("--environments", is_flag=True, help="Also remove environments that no notebook was last run in.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def gc(*, older_than: str | None, max_size: str | None, environments: bool, dry_run: bool) -> int:
    """Remove what is not needed any more.

    \b
    Results of the last run of any notebook stay, and so does what was made in the last hour: builds
    may go on meanwhile. Without --older-than and --max-size only that goes which can never be used:
    results of other versions of d2lbuild, what refers to nothing, and short cuts of a month ago.

    \b
    Examples:
      d2lbuild cache gc --older-than 30d --dry-run
      d2lbuild cache gc --max-size 5GB
      d2lbuild cache gc --environments
    """
    from d2lbuild.execution.environments.environments import remove  # noqa: PLC0415
    from d2lbuild.execution.results import upkeep  # noqa: PLC0415 - slow to import
    from d2lbuild.notation import show_size  # noqa: PLC0415

    age = None if older_than is None else _age(older_than)
    size = None if max_size is None else _size(max_size)
    home = cache_home()
    with _progress("looking at results") as step:
        found = upkeep.collect_garbage(home, older_than=age, max_size=size, dry_run=dry_run, on_step=step)
    say(_collected(found, dry_run=dry_run))
    if size is not None and found.kept > size:
        note(f"{show_size(found.kept)} stay: they belong to last runs, or were made in the last hour")
    for folder in upkeep.unused_environments(home) if environments else ():
        if not dry_run:
            remove(folder.name, home)
        say(f"{'would remove' if dry_run else 'removed'} {folder}")
    return 0


def _collected(found: "Garbage", *, dry_run: bool) -> str:
    from d2lbuild.notation import show_size  # noqa: PLC0415

    verb = "would remove" if dry_run else "removed"
    stay = f"{show_size(found.kept)} of results stay, {found.current:,} of them those of last runs"
    return f"{verb} {count(len(found.removed), 'file')}, {show_size(found.size)}; {stay}"


@cache.command
@click.option("--remove", is_flag=True, help="Remove what is damaged: it is made again.")
def verify(*, remove: bool) -> int:
    """Read everything in the cache, and report what is damaged.

    \b
    Each file says itself what it should hold. Builds ignore damaged ones. Prints their paths; the exit
    code is 1 if there are any.

    \b
    Examples:
      d2lbuild cache verify
      d2lbuild cache verify --remove
    """
    from d2lbuild.execution.results import upkeep  # noqa: PLC0415 - slow to import

    number = 0
    with _progress("reading") as step:
        for damage in upkeep.verify(cache_home(), remove=remove, on_step=step):
            number += 1
            say(f"{damage.path}: {damage.why}")
    if number:
        note(f"{count(number, 'damaged file')}{', removed' if remove else ''}")
        return DAMAGED
    note("nothing is damaged")
    return 0


@cache.command
@_place_argument
@click.option("--current", is_flag=True, help="Only results of the last run of each notebook.")
def export(place: Path, *, current: bool) -> int:
    """Write results, and what is known about them, into an archive or a folder.

    \b
    A folder can serve as a shared cache, as it is or copied to a web server or S3: see
    `shared_cache` in the book's configuration. Failures and environments are left out.

    \b
    Examples:
      d2lbuild cache export results.tar.gz
      d2lbuild cache export --current results.tar.zst
      d2lbuild cache export /srv/d2lbuild-results
    """
    from d2lbuild.execution.results.archives import export_cache  # noqa: PLC0415 - slow to import

    target = place.expanduser().absolute()
    if target.is_relative_to(cache_home()):
        raise UsageError(f"{place} lies in the cache itself", hint="choose another place")
    with _progress("writing") as step:
        number = export_cache(cache_home(), target, current=current, on_step=step)
    note(count(number, "file"))
    say(str(target))
    return 0


@cache.command("import")
@_place_argument
def import_(place: Path) -> int:
    """Take results from an archive or a folder that `export` has written.

    \b
    What is there already stays. Each file is checked before it is taken; those that are damaged, or no
    files of a cache, are named and left out, and the exit code is 1.

    \b
    Examples:
      d2lbuild cache import results.tar.gz
      d2lbuild cache import /srv/d2lbuild-results
    """
    from d2lbuild.execution.results.archives import import_cache  # noqa: PLC0415 - slow to import

    with _progress("reading") as step:
        found = import_cache(cache_home(), place.expanduser().absolute(), on_step=step)
    for name, why in found.refused[:_SHOWN]:
        note(f"refused {name!r}: {why}")
    if len(found.refused) > _SHOWN:
        note(f"… and {len(found.refused) - _SHOWN:,} more")
    refused = f", {len(found.refused):,} refused" if found.refused else ""
    say(f"{count(found.taken, 'new file')}, {found.known:,} there already{refused}")
    return DAMAGED if found.refused else 0


@cache.command
@_address_argument
@framework_option
@book_option
def push(address: str, *, framework: Sequence[str], book: Path | None) -> int:
    """Put the results of the book as it is where others find them.

    \b
    What is there already is written again only if it differs. Failures are left out.

    \b
    Examples:
      d2lbuild cache push s3://bucket/results
      d2lbuild cache push /srv/d2lbuild-results --framework jax
    """
    runs, shared = _shared(address, framework, book, writable=True)
    sent = runs.push(shared)
    say(count(sent, "result"))
    return 0 if shared.usable else UNREACHABLE


@cache.command
@_address_argument
@framework_option
@book_option
def pull(address: str, *, framework: Sequence[str], book: Path | None) -> int:
    """Take the results of the book as it is from where others have put them.

    \b
    A build does the same by itself for the `shared_cache` of the configuration; this is for other places.

    \b
    Examples:
      d2lbuild cache pull https://example.org/results
      d2lbuild cache pull s3://bucket/results --framework pytorch,jax
    """
    runs, shared = _shared(address, framework, book, writable=False)
    came, missing = runs.pull(shared)
    say(f"{count(came, 'new result')}; {count(missing, 'notebook')} without one")
    return 0 if shared.usable else UNREACHABLE


def _shared(
    address: str, framework: Sequence[str], book: Path | None, *, writable: bool
) -> "tuple[NotebookRuns, SharedCache]":
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.building import BuildRequest  # noqa: PLC0415
    from d2lbuild.execution.results.shared import SharedCache  # noqa: PLC0415
    from d2lbuild.notebook_runs import runs_of  # noqa: PLC0415

    config = read_config(book)
    names = pipeline.select_frameworks(config, words(framework) or ("all",))
    return runs_of(config, BuildRequest(names)), SharedCache(address, writable, note)


# --- words ---


def _age(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text.strip().lower())
    if match is None:
        raise UsageError(f"'{text}' is no length of time", hint="write 90m, 12h, 30d or 8w")
    return float(match[1]) * _UNITS[match[2]]


def _size(text: str) -> int:
    from d2lbuild.notation import parse_size  # noqa: PLC0415

    size = parse_size(text)
    if size is None:
        raise UsageError(f"'{text}' is no size", hint="write 500MB, 5GB or 2GiB")
    return size


def _day(seconds: float | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%d", time.localtime(seconds))


@contextmanager
def _progress(what: str) -> Iterator["OnStep"]:
    """Show how many files are done, on a terminal only."""
    console = errors()
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda *_: None
        return
    with console.status(what) as status:
        yield lambda done, total: status.update(f"{what}: {done:,}{f' of {total:,}' if total else ''} files")
