"""What a book says in messages and reports does nothing to the terminal, the workflow or the browser that shows it."""

import json
from pathlib import Path, PurePosixPath

import pytest
from rich.text import Text

from d2lbuild.checking.formats import as_github, as_json, as_sarif
from d2lbuild.cli import main
from d2lbuild.cli.messages import complain, finding_text, harmless, note, say
from d2lbuild.model import Finding, Span
from tests.books import write_book
from tests.hard_use.conftest import Machine

ESCAPES = ["\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m", "\x08\x08", "\r", "\x7f", "\x0e"]
TURNED = ["\u202e", "\u2066", "\u2069"]
COMMANDS = ["::set-env name=PATH::/evil", "  ::add-mask::x", "::stop-commands::x", "##[error]x", "a ##[add-path]x"]


@pytest.mark.parametrize("sign", [*ESCAPES, *TURNED])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_terminal_is_told_nothing(
    sign: str, as_text: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    text = f"before{sign}after"
    say(Text(text, "red") if as_text else text)
    found = capfd.readouterr().out
    assert sign not in found
    assert "before" in found
    assert "after" in found
    assert ("\x1b[31m" in found) is as_text


def test_text_keeps_its_lines_and_its_letters() -> None:
    assert harmless("a\tb\nc 线性 é 🚢") == "a\tb\nc 线性 é 🚢"
    assert harmless("\x1b[31m") == "␛[31m"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_workflow_is_told_nothing(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    finding = Finding("odd", f"it says\n{command}\nand more", Span(PurePosixPath("a.md"), 1, 1))
    complain(command, findings=[finding])
    note(finding_text(finding))
    say(command)
    out, err = capfd.readouterr()
    for line in (out + err).splitlines():
        assert not line.strip().startswith("::")
        assert "##[" not in line


@pytest.mark.parametrize("command", COMMANDS)
def test_findings_for_a_workflow_are_one_command_each(command: str) -> None:
    span = Span(PurePosixPath(f"a\n{command},line=9.md"), 1, 1)
    made = as_github([Finding("odd", f"it says\n{command}\r\n{command}", span, hint=f"\n{command}")])
    assert made.count("\n") == 0
    assert made.startswith("::error file=a%0A")
    assert made.count("line=") == 2
    assert ",line=1,title=odd::" in made
    (entry,) = json.loads(as_json([Finding("odd", command, span)]))
    assert entry["message"] == command
    (run,) = json.loads(as_sarif([Finding("odd", command, span)], "1"))["runs"]
    assert run["results"][0]["message"]["text"] == command


def test_a_book_with_such_names_is_checked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = "\x1b[31mred\u202e"
    text = f"# {name}\n\n:ref:`{name}` :{{}}:`x` ![a](\x1b]0;x\x07.png)\n"
    write_book(tmp_path, {"index.md": f"# {name}\n\n```toc\n{name}\nmissing{name}\n```\n", f"{name}.md": text})
    assert main(["check", "--book", str(tmp_path)]) == 1
    out, err = capfd.readouterr()
    assert "␛[31mred" in out + err
    assert not {"\x1b", "\u202e", "\x07"} & {*out, *err}


NAMES = ["-rf", "--help", "$(id)", "`id`", "a;id", "a'b", "a%sb", "a|b", "a&b", "a*b", "{a}", "~", "線性"]


@pytest.mark.integration
def test_names_with_a_meaning_for_shells_are_names(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(machine.outside)
    before = sorted(machine.outside.iterdir())
    text = "# Section {}\n\n![Picture](<img/{}.svg>)\n"
    sections: dict[str, str | bytes] = {f"{name}.md": text.format(n, name) for n, name in enumerate(NAMES)}
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>"
    pictures: dict[str, str | bytes] = {f"img/{name}.svg": drawing for name in NAMES}
    machine.write(sections)
    machine.write({"index.md": (machine.root / "chapters" / "index.md").read_text("utf-8"), **pictures})
    report = machine.build("html", "notebooks", "markdown")
    html = machine.root / "_build" / "pytorch" / "html"
    made = {path.stem for path in html.glob("*.html")}
    assert {*NAMES} <= made, {*NAMES} - made
    assert report.outputs
    assert sorted(machine.outside.iterdir()) == before
