"""Books with a `config.ini` in the new layout: the same configuration, pages and library as before."""

import json
import shutil
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config import Config, Text, load_config
from d2lbuild.config.legacy import FRAMEWORK_KEYS, KEYS
from d2lbuild.errors import UsageError
from d2lbuild.extraction import libraries
from d2lbuild.model import Finding, Severity, Span
from d2lbuild.pipeline import BuildRequest, build, plan_build, select_frameworks
from d2lbuild.starting.migration import migration, write_beside, write_copy
from d2lbuild.starting.old_keys import FATES, FRAMEWORK_SECTION
from tests.starting.old_book import CONFIG, write_old_book

NOWHERE = Span(PurePosixPath(), 1, 1)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    return load_config(write_old_book(tmp_path / "old"))


def migrated(old: Config, target: Path) -> Config:
    write_copy(old, migration(old), target)
    return load_config(target)


def told(finding: Finding) -> str:
    line = f"{finding.span.path}:{finding.span.first}: " if finding.span else ""
    return f"{line}{finding.severity.value}: {finding.message}"


def test_every_key_of_a_config_ini_has_a_fate() -> None:
    known = {name: set(keys) for name, keys in KEYS.items() if name != "DEFAULT"} | {
        FRAMEWORK_SECTION: set(FRAMEWORK_KEYS)
    }
    assert {name: set(fates) for name, fates in FATES.items()} == known
    assert all(fate.place or fate.advice for fates in FATES.values() for fate in fates.values())


def test_the_configuration_means_the_same(old: Config, tmp_path: Path) -> None:
    new = migrated(old, tmp_path / "new")
    assert new.source == tmp_path / "new" / "conf" / "book.toml"
    assert [finding.rule for finding in new.findings] == []
    elsewhere = {"root", "source", "output", "findings", "legacy", "frameworks", "pdf"}
    for name in {field.name for field in fields(Config)} - elsewhere:
        assert getattr(new, name) == getattr(old, name), name
    assert new.output.relative_to(new.root) == old.output.relative_to(old.root)
    assert replace(new.pdf, post_latex=None) == replace(old.pdf, post_latex=None)
    assert new.pdf.post_latex is not None
    assert new.pdf.post_latex.text == "static/main.py"


def test_the_frameworks_are_the_same(old: Config, tmp_path: Path) -> None:
    new = migrated(old, tmp_path / "new")

    def plain(text: Text | None) -> Text | None:
        return replace(text, span=NOWHERE) if text else None

    for before, after in zip(old.frameworks, new.frameworks, strict=True):
        for name in {field.name for field in fields(before)} - {"aliases", "header", "library_file"}:
            one, other = getattr(before, name), getattr(after, name)
            if isinstance(one, Path):  # locks are copied
                one, other = one.read_text(), other.read_text()
            assert one == other, (before.name, name)
        assert plain(after.header) == plain(before.header)
        lines = tuple(line.text for line in after.aliases.plain)
        assert lines == tuple(line.text for line in before.aliases.plain)
        assert replace(after.aliases, plain=()) == replace(before.aliases, plain=())
        assert list(after.aliases.simple) == list(before.aliases.simple)
        if before.library_file:
            assert after.library_file == before.library_file
    # The book says nothing of JAX, so d2lbuild's own definition goes on to hold.
    assert not (new.root / "frameworks" / "jax").exists()


def test_notebooks_elsewhere_are_the_same(old: Config, tmp_path: Path) -> None:
    assert old.elsewhere
    assert migrated(old, tmp_path / "new").elsewhere == old.elsewhere


def test_pages_and_library_are_the_same(old: Config, tmp_path: Path) -> None:
    new = migrated(old, tmp_path / "new")
    names = select_frameworks(old, ["all"])
    for name, library in libraries(old, names).items():
        assert library.source == libraries(new, names)[name].source
    sites, findings = [], []
    for config in (old, new):
        built = build(config, BuildRequest(names, execute=False, jobs=1))
        findings.append(sorted(one.message for one in built.findings if one.severity is Severity.ERROR))
        folder = built.outputs["html"].parent
        sites.append(
            {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        )
    assert findings[0] == findings[1]
    assert sites[0].keys() == sites[1].keys()
    assert {name for name, content in sites[0].items() if sites[1][name] != content} == set()
    page = sites[1]["one/index.html"].decode()
    for shown in ("torch-notebooks", "jax-notebooks", "Abb.", "a.css", "github.com/me/book/edit/master"):
        assert shown in page


def test_results_that_are_kept_stay_good(old: Config, tmp_path: Path) -> None:
    new = migrated(old, tmp_path / "new")
    plans = [plan_build(config, BuildRequest(("pytorch", "jax"))).todo for config in (old, new)]
    keys = [{(run.notebook.section, run.notebook.framework): run.notebook.key for run in todo} for todo in plans]
    assert len(keys[0]) == 4
    assert keys[0] == keys[1]


def test_what_goes_nowhere_is_told_with_its_line(old: Config) -> None:
    lines = CONFIG.splitlines()

    def line(start: str) -> int:
        return next(number for number, text in enumerate(lines, 1) if text.startswith(start))

    expected = {
        "html_dir": "note: `html_dir` of [build] goes nowhere",
        "warning_is": "note: `warning_is_error` of [build] goes nowhere",
        "tabs": "warning: nothing describes the framework `paddle`: it has no environment to run notebooks in",
        "sphinx_configs": "note: `sphinx_configs` of [build] goes nowhere",
        "header_links": "note: [html] `header_links`: `###_OTHER_###` holds a place for a script to fill in: left out",
        "html_logo": "warning: [html] `html_logo`: there is no file static/none.png: ignored",
        "style": "note: `style` of [pdf] goes nowhere",
        "top_right": "note: `top_right` of [slides] goes nowhere",
        "nokey": "note: `nokey` of [mistake] is not known to d2lbuild",
    }
    found = list(map(told, migration(old).findings))
    assert found == [f"config.ini:{line(key)}: {message}" for key, message in expected.items()]


def test_what_the_new_layout_cannot_say_is_left_out(tmp_path: Path) -> None:
    text = (
        CONFIG.replace("name = my-book", "name = my: book!")
        .replace("lang = de", "lang = deutsch, natürlich")
        .replace("exclusions = README.md contrib/*md", "exclusions = README.md contrib/**md")
        .replace("lib_file = lib/paddle.py", "lib_file = other/paddle.py")
        .replace(
            "alias = size = lambda a: a.numel()", "alias = size = lambda a: a.numel()\n        from torch import nn"
        )
        .replace("./static/main.py", "./static/gone.py")
    )
    old = load_config(write_old_book(tmp_path / "old", text))
    found = migration(old)
    alone = "only alone between slashes, as in `**/*.md`"
    messages = {told(one).split(": ", 1)[1] for one in found.findings if one.rule in ("not-carried-over", "renamed")}
    assert {
        "warning: the book is called `my-book` now: results that were kept for it are not shown",
        "warning: [book] `language`: must be a language code such as `en` or `zh_CN`: left out",
        f"warning: [book] `exclusions`: `contrib/**md` must have `**` {alone}: left out",
        "warning: [library] `folder`: other/paddle.py is not in lib: left out",
        "warning: `from torch import nn` is not `name = value`: write it into header.py",
        "warning: [pdf] `post_latex`: there is no file static/gone.py: left out",
    } <= messages
    new = migrated(old, tmp_path / "new")
    assert (new.name, new.language) == ("my-book", "en")
    assert new.exclusions == ("README.md", "drafts/*.md")
    assert [str(one.span) for one in found.findings if "language" in one.message] == ["config.ini:6"]


def test_in_place_nothing_is_lost(old: Config) -> None:
    own = old.root / "frameworks" / "pytorch"
    own.mkdir(parents=True)
    (own / "framework.toml").write_text('title = "Our Torch"\nmodule = "torch"\n')
    config = load_config(old.root)
    before = {path.relative_to(old.root): path.read_bytes() for path in old.root.rglob("*") if path.is_file()}
    write_beside(config, migration(config))
    new = load_config(old.root)
    assert new.source == old.root / "conf" / "book.toml"
    assert new.frameworks[0].title == "Our Torch"
    moved = {Path("config.ini"): Path("config.ini.old")}
    moved[Path("frameworks/pytorch/framework.toml")] = Path("frameworks/pytorch/framework.toml.old")
    for name, content in before.items():
        assert (old.root / moved.get(name, name)).read_bytes() == content


def test_nothing_is_written_over(old: Config, tmp_path: Path) -> None:
    found = migration(old)
    (old.root / "config.ini.old").write_text("mine")
    with pytest.raises(UsageError, match=r"config\.ini\.old is there already"):
        write_beside(old, found)
    with pytest.raises(UsageError, match="lies in the book"):
        write_copy(old, found, old.root / "new")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(UsageError, match="is not empty"):
        write_copy(old, found, tmp_path / "full")
    assert not (old.root / "conf").exists()


def test_a_copy_has_the_book_and_not_what_is_made_of_it(old: Config, tmp_path: Path) -> None:
    for folder in (".git", "out", "one/__pycache__"):
        (old.root / folder).mkdir()
    new = migrated(old, tmp_path / "new")
    names = {path.name for path in new.root.iterdir()}
    assert names == {"conf", "frameworks", "img", "index.md", "lib", "one", "README.md", "refs.bib", "static", "two.md"}
    assert not (new.root / "one" / "__pycache__").exists()
    with pytest.raises(UsageError, match=r"is not a config\.ini"):
        migration(new)
    shutil.rmtree(new.root)


def test_a_book_in_another_language(tmp_path: Path) -> None:
    root = tmp_path / "java"
    root.mkdir()
    cell: dict[str, object] = {
        "cell_type": "code",
        "metadata": {},
        "source": "int x = 1;",
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"kernelspec": {"name": "java", "language": "java"}, "language_info": {"name": "java"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
    (root / "index.ipynb").write_text(json.dumps(notebook))
    (root / "config.ini").write_text("[project]\nname = java-book\n[build]\nnotebooks = *.ipynb\n")
    old = load_config(root)
    new = migrated(old, tmp_path / "new")
    assert new.default_framework == "java"
    assert (new.frameworks, new.notebooks) == (old.frameworks, ("*.ipynb",))


def test_a_book_that_says_next_to_nothing(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "index.md").write_text("# A Plain Book\n\n```{.python .input}\n1 + 1\n```\n")
    (root / "config.ini").write_text("[project]\nname = plain\n")
    new = migrated(load_config(root), tmp_path / "new")
    assert (new.title, new.default_framework) == ("A Plain Book", "python")
    text = (new.root / "conf" / "book.toml").read_text()
    assert text.split("\n\n", 1)[1] == (
        '[book]\nname = "plain"\ntitle = "A Plain Book"\nframeworks = [\n    "python",\n]\nchapters = "."\n'
        'notebooks = [\n    "**/*.md",\n]\n'
    )
