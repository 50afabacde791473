import base64
import datetime
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from d2lbuild.building import NotebookReport
from d2lbuild.cli.github import tell_github
from d2lbuild.errors import UsageError
from d2lbuild.model import Failure, Status
from d2lbuild.reporting.account import Account, counts
from d2lbuild.reporting.findings import failures_as_findings, sarif
from d2lbuild.reporting.html_page import html_page
from d2lbuild.reporting.junit import junit
from d2lbuild.reporting.summary import markdown_summary
from d2lbuild.reporting.writing import check_reports, write_report
from tests.cli.values import code, failed_result, reported, result, skipped_result

MADE = datetime.datetime(2026, 11, 20, 19, 30, 5, tzinfo=datetime.UTC)
NASTY = "</pre><script>alert(1)</script> & \x00\x1b[31mred\x1b[0m \ud800 <!-- ]]> \u0085 线性"
CELL = code("one = 1\ntwo = <2>", 11)


def _account(*notebooks: NotebookReport, **changes: Any) -> Account:
    values: dict[str, Any] = {
        "title": "A <Book>",
        "release": "1.0",
        "notebooks": notebooks,
        "seconds": 75.0,
        "made": MADE,
    }
    return Account(**(values | changes))


def _failed(**changes: Any) -> NotebookReport:
    failure = Failure(0, "ValueError", NASTY, f"Traceback\n{NASTY}", line=2)
    return reported("a/b", result(2.5, Status.FAILED, failure), cells=(CELL, code("three", 20)), **changes)


def _mixed(**changes: Any) -> Account:
    return _account(
        reported("a/done", memory=2**30, device="GPU 0", expected=1.0, versions={"torch": "2.13.0"}),
        reported("a/cached", cached=True),
        _failed(warnings=("it wrote /etc/<x>",)),
        reported("a/died", result(status=Status.DIED, failure=Failure(None, "kernel died", "of signal 9")), attempts=2),
        reported("a/b", skipped_result(), framework="jax"),
        **changes,
    )


def test_each_notebook_is_counted_once() -> None:
    numbers = counts(_mixed().notebooks)
    assert (numbers.total, numbers.run, numbers.cached, numbers.skipped) == (5, 3, 1, 1)
    assert (numbers.failed, numbers.retried) == (2, 1)


# --- JUnit ---


def _suites(account: Account) -> ET.Element:
    return ET.fromstring(junit(account).encode())


def test_a_suite_a_framework_and_a_case_a_notebook() -> None:
    root = _suites(_mixed())
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "6.250",
    }
    assert [(suite.get("name"), suite.get("tests"), suite.get("timestamp")) for suite in root] == [
        ("pytorch", "4", "2026-11-20T19:30:05"),
        ("jax", "1", "2026-11-20T19:30:05"),
    ]
    cases = [(case.get("classname"), case.get("name"), case.get("time")) for case in root.iter("testcase")]
    assert cases[0] == ("pytorch", "a/done", "1.250")
    assert cases[-1] == ("jax", "a/b", "0.000")


def test_how_notebooks_ended() -> None:
    done, cached, failed, died, skipped = _suites(_mixed()).iter("testcase")
    assert [child.tag for child in done] == [child.tag for child in cached] == ["properties"]
    assert [child.tag for child in failed] == ["properties", "failure", "system-out", "system-err"]
    assert [child.tag for child in died] == ["properties", "error"]
    assert [child.tag for child in skipped] == ["properties", "skipped"]
    assert (failed.get("file"), failed.get("line")) == ("chapters/a/b.md", "12")
    assert (died.get("file"), died.get("line")) == ("chapters/a/b.md", None)
    assert skipped[1].get("message") == "it needs 1 GPU"


def test_a_failure_shows_its_code_and_its_traceback() -> None:
    failed = next(_suites(_account(_failed())).iter("testcase"))
    failure, out = failed.find("failure"), failed.find("system-out")
    assert failure is not None
    assert out is not None
    assert failure.get("type") == "ValueError"
    assert failure.text is not None
    first, *lines = failure.text.splitlines()
    assert first.startswith("chapters/a/b.md:12: ValueError: </pre>")
    assert lines[-2:] == ["     11 | one = 1", ">    12 | two = <2>"]
    assert (out.text or "").startswith("Traceback\n")


def test_what_a_notebook_took_and_where() -> None:
    properties = [
        {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in _suites(_mixed()).iter("testcase")
    ]
    assert properties[0] == {
        "cached": "false",
        "device": "GPU 0",
        "memory": "1073741824",
        "expected": "1.000",
        "finished": "2026-01-01T00:00:00+00:00",
        "version.torch": "2.13.0",
    }
    assert properties[1]["cached"] == "true"
    assert properties[3]["attempts"] == "2"


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    text = junit(_account(_failed()))
    assert not set(text) & {"\x00", "\x1b", "\ud800"}
    assert "[31m" not in text
    (out,) = ET.fromstring(text.encode()).iter("system-out")
    assert out.text == "Traceback\n</pre><script>alert(1)</script> & red  <!-- ]]> \u0085 线性"


def test_required_notebooks_fail_when_skipped() -> None:
    root = _suites(_account(reported("a", skipped_result()), require_all=True))
    assert (root.get("failures"), root.get("skipped")) == ("1", "0")
    assert [one.get("message") for one in root.iter("failure")] == ["it needs 1 GPU"]


def test_no_notebook_is_a_report_too() -> None:
    assert _suites(_account()).get("tests") == "0"
    assert "No notebook was run." in html_page(_account())


# --- the page ---


class _Elements(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_well_formed_and_loads_nothing() -> None:
    page = _Elements(html_page(_mixed()))
    assert page.open == []
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "base", "form"}
    for _, attributes in page.tags:
        assert not {"src", "href", "style", "srcset"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)


def test_the_policy_of_a_page_allows_its_style_alone() -> None:
    text = html_page(_mixed())
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert not re.search(r"url\(|@import|https?:", style)
    assert "prefers-color-scheme: dark" in style


def test_what_failed_comes_first_and_the_longest_of_each_kind() -> None:
    slow = reported("a/slow", seconds=100.0)
    text = html_page(replace(_mixed(), notebooks=(*_mixed().notebooks, slow)))
    rows = re.findall(r'<tbody class="notebook (\w+) (f\d)"><tr><td>.*?<th scope="row">([^<]*)', text)
    assert rows == [
        ("failed", "f0", "a/b"),
        ("failed", "f0", "a/died"),
        ("skipped", "f1", "a/b"),
        ("run", "f0", "a/slow"),
        ("run", "f0", "a/done"),
        ("cached", "f0", "a/cached"),
    ]


def test_the_code_and_traceback_of_a_failure_are_folded_and_harmless() -> None:
    text = html_page(_account(_failed()))
    assert "<script" not in text
    assert not set(text) & {"\x00", "\x1b", "\ud800"}
    (details,) = re.findall(r"<details>.*?</details>", text, re.DOTALL)
    assert "<summary>cell 1 of 2: code and traceback</summary>" in details
    assert '<span class="line"><i>11</i>one = 1\n</span>' in details
    assert '<span class="line failing"><i>12</i>two = &lt;2&gt;\n</span>' in details
    assert "Traceback\n&lt;/pre&gt;&lt;script&gt;" in details
    assert "<code>chapters/a/b.md:12</code> <b>ValueError</b>: &lt;/pre&gt;" in text


def test_reasons_warnings_dates_and_versions() -> None:
    text = html_page(_mixed())
    assert "<p>it needs 1 GPU</p>" in text
    assert '<p class="warning">it wrote /etc/&lt;x&gt;</p>' in text
    assert "2026-11-20 19:30 UTC" in text
    assert "built in 1 min 15 s" in text
    assert "torch 2.13.0" in text
    assert "<h1>A &lt;Book&gt;</h1>" in text


# --- files ---


@pytest.mark.parametrize("name", ["junit.xml", "new/REPORT.HTML"])
def test_reports_replace_what_was_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    check_reports([path])
    path.write_text("old")
    write_report(path, _mixed())
    assert "a/cached" in path.read_text(encoding="utf-8")
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["report", "report.json", "folder.xml", "file/report.xml"])
def test_what_cannot_be_written_is_said_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.xml").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        check_reports([tmp_path / name])
    assert caught.value.hint


def test_a_failure_whose_line_is_unknown_stands_at_the_first_of_its_cell() -> None:
    outcome = replace(failed_result(), status=Status.TIMEOUT, failure=Failure(0, "timeout", "longer than 3 s"))
    (case,) = _suites(_account(reported(outcome=outcome, cells=(CELL,)))).iter("testcase")
    assert case.get("line") == "11"
    assert ">" not in (case.findtext("failure") or "").replace("<2>", "")


# --- Markdown and SARIF -----------------------------------------------------------------------------------------------


def test_a_summary_says_what_failed_and_where() -> None:
    text = markdown_summary(_mixed())
    assert text.startswith(
        "## A &lt;Book>: 5 notebooks\n\n3 run, 1 from the cache, **2 failed**, 1 skipped; 1 min 15 s"
    )
    assert "| `chapters/a/b.md:12` | pytorch | **ValueError** " in text
    assert "**kernel died** of signal 9" in text
    assert "<script" not in text
    assert "1 notebook skipped" in text
    assert "| slowest | framework | time |" in text


def test_failures_are_findings_at_their_lines() -> None:
    first, second = failures_as_findings(_mixed().notebooks)
    assert (str(first.span), first.rule) == ("chapters/a/b.md:12", "notebook-failed")
    assert first.message.startswith("pytorch: ValueError: ")
    assert second.message == "pytorch: kernel died: of signal 9"
    log = json.loads(sarif(_mixed(folder="book/")))
    places = [one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"] if "locations" in one]
    assert places[0]["artifactLocation"]["uri"] == "book/chapters/a/b.md"
    assert places[0]["region"]["startLine"] == 12


def test_github_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    tell_github(_mixed())
    assert "::error file=chapters/a/b.md,line=12,title=notebook-failed::pytorch: ValueError" in capsys.readouterr().err
    assert page.read_text("utf-8") == markdown_summary(_mixed())
