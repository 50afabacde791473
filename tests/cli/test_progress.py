from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.cli.progress import MOST_FINDINGS, PlainProgress
from d2lbuild.edition.edition import make_edition
from d2lbuild.execution.needs import needs_of
from d2lbuild.execution.plan import BuildPlan
from d2lbuild.model import Failure, Finding, Severity, Status
from d2lbuild.source.book import load_book
from tests import books
from tests.cli.values import failed_result, known, request, result, skipped_result, to_run

FILES = {"index.md": books.INDEX, "one.md": "# One\n", "two.md": "# Two\n"}


def _findings(number: int, severity: Severity = Severity.WARNING) -> tuple[Finding, ...]:
    return tuple(Finding("odd", f"oddity {index}", severity=severity) for index in range(number))


def test_a_build_in_plain_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with PlainProgress() as progress:
        progress.read(books.book(tmp_path, FILES), _findings(1))
        progress.planned(BuildPlan((known("a/x"),), (known("a/y", failed_result()),), (to_run("a/b"), to_run("a/c"))))
        for line in ("Resolved 2 packages", "", " + torch==2.0"):
            progress.environment("pytorch", line)
        progress.started(request("a/b"))
        progress.finished(request("a/b"), failed_result("first\nsecond"))
        progress.finished(request("a/c", "jax"), known("a/c").result)
        for done in range(3):
            progress.rendering("write", done, 2)
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "warning: oddity 0 [odd]",
        "The Book: 3 sections",
        "notebooks: 2 to run, 1 cached, 1 failed before and unchanged",
        "making the environment of pytorch; this happens once",
        "  Resolved 2 packages",
        "[1/2] pytorch  a/b  1.2 s  cpu  NameError: first",
        "[2/2] jax  a/c  1.2 s  cpu",
        "preparing the pages: 2 pages",
    ]


def test_where_a_notebook_ran_and_what_it_took(capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    progress.planned(BuildPlan((), (), (to_run("a/b"), to_run("a/c"))))
    progress.finished(request("a/b"), replace(result(), memory=3 * 2**29, device="NVIDIA H200"))
    progress.finished(request("a/c"), skipped_result())
    assert capfd.readouterr().err.splitlines()[1:] == [
        "[1/2] pytorch  a/b  1.2 s  1.5 GiB  NVIDIA H200",
        "[2/2] pytorch  a/c  skipped: it needs 1 GPU",
    ]


def test_a_run_that_begins_again_and_what_a_user_should_know(capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    progress.retried(request(), result(status=Status.DIED, failure=Failure(None, "kernel died", "of signal 9\nmore")))
    for _ in range(2):
        progress.note("kernels cannot be forked [here]")
    assert capfd.readouterr().err.splitlines() == [
        "pytorch  a/b  retried: kernel died: of signal 9",
        "note: kernels cannot be forked [here]",
    ]


def test_what_was_guessed_of_a_notebook_is_kept_for_the_end(tmp_path: Path) -> None:
    files = {"one.md": "# One\n\n```{.python .input}\nprint(d2l.try_gpu())\n```\n", "two.md": "# Two\n"}
    config = books.configuration(books.write_book(tmp_path, {"index.md": books.INDEX, **files}))
    guessed = make_edition(config, tuple(load_book(config).sections.values()), "pytorch").notebooks["one"]
    stated = replace(guessed, cells=tuple(replace(cell, needs="uses_gpu=yes", needs_line=3) for cell in guessed.cells))
    progress = PlainProgress()
    for name, one in (("one", guessed), ("two", stated)):
        progress.started(replace(request(name), needs=needs_of(one, config.execution)[0]))
    assert list(progress.guessed) == [("one", "pytorch")]
    assert "try_gpu" in progress.guessed["one", "pytorch"]


def test_how_long_it_took_the_last_time(capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    progress.planned(BuildPlan((), (), (to_run("a", seconds=60.0), to_run("b", seconds=5.0))))
    progress.planned(BuildPlan((), (), (to_run("a", seconds=60.0), to_run("b"))))
    assert capfd.readouterr().err.splitlines() == [
        "notebooks: 2 to run (they took 1 min 05 s the last time), 0 cached",
        "notebooks: 2 to run, 0 cached",
    ]


def test_only_the_first_findings_are_shown_errors_before_warnings(capfd: pytest.CaptureFixture[str]) -> None:
    error = Finding("bad", "it is bad")
    PlainProgress().show_findings((*_findings(5, Severity.NOTE), *_findings(MOST_FINDINGS + 3), error))
    shown = capfd.readouterr().err.splitlines()
    assert shown[0] == "error: it is bad [bad]"
    assert len(shown) == MOST_FINDINGS + 1
    assert shown[-1].startswith("… and 4 more: `d2lbuild check` shows")


def test_a_strict_build_shows_all_findings(capfd: pytest.CaptureFixture[str]) -> None:
    PlainProgress(all_findings=True).show_findings(_findings(MOST_FINDINGS + 3))
    assert len(capfd.readouterr().err.splitlines()) == MOST_FINDINGS + 3


def test_no_finding_is_shown_twice(capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    progress.show_findings(_findings(2))
    progress.show_findings(_findings(3))
    assert [line.split()[2] for line in capfd.readouterr().err.splitlines()] == ["0", "1", "2"]
