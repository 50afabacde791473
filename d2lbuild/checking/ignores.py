"""What becomes of findings: what the configuration says of their rules, and what comments ignore."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from d2lbuild.checking.files import found
from d2lbuild.checking.rules import RULES, Stage
from d2lbuild.config import Config
from d2lbuild.config.types import Check
from d2lbuild.model import Finding, Severity, Span
from d2lbuild.source.ignores import Ignore

__all__ = ["level", "settled", "unknown_rule"]


def settled(
    config: Config,
    findings: Iterable[Finding],
    ignores: Sequence[Ignore],
    *,
    names: bool = True,
    whole: bool = True,
) -> list[Finding]:
    """Return the findings that are to be shown, with the severity that the book gives them.

    Unknown `names` of rules are found too, and comments that ignore nothing if the `whole` book was looked at.
    """
    used: set[Ignore] = set()
    kept = list(_not_ignored(findings, ignores, used))
    if names:
        kept += _wrong_names(config, ignores)
    if whole:
        kept += _unused(ignores, used)
    return [one for finding in kept if (one := level(config.check, finding))]


def level(check: Check, finding: Finding) -> Finding | None:
    """Return a finding as severe as the configuration has it; None if its rule is off."""
    chosen = check.rules.get(finding.rule)
    if chosen is None:
        rule = RULES.get(finding.rule)
        return None if rule and rule.severity is None else finding
    return None if chosen == "off" else replace(finding, severity=Severity(chosen))


def _not_ignored(findings: Iterable[Finding], ignores: Sequence[Ignore], used: set[Ignore]) -> Iterator[Finding]:
    by_rule: dict[tuple[str, object], list[Ignore]] = {}
    for ignore in ignores:
        by_rule.setdefault((ignore.rule, ignore.span.path), []).append(ignore)
    for finding in findings:
        span = finding.span
        near = by_rule.get((finding.rule, span.path), ()) if span else ()
        fitting = [one for one in near if span and _covers(one, span)]
        used.update(fitting)
        if not fitting:
            yield finding


def _covers(ignore: Ignore, span: Span) -> bool:
    return ignore.first <= span.first and (ignore.last is None or span.first <= ignore.last)


def _wrong_names(config: Config, ignores: Iterable[Ignore]) -> Iterator[Finding]:
    for name in config.check.rules:
        if name not in RULES:
            yield found("unknown-rule", f"there is no rule '{name}'", config.check.places[name], unknown_rule(name))
    for ignore in ignores:
        if ignore.rule not in RULES:
            yield found("unknown-rule", f"there is no rule '{ignore.rule}'", ignore.span, unknown_rule(ignore.rule))


def unknown_rule(name: str) -> str:
    """Return a hint that names the nearest rule."""
    near = get_close_matches(name, RULES, n=1)
    return f"did you mean '{near[0]}'?" if near else "`d2lbuild check --rules` shows all of them"


def _unused(ignores: Iterable[Ignore], used: set[Ignore]) -> Iterator[Finding]:
    for ignore in ignores:
        rule = RULES.get(ignore.rule)
        if rule and rule.stage is Stage.CHECK and rule.severity is not None and ignore not in used:
            message = f"'{ignore.rule}' is ignored here, and there is none"
            yield found("unused-ignore", message, ignore.span, "remove the name, or the comment")
