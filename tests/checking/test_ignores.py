"""What comments and the configuration say of findings."""

from pathlib import Path, PurePosixPath

from d2lbuild.checking.ignores import settled
from d2lbuild.config import load_config
from d2lbuild.model import Finding, Span
from d2lbuild.source.ignores import Ignore
from tests.books import CONF, write_book

PATH = PurePosixPath("one.md")


def test_a_part_of_a_book_says_nothing_of_comments_that_ignore_nothing(tmp_path: Path) -> None:
    conf = CONF + '\n[check.rules]\nno-such-rule = "off"\n'
    config = load_config(write_book(tmp_path, {"index.md": "# Book\n"}, conf=conf))
    ignores = [Ignore("toc-target", Span(PATH, 1, 1), 1, 2), Ignore("wrong", Span(PATH, 1, 1), 1, 2)]
    here, there = (Finding("toc-target", "lost", Span(PATH, line, line)) for line in (2, 3))
    assert settled(config, [here, there], ignores, names=False, whole=False) == [there]
    assert [one.rule for one in settled(config, [there], ignores)] == [
        "toc-target",
        "unknown-rule",
        "unknown-rule",
        "unused-ignore",
    ]
