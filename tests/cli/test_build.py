from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild import pipeline
from d2lbuild.config import Config
from d2lbuild.execution.plan import BuildPlan
from d2lbuild.model import Finding, Severity
from d2lbuild.pipeline import BuildReport, BuildRequest, Observer
from tests.cli.conftest import Run
from tests.cli.values import failed, failed_result, known, reported, skipped_result, to_run

WARNING = Finding("odd", "it is odd", severity=Severity.WARNING)
NOTE = Finding("so", "it is so", severity=Severity.NOTE)
OUTPUTS = {"html": Path("/out/html/index.html"), "notebooks": Path("/out/notebooks")}
PLAN = BuildPlan((known("a/a"),), (), (to_run("a/b"), to_run("a/c")))
CACHED = reported("a/a", cached=True)
RESULTS = (CACHED, reported("a/b"), reported("a/c", seconds=2.5))
TABLE = "slowest  framework  time   device\na/c      pytorch    2.5 s  cpu\na/b      pytorch    1.2 s  cpu\n"

Faked = Callable[[BuildReport], list[tuple[Config, BuildRequest]]]


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> Faked:
    """Let builds return a report, and note what they were asked."""

    def fake(report: BuildReport) -> list[tuple[Config, BuildRequest]]:
        asked = []

        def build(config: Config, request: BuildRequest, observer: Observer) -> BuildReport:
            asked.append((config, request))
            return report

        monkeypatch.setattr(pipeline, "build", build)
        return asked

    return fake


def _report(**changes: object) -> BuildReport:
    values = {
        "findings": (),
        "failures": (),
        "plan": PLAN,
        "executed": 2,
        "results": RESULTS,
        "outputs": {"html": OUTPUTS["html"]},
        "seconds": 75,
    }
    return BuildReport(**(values | changes))  # type: ignore[arg-type]


def test_stdout_is_the_path_of_the_website(run: Run, book: Path, faked: Faked) -> None:
    faked(_report())
    told = run("build")
    assert (told.code, told.out) == (0, "/out/html/index.html\n")
    assert told.err == f"{TABLE}3 notebooks: 2 run, 1 cached; 1 min 15 s in all\n"


def test_the_website_is_last(run: Run, book: Path, faked: Faked) -> None:
    asked = faked(_report(outputs=OUTPUTS))
    assert run("build", "--to", "html,notebooks").out == "/out/notebooks\n/out/html/index.html\n"
    assert asked[0][1].to == ("html", "notebooks")


def test_defaults(run: Run, book: Path, faked: Faked) -> None:
    asked = faked(_report())
    run("build")
    config, request = asked[0]
    assert (config.root, config.output) == (book, book / "_build")
    assert request == BuildRequest(frameworks=("pytorch",))


MORE = (
    *("--rerun", "one.md", "--rerun", "two", "--no-fork", "--sandbox", "--require-all"),
    *("--backend", "ray", "--address", "10.0.0.1:6379"),
)


def test_every_option_arrives(run: Run, book: Path, faked: Faked, tmp_path: Path) -> None:
    asked = faked(_report())
    options = ["-f", "jax", "--framework", "pytorch", "--to", "notebooks", "--no-execute", "--output", "o"]
    told = run("build", *options, "-j", "3", "--rerun-failed", "--force", "one", "chapters/two.md", *MORE)
    config, request = asked[0]
    assert told.code == 0
    assert config.output == book / "o"
    assert request == BuildRequest(
        frameworks=("pytorch", "jax"),
        to=("notebooks",),
        execute=False,
        sections=("one", "two"),
        jobs=3,
        rerun_failed=True,
        rerun=("one", "two"),
        force=True,
        fork=False,
        sandbox=True,
        require_all=True,
        backend="ray",
        address="10.0.0.1:6379",
    )


def test_the_program_of_a_book_runs_if_it_is_asked_for(run: Run, book: Path, faked: Faked) -> None:
    asked = faked(_report())
    (book / "change.py").write_text("")
    with (book / "conf" / "book.toml").open("a") as settings:
        settings.write('\n[pdf]\npost_latex = "change.py"\n')
    assert run("build", "--to", "pdf").code == 0
    assert run("build", "--to", "html,pdf", "--run-post-latex").code == 0
    assert [request.run_post_latex for _, request in asked] == [False, True]
    assert run("build", "--run-post-latex").err == "error: --run-post-latex is for PDFs\nhint: add --to pdf\n"


@pytest.mark.parametrize("framework", ["all", "pytorch,jax", "jax,pytorch"])
def test_frameworks_are_in_the_order_of_the_book(run: Run, book: Path, faked: Faked, framework: str) -> None:
    asked = faked(_report())
    run("build", "--framework", framework, "--execute")
    assert asked[0][1] == BuildRequest(frameworks=("pytorch", "jax"), execute=True)


@pytest.mark.parametrize(
    "option",
    [
        ["-f", "jacks"],
        ["--to", "htlm"],
        ["--output", "."],
        ["--book", "nowhere"],
        ["--backend", "rey"],
        ["--address", "10.0.0.1:6379"],
        ["--report", "report.txt"],
        ["--report", "chapters/one.md/junit.xml"],
        ["--report", "folder.xml"],
        ["--run-post-latex"],
        ["--to", "pdf", "--run-post-latex"],
    ],
)
def test_what_does_not_exist_is_wrong_usage(run: Run, book: Path, faked: Faked, option: list[str]) -> None:
    asked = faked(_report())
    (book / "folder.xml").mkdir()
    told = run("build", *option)
    assert (told.code, told.out, asked) == (2, "", [])
    assert told.err.startswith("error: ")
    assert "hint: " in told.err


def test_a_failed_notebook_fails_the_build_and_is_shown(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(failures=(failed(),), results=(CACHED, reported("a/b", failed_result()), RESULTS[2])))
    told = run("build")
    assert told.code == 1
    assert told.out == "/out/html/index.html\n"
    assert "\nchapters/a/b.md:15: NameError: name 'w' is not defined [pytorch]\n" in told.err
    assert told.err.endswith("\n3 notebooks: 2 run, 1 cached, 1 failed; 1 min 15 s in all\n")


def test_without_running_anything(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(plan=None, executed=0, results=()))
    assert run("build", "--no-execute").err == "no notebook was run; 1 min 15 s in all\n"


def test_warnings_fail_only_a_strict_build(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(findings=(NOTE, WARNING)))
    lenient = run("build")
    assert lenient.code == 0
    assert lenient.err.startswith(f"warning: it is odd [odd]\n{TABLE}3 notebooks")
    assert "it is so" not in lenient.err
    strict = run("build", "--strict")
    assert strict.code == 1
    assert strict.err.endswith("error: the book has 1 warning, which --strict does not allow\n")
    assert strict.out == "/out/html/index.html\n"


def test_notes_fail_nothing(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(findings=(NOTE,)))
    assert run("build", "--strict").code == 0


def test_skipped_notebooks_fail_the_build_only_if_all_are_required(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(results=(CACHED, reported("a/b", skipped_result()), reported("a/c", skipped_result()))))
    lenient = run("build")
    assert (lenient.code, lenient.out) == (0, "/out/html/index.html\n")
    assert lenient.err == (
        "skipped: a/b [pytorch], a/c [pytorch]: it needs 1 GPU\n"
        "3 notebooks: 0 run, 1 cached, 2 skipped; 1 min 15 s in all\n"
    )
    required = run("build", "--require-all")
    assert (required.code, required.out) == (1, "/out/html/index.html\n")
    assert required.err.endswith("error: 2 notebooks were skipped, which --require-all does not allow\n")


def test_what_notebooks_did_that_they_should_not_is_told(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(results=(reported("a/b", warnings=("it wrote /tmp/x",), attempts=2),)))
    told = run("build").err
    assert "\nnote: a/b [pytorch]: it wrote /tmp/x\n1 notebook: 1 run, 0 cached, 1 retried; " in told


def test_reports_are_written_though_a_notebook_failed(run: Run, book: Path, faked: Faked) -> None:
    faked(_report(failures=(failed(),), results=(reported("a/b", failed_result()),)))
    told = run("build", "--report", "new/junit.xml", "--report", "report.html")
    assert told.code == 1
    assert told.out == "/out/html/index.html\n"
    assert told.err.endswith(f"\nreport: {book / 'new' / 'junit.xml'}\nreport: {book / 'report.html'}\n")
    assert 'failures="1"' in (book / "new" / "junit.xml").read_text()
    assert "<h1>A Mini Book</h1>" in (book / "report.html").read_text()


@pytest.mark.integration
def test_a_real_book_without_running_it(run: Run, book: Path) -> None:
    told = run("build", "--no-execute")
    assert told.code == 0, told.err
    index = Path(told.out.splitlines()[-1])
    assert index == book / "_build" / "pytorch" / "html" / "index.html"
    assert "The Book" in index.read_text()
    assert run("clean").code == 0
