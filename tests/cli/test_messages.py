from pathlib import PurePosixPath

import pytest

from d2lbuild.cli.messages import (
    columns,
    complain,
    counted,
    diff_text,
    finding_text,
    is_detail,
    serious,
)
from d2lbuild.model import Finding, Severity, Span

PLACE = Span(PurePosixPath("a.md"), 3, 4, 7)
ERROR = Finding("bad", "it is [bold]bad[/bold]", PLACE, hint="do better")
WARNING = Finding("odd", "it is odd", severity=Severity.WARNING)
NOTE = Finding("so", "it is so", severity=Severity.NOTE)


@pytest.mark.parametrize("finding", [ERROR, WARNING, NOTE])
def test_a_finding_reads_as_it_does_everywhere(finding: Finding) -> None:
    assert finding_text(finding).plain == str(finding)


def test_colours_only_on_a_terminal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    complain("no", findings=[ERROR])
    assert capfd.readouterr().err == f"error: no\n  {ERROR}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    complain("no", findings=[ERROR])
    assert "\x1b[1;31merror" in capfd.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    complain("no", findings=[ERROR])
    assert "\x1b[31m" not in capfd.readouterr().err


def test_long_lines_are_left_to_the_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    complain("word " * 50)
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_what_counts() -> None:
    assert serious([NOTE, WARNING, ERROR, WARNING]) == [ERROR, WARNING, WARNING]
    assert counted([NOTE, WARNING, ERROR, WARNING]) == "1 error, 2 warnings, 1 note"
    assert counted([]) == ""


def test_columns_are_as_wide_as_they_look() -> None:
    shown = columns([("name", "x"), ("线性", "1"), ("long name", "")]).plain
    assert shown.splitlines() == ["name       x", "线性       1", "long name"]


def test_lines_of_uv_that_only_name_a_package() -> None:
    assert is_detail(" + torch==2.0")
    assert is_detail("")
    assert not is_detail("Installed 90 packages in 3.2s")


def test_a_diff_keeps_its_lines() -> None:
    text = diff_text(["--- a\n", "+++ b\n", "@@ -1 +1 @@\n", "-old\n", "+new"])
    assert text.plain == "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new"
    assert [str(span.style) for span in text.spans] == ["bold", "bold", "cyan", "red", "green"]
