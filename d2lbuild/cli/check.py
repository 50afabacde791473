"""`d2lbuild check`: everything that can be found wrong without running anything."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild import unchanged
from d2lbuild.cli.github import folder_in_repository
from d2lbuild.cli.messages import columns, counted, diff_text, note, say
from d2lbuild.cli.options import PATH, book_of, book_option, known, words
from d2lbuild.errors import UsageError
from d2lbuild.execution.home import cache_home
from d2lbuild.garbage import without_collections
from d2lbuild.model import Finding, Severity

if TYPE_CHECKING:
    from d2lbuild.config import Config

__all__ = ["check"]


@click.command
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=PATH, help="Show findings of these files or folders only.")
@book_option
@click.option("--format", "style", metavar="FORMAT", default="text", help="text, json, sarif or github.")
@click.option("--select", metavar="RULE", multiple=True, help="Show only these rules, also those that are off.")
@click.option("--ignore", metavar="RULE", multiple=True, help="Do not show these rules.")
@click.option("--rules", is_flag=True, help="Show all rules, and how severe they are in this book.")
@click.option("--fix", is_flag=True, help="Mend in the sources what is certain.")
@click.option("--diff", is_flag=True, help="With --fix: show what would be mended, and write nothing.")
@click.option("--links", is_flag=True, help="Also ask other sites whether they have what links name.")
@click.pass_obj
def check(
    arguments: Sequence[str],
    *,
    paths: Sequence[Path],
    book: Path | None,
    style: str,
    select: Sequence[str],
    ignore: Sequence[str],
    rules: bool,
    fix: bool,
    diff: bool,
    links: bool,
) -> int:
    """Say what is wrong with the book: file, line and column.

    \b
    Looks at labels, references, citations, images, the table of contents, framework names, blocks that
    are never closed, the syntax of code, the library and the names that code takes from it, in all
    frameworks, and at prose. Runs nothing. Exits with 1 if there is an error.

    \b
    Examples:
      d2lbuild check
      d2lbuild check chapters/intro.md            only what is wrong there
      d2lbuild check --rules                      what it looks for
      d2lbuild check --fix --diff                 what it could mend by itself
      d2lbuild check --format sarif > check.sarif
    """
    from d2lbuild.checking.formats import FORMATS  # noqa: PLC0415 - `--help` is to be quick
    from d2lbuild.checking.rules import RULES  # noqa: PLC0415
    from d2lbuild.cli.kept_config import config_and_facts  # noqa: PLC0415
    from d2lbuild.cli.read_files import MANY, files_read  # noqa: PLC0415

    (style,) = known([style], FORMATS, "format")
    chosen = known(words(select), list(RULES), "rule")
    ignored = known(words(ignore), list(RULES), "rule")
    if diff and not fix:
        raise UsageError("--diff shows what --fix would do", hint="add --fix")
    if rules:
        return _show_rules(book)
    config, facts = config_and_facts(book_of(book))
    inputs = facts if style == "text" and not (fix or links) else None
    places = [_place(path, config) for path in paths]

    def findings(now: "Config") -> list[Finding]:
        return [one for one in _found(now, chosen, links=links) if _wanted(one, chosen, ignored, places)]

    found = findings(config)
    if fix:
        from d2lbuild.checking.fixing import fix_book  # noqa: PLC0415

        fixed = fix_book(config, found)
        if diff:
            for one in fixed:
                say(diff_text(one.diff))
            return int(bool(fixed))
        for one in fixed:
            one.write(config.root)
            note(f"{one.path}: mended")
        found = findings(config) if fixed else found
    _show(found, style, config)
    code = int(any(finding.severity is Severity.ERROR for finding in found))
    if inputs is not None and len(inputs) <= MANY and unchanged.facts_of(files_read(config)) == inputs:
        out = tuple(map(str, found))
        unchanged.note(cache_home(), arguments, inputs, unchanged.Record(out, (_summary(found),), code))
    return code


def _summary(findings: Sequence[Finding]) -> str:
    return counted(findings) or "nothing is wrong"


def _found(config: "Config", chosen: Sequence[str], *, links: bool) -> Sequence[Finding]:
    from d2lbuild.checking.book import check_book  # noqa: PLC0415
    from d2lbuild.checking.kept import KeptFindings, kept_findings  # noqa: PLC0415
    from d2lbuild.checking.rules import RULES  # noqa: PLC0415

    more = {name: "note" for name in chosen if RULES[name].severity is None and name not in config.check.rules}
    if more:
        config = replace(config, check=replace(config.check, rules={**config.check.rules, **more}))
    with without_collections(freeze=True):
        kept = KeptFindings() if more else kept_findings(config)  # what is asked for once is not kept
        found = check_book(config, kept, links=links)
        kept.save()
        return found


def _wanted(finding: Finding, chosen: Sequence[str], ignored: Sequence[str], places: Sequence[Path]) -> bool:
    if (chosen and finding.rule not in chosen) or finding.rule in ignored:
        return False
    if not places:
        return True
    return finding.span is not None and any(Path(finding.span.path).is_relative_to(place) for place in places)


def _place(path: Path, config: "Config") -> Path:
    """Return a file or folder of the command line as findings name it: below the book's root."""
    for base in (Path.cwd(), config.root):
        whole = Path(os.path.abspath(base / path.expanduser()))  # noqa: PTH100 - symbolic links keep their names
        if whole.exists():
            return whole.relative_to(config.root) if whole.is_relative_to(config.root) else whole
    raise UsageError(f"there is no file or folder {path}")


def _show(findings: Sequence[Finding], style: str, config: "Config") -> None:
    if style == "text":
        for finding in findings:
            say(finding)
        note(_summary(findings))
        return
    from d2lbuild import __version__  # noqa: PLC0415
    from d2lbuild.checking.formats import as_github, as_json, as_sarif  # noqa: PLC0415

    folder = folder_in_repository(config.root)
    if style == "json":
        text = as_json(findings, folder)
    else:
        text = as_sarif(findings, __version__, folder) if style == "sarif" else as_github(findings, folder)
    sys.stdout.write(f"{text}\n" if text else "")


def _show_rules(book: Path | None) -> int:
    from d2lbuild.checking.rules import RULES  # noqa: PLC0415
    from d2lbuild.cli.options import config_if_any  # noqa: PLC0415

    config = config_if_any(book)
    chosen = config.check.rules if config else {}
    rows = [("rule", "severity", "found by", "--fix", "what it finds")]
    for rule in RULES.values():
        level = chosen.get(rule.name, rule.level)
        rows.append((rule.name, level, rule.stage.value, "yes" if rule.fixable else "", rule.text))
    say(columns(rows))
    return 0
