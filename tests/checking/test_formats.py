"""Findings for other programs."""

import json
from pathlib import PurePosixPath

from d2lbuild.checking.formats import as_github, as_json, as_sarif
from d2lbuild.checking.rules import RULES
from d2lbuild.model import Finding, Severity, Span

PATH = PurePosixPath("chapters/a b,ö%.md")
FINDINGS = (
    Finding("undefined-label", "undefined label 'x'\n100%", Span(PATH, 3, 4, 5), hint="did you mean 'y'?"),
    Finding("image-alt", "no text", Span(PATH, 7, 7), Severity.NOTE),
    Finding("not-registered", "nowhere", None, Severity.WARNING),
)


def test_json() -> None:
    first, second, third = json.loads(as_json(FINDINGS, "book/"))
    assert first == {
        "rule": "undefined-label",
        "severity": "error",
        "message": "undefined label 'x'\n100%",
        "hint": "did you mean 'y'?",
        "path": "book/chapters/a b,ö%.md",
        "line": 3,
        "column": 5,
        "last_line": 4,
    }
    assert (second["column"], second["hint"]) == (None, None)
    assert (third["path"], third["line"]) == (None, None)
    assert json.loads(as_json([])) == []


def test_github_escapes_what_has_a_meaning() -> None:
    place = "file=book/chapters/a b%2Cö%25.md,line=3,col=5,title=undefined-label"
    assert as_github(FINDINGS, "book/").split("\n") == [
        f"::error {place}::undefined label 'x'%0A100%25 (did you mean 'y'?)",
        "::notice file=book/chapters/a b%2Cö%25.md,line=7,title=image-alt::no text",
        "::warning title=not-registered::nowhere",
    ]
    assert as_github([]) == ""


def test_sarif_names_rules_and_places() -> None:
    log = json.loads(as_sarif(FINDINGS, "1.2", "book/"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning", "note", "none"}
    assert run["columnKind"] == "unicodeCodePoints"
    first, second, third = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "undefined-label"
    (place,) = first["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "book/chapters/a%20b%2C%C3%B6%25.md"},
        "region": {"startLine": 3, "startColumn": 5, "endLine": 4},
    }
    assert second["level"] == "note"
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
    assert "locations" not in third
    assert "ruleIndex" not in third
