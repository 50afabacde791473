"""A new book: what it holds, that nothing is wrong with it, and where none is made."""

import itertools
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.errors import UsageError
from d2lbuild.pipeline import BuildRequest, build, check, select_frameworks
from d2lbuild.starting import new_book
from d2lbuild.starting.new_book import NewBook, known_frameworks, start_book

NAMES = tuple(known_frameworks())
SUBSETS = [names for size in range(1, len(NAMES) + 1) for names in itertools.combinations(NAMES, size)]


def test_the_template_knows_every_framework_that_comes_with_us() -> None:
    text = (new_book.TEMPLATE / "chapters" / "least-squares" / "errors.md").read_text("utf-8")
    assert all(f"#@tab {name}\n" in text and f":begin_tab:`{name}`" in text for name in NAMES)


@pytest.mark.parametrize("names", SUBSETS, ids="-".join)
def test_nothing_is_wrong_with_the_book_of_any_frameworks(tmp_path: Path, names: tuple[str, ...]) -> None:
    root = start_book(NewBook(tmp_path / "book", names))
    config = load_config(root)
    assert check(config) == ()
    assert tuple(framework.name for framework in config.frameworks) == names
    texts = "".join(path.read_text("utf-8") for path in (root / "chapters").rglob("*.md"))
    for name in NAMES:
        assert (f"#@tab {name}\n" in texts) == (name in names)
        assert (f":begin_tab:`{name}`" in texts) == (name in names)
    assert "\n\n\n" not in texts
    assert "<<" not in texts + (root / "README.md").read_text("utf-8") + (root / "conf" / "book.toml").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("names", [("pytorch",), ("jax", "mxnet"), NAMES], ids="-".join)
def test_its_pages_show_all_that_the_dialect_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    root = start_book(NewBook(tmp_path / "book", names, title="My & <Own> Book", author="Ada Example"))
    config = load_config(root)
    built = build(config, BuildRequest(select_frameworks(config, ["all"]), execute=False, jobs=1))
    assert built.findings == ()
    site = built.outputs["html"].parent
    page = (site / "least-squares" / "errors.html").read_text("utf-8")
    for shown in ("Table 1.1.1", "Fig. 1.1.1", "(1.1.1)", "Legendre", "mean_squared_error", "errors.svg"):
        assert shown in page
    first = built.outputs["html"].read_text("utf-8")
    assert "My &amp; &lt;Own&gt; Book" in first
    assert "Ada Example" in first
    assert "Legendre" in (site / "references.html").read_text("utf-8")


def test_a_title_is_made_of_the_folder_and_may_hold_any_sign(tmp_path: Path) -> None:
    config = load_config(start_book(NewBook(tmp_path / "a fïne_book", ("pytorch",))))
    assert (config.name, config.title) == ("a-f-ne_book", "A Fïne Book")
    config = load_config(start_book(NewBook(tmp_path / "other", ("pytorch",), title='A "B" \\ *C* $1', author='O"')))
    assert (config.title, config.author) == ('A "B" \\ *C* $1', 'O"')
    assert check(config) == ()
    with pytest.raises(UsageError, match="title has characters"):
        start_book(NewBook(tmp_path / "third", ("pytorch",), title="a\nb"))
    assert not (tmp_path / "third").exists()


def test_a_workflow_goes_with_it_and_may_be_left_out(tmp_path: Path) -> None:
    root = start_book(NewBook(tmp_path / "one", ("pytorch", "jax")))
    assert 'framework: ["pytorch", "jax"]' in (root / ".github" / "workflows" / "book.yml").read_text("utf-8")
    assert not (start_book(NewBook(tmp_path / "two", ("jax",), ci="none")) / ".github").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"is not empty: it holds notes\.txt$"):
        start_book(NewBook(tmp_path, ("pytorch",)))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(UsageError, match="is a file"):
        start_book(NewBook(tmp_path / "notes.txt", ("pytorch",)))


def test_a_repository_without_files_becomes_a_book(tmp_path: Path) -> None:
    folder = tmp_path / "book"
    (folder / ".git").mkdir(parents=True)
    number = folder.stat().st_ino
    start_book(NewBook(folder, ("pytorch",)))
    assert {".git", ".gitignore", "conf", "chapters", "README.md"} <= {path.name for path in folder.iterdir()}
    assert folder.stat().st_ino == number
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
    (tmp_path / "other" / "inner").mkdir(parents=True)
    assert start_book(NewBook(folder / ".." / "third", ("pytorch",))) == tmp_path / "third"


def test_a_book_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "book"
    folder.mkdir()
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == "chapters":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="No space"):
        start_book(NewBook(folder, ("pytorch",)))
    assert list(folder.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(new_book, "write_atomically", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(OSError, match="No space"):
        start_book(NewBook(tmp_path / "new", ("pytorch",)))
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_every_line_of_the_configuration_is_toml(tmp_path: Path) -> None:
    root = start_book(NewBook(tmp_path / "book", NAMES, author="Ada Example"))
    text = (root / "conf" / "book.toml").read_text("utf-8")
    commented = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ") and " = " in line]
    assert len(commented) == 2
    (root / "conf" / "book.toml").write_text(
        text.replace("# repository", "repository").replace("# site_url", "site_url")
    )
    config = load_config(root)
    assert config.html.repository == "https://github.com/me/my-book"
    assert tomllib.loads(text)["book"]["author"] == config.author == "Ada Example"


@pytest.mark.integration
@pytest.mark.frameworks
def test_it_runs(tmp_path: Path) -> None:
    config = load_config(start_book(NewBook(tmp_path / "a-new-book", ("pytorch",))))
    config = replace(config, output=tmp_path / "out")
    built = build(config, BuildRequest(("pytorch",)))
    assert (built.failures, built.findings) == ((), ())
    page = (built.outputs["html"].parent / "least-squares" / "best-guess.html").read_text("utf-8")
    assert "best guess: 13.5 minutes, error: 5.25" in page
