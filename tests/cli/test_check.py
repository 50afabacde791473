import json
from pathlib import Path

import pytest

from d2lbuild.checking import book as checking_book
from d2lbuild.checking.rules import RULES
from tests.cli.conftest import Run


def test_a_sound_book(run: Run, book: Path) -> None:
    told = run("check")
    assert (told.code, told.out, told.err) == (0, "", "nothing is wrong\n")


def test_errors_have_file_and_line_and_fail(run: Run, book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\nSee :numref:`sec_no`.\n")
    told = run("check")
    assert told.code == 1
    assert told.out.startswith("chapters/two.md:3:5: error: undefined label 'sec_no'")
    assert told.out.endswith("[undefined-label]\n")
    assert told.err == "1 error\n"


def test_another_book(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(book.parent)
    assert run("check", "--book", book.name).code == 0
    assert run("check").code == 2
    assert run("check", "--book", str(book / "chapters")).code == 2


def test_a_wrong_configuration(run: Run, book: Path) -> None:
    conf = book / "conf" / "book.toml"
    conf.write_text(conf.read_text().replace("title =", "titel ="))
    told = run("check")
    assert told.code == 2
    assert "conf/book.toml:3" in told.err
    assert "`title`" in told.err
    assert "Traceback" not in told.err


def test_writes_nothing_into_the_book(run: Run, book: Path) -> None:
    before = sorted(book.rglob("*"))
    run("check")
    assert sorted(book.rglob("*")) == before


def test_findings_of_some_files_alone(run: Run, book: Path) -> None:
    (book / "chapters" / "one.md").write_text("# One\n\n:numref:`a`\n")
    (book / "chapters" / "two.md").write_text("# Two\n\n:numref:`b`\n")
    assert run("check").err == "2 errors\n"
    for path in ("chapters/two.md", str(book / "chapters" / "two.md")):
        told = run("check", path)
        assert told.out.startswith("chapters/two.md:3:1: error: undefined label 'b'")
        assert told.err == "1 error\n"
    assert run("check", "conf").code == 0
    assert run("check", "chapters").code == 1
    assert run("check", "chapters/three.md").code == 2


def test_rules_are_chosen(run: Run, book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\nThe the :numref:`b` is is.")
    assert run("check", "--select", "undefined-label,final-newline").err == "1 error, 1 note\n"
    told = run("check", "--ignore", "undefined-label,repeated-word")
    assert (told.code, told.err) == (0, "nothing is wrong\n")
    told = run("check", "--select", "undefined-labels")
    assert told.code == 2
    assert "did you mean 'undefined-label'?" in told.err


def test_the_configuration_decides_about_rules(run: Run, book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\nThis is :numref:`b` in a data set.\n")
    conf = book / "conf" / "book.toml"
    settings = '\n[check.rules]\nundefined-label = "note"\nrepeated-wrod = "off"\n'
    words = '[check.words]\n"data set" = { message = "one word", replacement = "dataset" }\n'
    conf.write_text(conf.read_text() + settings + words)
    told = run("check")
    assert told.code == 0
    assert told.out.splitlines() == [
        "conf/book.toml:12: warning: there is no rule 'repeated-wrod' (did you mean 'repeated-word'?) [unknown-rule]",
        "chapters/two.md:3:9: note: undefined label 'b' (no label has this name) [undefined-label]",
        "chapters/two.md:3:26: warning: 'data set': one word (write 'dataset') [words]",
    ]
    conf.write_text(conf.read_text().replace('"off"', '"of"'))
    told = run("check")
    assert told.code == 2
    assert "conf/book.toml:12" in told.err


def test_mending(run: Run, book: Path) -> None:
    two = book / "chapters" / "two.md"
    two.write_bytes(b"\xef\xbb\xbf# Two\r\n\r\nSee the the text \xff\n".replace(b" \xff", b""))
    shown = run("check", "--fix", "--diff")
    assert shown.code == 1
    assert "+See the text" in shown.out
    assert two.read_bytes().startswith(b"\xef")
    told = run("check", "--fix")
    assert told.code == 0
    assert told.err == "chapters/two.md: mended\nnothing is wrong\n"
    assert two.read_bytes() == b"# Two\r\n\r\nSee the text\r\n"
    assert run("check", "--fix", "--diff").code == 0
    assert run("check", "--diff").code == 2


def test_all_rules_are_shown(run: Run, book: Path) -> None:
    told = run("check", "--rules")
    assert told.code == 0
    lines = told.out.splitlines()
    assert len(lines) == len(RULES) + 1
    assert any(line.startswith("undefined-label") and " error " in line for line in lines)


def test_formats(run: Run, book: Path) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\nSee :numref:`sec_no`.\n")
    (entry,) = json.loads(run("check", "--format", "json").out)
    assert (entry["rule"], entry["path"], entry["line"], entry["column"]) == (
        "undefined-label", "chapters/two.md", 3, 5
    )  # fmt: skip
    assert json.loads(run("check", "--format", "sarif").out)["version"] == "2.1.0"
    told = run("check", "--format", "github")
    assert told.code == 1
    assert told.out.startswith("::error file=chapters/two.md,line=3,col=5,title=undefined-label::undefined label")
    assert run("check", "--format", "xml").code == 2


def test_paths_for_other_programs_begin_where_we_are(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (book / "chapters" / "two.md").write_text("# Two\n\nSee :numref:`sec_no`.\n")
    monkeypatch.chdir(book.parent)
    (entry,) = json.loads(run("check", "--book", book.name, "--format", "json").out)
    assert entry["path"] == f"{book.name}/chapters/two.md"


def test_an_unchanged_book_is_not_looked_at_again(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = book / "chapters" / "two.md"
    two.write_text("# Two\n\nSee :numref:`sec_no`.\n")
    first = run("check")

    def never(*_: object, **options: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(checking_book, "check_book", never)
        assert run("check") == first
    two.write_text("# Two\n\nSee that.\n")
    assert run("check").out == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("line_length = 0", "`line_length`"),
        ("[check.rules]\nwords = 'loud'", "`rules.words`"),
        ("[check.words]\n'(' = 'x'", "is not a usable regular expression"),
        ("[check.words]\n'a*' = 'x'", "fits where there is nothing"),
        ("[check.words]\n'a' = { replacement = 'b' }", "message` is missing"),
        ("[check.words]\n'(a)' = { message = 'no', replacement = '\\2' }", "is not a usable regular expression"),
    ],
)
def test_settings_that_cannot_be(run: Run, book: Path, settings: str, said: str) -> None:
    conf = book / "conf" / "book.toml"
    conf.write_text(conf.read_text() + f"\n[check]\n{settings}\n")
    told = run("check")
    assert told.code == 2
    assert said in told.err
