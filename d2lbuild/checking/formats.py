"""Findings for other programs: as JSON, as SARIF 2.1.0, and as commands of GitHub's workflows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from d2lbuild.checking.rules import RULES
from d2lbuild.model import Finding, Severity

__all__ = ["FORMATS", "as_github", "as_json", "as_sarif"]

FORMATS = ("text", "json", "sarif", "github")
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_COMMANDS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_json(findings: Iterable[Finding], folder: str = "") -> str:
    """Return a list of findings; what is not known is null. `folder` is put before each path."""
    return json.dumps([_entry(one, folder) for one in findings], ensure_ascii=False, indent=2)


def _entry(finding: Finding, folder: str) -> dict[str, object]:
    span = finding.span
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint or None,
        "path": f"{folder}{span.path}" if span else None,
        "line": span.first if span else None,
        "column": (span.column or None) if span else None,
        "last_line": span.last if span else None,
    }


def as_github(findings: Iterable[Finding], folder: str = "") -> str:
    """Return a command for each finding, which GitHub shows beside the line."""
    return "\n".join(_command(one, folder) for one in findings)


def _command(finding: Finding, folder: str) -> str:
    properties: dict[str, object] = {}
    if finding.span:
        properties |= {"file": f"{folder}{finding.span.path}", "line": finding.span.first}
        if finding.span.column:
            properties["col"] = finding.span.column
    properties["title"] = finding.rule
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {told}::{_data(_sentence(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sentence(finding: Finding) -> str:
    return f"{finding.message} ({finding.hint})" if finding.hint else finding.message


def as_sarif(findings: Sequence[Finding], version: str, folder: str = "") -> str:
    """Return a log of SARIF 2.1.0 with all rules."""
    index = {name: number for number, name in enumerate(RULES)}
    driver = {
        "name": "d2lbuild",
        "semanticVersion": version,
        "rules": [
            {
                "id": rule.name,
                "shortDescription": {"text": rule.text},
                "defaultConfiguration": {
                    "enabled": rule.severity is not None,
                    "level": rule.severity.value if rule.severity else "none",
                },
            }
            for rule in RULES.values()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, index, folder) for one in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _result(finding: Finding, index: Mapping[str, int], folder: str) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "level": finding.severity.value,
        "message": {"text": _sentence(finding)},
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if span := finding.span:
        region = {"startLine": max(span.first, 1)}
        if span.column:
            region["startColumn"] = span.column
        if span.last > span.first:
            region["endLine"] = span.last
        place = {"artifactLocation": {"uri": quote(f"{folder}{span.path}")}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    return result
