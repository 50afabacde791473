"""The verbs of d2lbook."""

from pathlib import Path

import pytest

from d2lbuild.cli.app import run
from d2lbuild.cli.legacy import translation
from d2lbuild.errors import UsageError
from tests.books import write_book


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        ("build html", ["build --to html"]),
        ("build html --tab pytorch", ["build --to html --framework pytorch"]),
        ("build --tab=all eval pdf", ["build --to notebooks --framework all", "build --to pdf --framework all"]),
        ("build lib", ["extract-lib"]),
        ("build lib --tab jax", ["extract-lib --framework jax"]),
        ("build tabcheck --tab jax", ["check"]),
        ("build html html", ["build --to html"]),
        ("build slides --tab jax", ["build --to slides --framework jax"]),
        ("slides", ["build --to slides"]),
        ("build colab sagemaker", ["build --to colab", "build --to sagemaker"]),
        ("clear", ["clean"]),
        ("translate --tab all", ["translate status"]),
        ("deploy", ["deploy s3://bucket/book"]),
        ("deploy html ipynb", ["deploy s3://bucket/book", "deploy s3://bucket/book/notebooks --from notebooks"]),
        ("deploy --tab all", ["deploy s3://bucket/book --framework all"]),
    ],
)
def test_verbs(words: str, commands: list[str]) -> None:
    found = translation(words.split(), bucket=lambda: "s3://bucket/book")
    assert [" ".join(one) for one in found] == commands


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "no verb"),
        ("build", "not named"),
        ("build rst", "'build rst' has no counterpart"),
        ("build htlm", "no output 'htlm'"),
        ("activate", "'activate' has no counterpart"),
        ("bild html", "no verb 'bild'"),
        ("deploy", "no `s3_bucket`"),
        ("deploy pdf", "'deploy pdf' has no counterpart"),
        ("build html --tab", "names no framework"),
        ("build html --fast", "no option --fast"),
    ],
)
def test_what_has_no_counterpart(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        translation(words.split())


def test_the_command_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_book(tmp_path, {"index.md": "# Book\n"})
    monkeypatch.chdir(root)
    assert run(["legacy", "build", "tabcheck", "--tab", "jax"]) == 0
    assert capsys.readouterr().err.splitlines()[0] == "d2lbuild check"
    assert run(["legacy", "activate"]) == 2


def test_a_book_says_where_it_is_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.md").write_text("# Book\n", "utf-8")
    (tmp_path / "config.ini").write_text("[build]\ntabs = jax\n[deploy]\ns3_bucket = s3://b/x\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["legacy", "deploy"]) == 2  # nothing is built
    assert capsys.readouterr().err.splitlines()[0] == "d2lbuild deploy s3://b/x"
