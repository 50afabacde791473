"""`d2lbuild release`: everything that readers get, in one folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.messages import note, say
from d2lbuild.cli.options import PATH, book_option, framework_option, known, read_config, words
from d2lbuild.errors import BookError, ConfigError

if TYPE_CHECKING:
    from d2lbuild.config import Config
    from d2lbuild.pipeline import BuildReport

__all__ = ["release"]

_OUTPUTS = ("html", "notebooks", "markdown", "slides", "pdf", "epub")


@click.command
@framework_option
@click.option("--to", metavar="OUTPUT", multiple=True, help="What is released. Default: html, notebooks, pdf and epub.")
@click.option("--execute/--no-execute", default=None, help="As for build.")
@click.option("--output", metavar="DIR", type=PATH, help="The new folder. Default: _build/release/NAME-RELEASE.")
@book_option
def release(
    *,
    framework: Sequence[str],
    to: Sequence[str],
    execute: bool | None,
    output: Path | None,
    book: Path | None,
) -> int:
    """Build everything that readers get, and gather it in one folder.

    \b
    The website and the notebooks as zips, a PDF and an EPUB for each framework, the library as a wheel, the
    locks, SHA256SUMS, and manifest.json, which names the release and the revision. The same book gives the
    same bytes. Builds all frameworks unless --framework says otherwise; nothing is gathered if a notebook
    fails.

    \b
    Examples:
      d2lbuild release
      d2lbuild release --framework pytorch --to html,pdf --no-execute
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.cli.progress import PlainProgress  # noqa: PLC0415
    from d2lbuild.publishing.release import check_is_new, gather  # noqa: PLC0415
    from d2lbuild.revisions import revision_of  # noqa: PLC0415

    config = read_config(book)
    if not config.release:
        raise ConfigError("the book has no release", hint=f'give it one in {config.source.name}: release = "1.0"')
    names = pipeline.select_frameworks(config, words(framework) or ("all",))
    outputs = known(words(to), _OUTPUTS, "output") or ("html", "notebooks", "pdf", "epub")
    folder = (output or config.output / "release" / f"{config.name}-{config.release}").expanduser().absolute()
    check_is_new(folder)
    progress = PlainProgress(all_findings=False)
    built = pipeline.build(config, pipeline.BuildRequest(names, to=outputs, execute=execute), progress)
    progress.show_findings(built.findings)
    if built.failures:
        failed = ", ".join(f"{one.section} ({one.framework})" for one in built.failures)
        raise BookError(f"nothing is released, since notebooks failed: {failed}", hint="see `d2lbuild build`")
    say(str(gather(config, _files(config, names, built), folder, revision_of(config.root))))
    note(f"released {config.name} {config.release}")
    return 0


def _files(config: "Config", names: tuple[str, ...], built: "BuildReport") -> dict[str, Path]:
    """Return the files of the release, by their names in it; folders are packed beside where they lie."""
    from d2lbuild import extraction  # noqa: PLC0415 - slow to import
    from d2lbuild.rendering.reading_kit import write_archive  # noqa: PLC0415
    from d2lbuild.rendering.wheel import write_wheel  # noqa: PLC0415

    stem = f"{config.name}-{config.release}"
    found: dict[str, Path] = {}
    for output, path in built.outputs.items():
        kind = output.split()[0]
        if kind in ("html", "markdown", "slides"):
            site = path if kind == "markdown" else path.parent
            archive = site.parent / f"{stem}-{kind}.zip"
            write_archive(archive, site, [one for one in site.rglob("*") if one.is_file()])
            found[archive.name] = archive
        elif kind == "notebooks":
            found[f"{stem}-notebooks.zip"] = path / f"{config.name}-notebooks.zip"
        else:
            framework = output.partition(" ")[2] or names[0]
            found[f"{stem}-{framework}{path.suffix}"] = path
    wheel, findings = write_wheel(config, extraction.libraries(config, names), config.output / "dist")
    for finding in findings:
        note(finding)
    return found | {wheel.name: wheel}
