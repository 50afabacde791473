"""`d2lbuild env …`: the environments that notebooks run in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.diff import report_option, tolerance_option
from d2lbuild.cli.groups import OrderedGroup
from d2lbuild.cli.messages import columns, is_detail, note, say
from d2lbuild.cli.options import book_option, config_if_any, known, read_config, words
from d2lbuild.errors import UsageError
from d2lbuild.execution.home import cache_home

if TYPE_CHECKING:
    from d2lbuild.config import Config, Framework

__all__ = ["env"]

_names = click.argument("names", nargs=-1, metavar="[NAME]...", help="Frameworks. Default: all of the book.")
_gpu = click.option("--gpu", is_flag=True, help="For machines with a GPU: from requirements-gpu.in and its lock.")


@click.group(cls=OrderedGroup, no_args_is_help=True)
def env() -> None:
    """The environments that notebooks run in.

    \b
    Examples:
      d2lbuild env list
      d2lbuild env sync pytorch
    """


@env.command
@_names
@book_option
@_gpu
def sync(names: Sequence[str], book: Path | None, gpu: bool) -> int:
    """Make the environments that are missing.

    \b
    Prints the interpreter of each. They are made from the frameworks' locks, and lie outside of
    the book, in D2LBUILD_CACHE or the system's cache folder. pip's variables PIP_FIND_LINKS,
    PIP_INDEX_URL and PIP_EXTRA_INDEX_URL are honoured, and those of uv.

    \b
    Examples:
      d2lbuild env sync
      d2lbuild env sync pytorch jax
      d2lbuild env sync --gpu jax
    """
    from d2lbuild.execution.environments import environments  # noqa: PLC0415 - slow to import

    for framework in _frameworks(read_config(book), names):
        device = "gpu" if gpu else "cpu"
        environment = environments.sync(framework, cache_home(), _teller(framework.name), device=device)
        say(f"{framework.name}: {environment.python}")
    return 0


@env.command("list")
@book_option
def show(book: Path | None) -> int:
    """List the environments that are there.

    \b
    Examples:
      d2lbuild env list
    """
    from d2lbuild.execution.environments import environments  # noqa: PLC0415 - slow to import

    home = cache_home()
    config = config_if_any(book)
    wanted = _folders(config, home)
    used: set[Path] = set()
    rows = [("framework", "for", "python", "packages", "folder", "")]
    for environment in environments.list_environments(home):
        folder = environment.python.parent.parent
        # Which packages its sections need beside the lock is only known once they are read.
        known_use = wanted is None or folder in wanted or environment.additional
        use = "" if known_use else "not used by this book"
        used.add(folder)
        number = str(len(environment.packages))
        purpose = " + ".join([environment.device, *environment.additional])
        rows.append((environment.framework, purpose, environment.python_version, number, str(folder), use))
    missing = [one for folder, one in (wanted or {}).items() if folder not in used]
    for name, device in missing:
        command = "d2lbuild env sync --gpu" if device == "gpu" else "d2lbuild env sync"
        rows.append((name, device, "", "", "", f"not there: `{command}` makes it"))
    rows += [
        (framework.name, "", "", "", str(framework.interpreter), "named in framework.toml")
        for framework in (config.frameworks if config else ())
        if framework.interpreter is not None
    ]
    if len(rows) > 1:
        say(columns(rows))
    else:
        note(f"there are no environments in {home}")
    return 0


@env.command
@click.argument(
    "names",
    nargs=-1,
    required=True,
    metavar="NAME...",
    help="Frameworks, folders as `env list` shows them, or 'all'.",
)
def remove(names: Sequence[str]) -> int:
    """Remove environments.

    \b
    Examples:
      d2lbuild env remove mxnet
      d2lbuild env remove pytorch-0b516fe5bab4
      d2lbuild env remove all
    """
    from d2lbuild.execution.environments import environments  # noqa: PLC0415 - slow to import

    home = cache_home()
    there = sorted(path.name for path in (home / "environments").glob("*") if path.is_dir())
    choices = sorted({*there, *(name.rpartition("-")[0] for name in there)})
    if not choices:
        raise UsageError(f"there are no environments in {home}")
    for name in choices if words(names) == ("all",) else known(words(names), choices, "environment"):
        for folder in environments.remove(name, home):
            say(f"removed {folder}")
    return 0


@env.command
@_names
@book_option
@_gpu
def lock(names: Sequence[str], book: Path | None, gpu: bool) -> int:
    """Resolve requirements.in afresh, into the lock.

    \b
    With --gpu: requirements-gpu.in into requirements-gpu.txt, by default of all frameworks that have it.

    \b
    Examples:
      d2lbuild env lock
      d2lbuild env lock pytorch
      d2lbuild env lock --gpu jax
    """
    from d2lbuild.execution.environments import locks  # noqa: PLC0415 - slow to import

    for framework in _frameworks(read_config(book), names):
        if names or not gpu or framework.gpu_requirements is not None:
            say(str(locks.lock(framework, _teller(framework.name), device="gpu" if gpu else "cpu")))
    return 0


@env.command
@click.argument("name", metavar="NAME", help="A framework.")
@tolerance_option
@report_option
@book_option
def upgrade(name: str, *, tolerance: float, report: Path | None, book: Path | None) -> int:
    """Make a new lock of a framework, run its notebooks with it, and show which outputs have changed.

    \b
    The requirements stay: to allow a newer version, change requirements.in first. The new lock stays in the
    book, whatever comes out; results of the old one stay in the cache. Exits with 1 if an output has
    changed or a notebook fails.

    \b
    Examples:
      d2lbuild env upgrade pytorch
      d2lbuild env upgrade jax --report what-changed.html --tolerance 0.01
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.cli.diff import show_comparison  # noqa: PLC0415
    from d2lbuild.cli.progress import PlainProgress  # noqa: PLC0415
    from d2lbuild.comparison.book import compare, state_of  # noqa: PLC0415
    from d2lbuild.execution.environments import locks  # noqa: PLC0415

    config = read_config(book)
    (framework,) = _frameworks(config, [name])
    before = state_of(config, [framework.name])
    if not before.results:
        raise UsageError(
            f"no result of {framework.name} is known that new ones could be compared with",
            hint=f"run `d2lbuild build --framework {framework.name}` first",
        )
    say(str(locks.lock(framework, _teller(framework.name))))
    request = pipeline.BuildRequest((framework.name,), to=(), execute=True)
    built = pipeline.build(config, request, PlainProgress(all_findings=False))
    found = compare(before, state_of(config, [framework.name]), tolerance)
    code = show_comparison(found, config.title, "the old lock", "the new lock", report)
    return int(bool(code or built.failures))


def _frameworks(config: "Config", names: Sequence[str]) -> list["Framework"]:
    choices = [framework.name for framework in config.frameworks]
    wanted = words(names)
    chosen = known(wanted, choices, "framework") if wanted and wanted != ("all",) else tuple(choices)
    return [config.framework(name) for name in chosen]


def _folders(config: "Config | None", home: Path) -> dict[Path, tuple[str, str]] | None:
    """Return which folders hold, or will hold, the environments of a book: each for a framework and a device."""
    from d2lbuild.execution.environments.environments import environment_folder  # noqa: PLC0415 - slow to import

    if config is None:
        return None
    return {
        environment_folder(framework, home, device): (framework.name, device)
        for framework in config.frameworks
        for device, lock_file in (("cpu", framework.lock), ("gpu", framework.gpu_lock))
        if framework.interpreter is None
        and lock_file is not None
        and lock_file.is_file()
        and (framework.is_python or framework.kernel)
    }


def _teller(framework: str) -> Callable[[str], None]:
    """Return a function that shows what uv says about a framework's environment."""
    return lambda line: None if is_detail(line) else note(f"{framework}: {line}")
