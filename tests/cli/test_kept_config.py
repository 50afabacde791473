"""A configuration that was kept is the one that reading it anew gives."""

import os
import sys
from pathlib import Path

import pytest

from d2lbuild import unchanged
from d2lbuild.cli import kept_config
from d2lbuild.cli.kept_config import config_and_facts
from d2lbuild.cli.read_files import files_read
from d2lbuild.config import Config, load_config
from d2lbuild.errors import ConfigError, UsageError
from d2lbuild.execution.home import cache_home


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The books whose configuration was read."""
    done: list[Path] = []

    def load(book: Path) -> Config:
        done.append(book)
        return load_config(book)

    monkeypatch.setattr(kept_config, "load_config", load)
    return done


def test_texts_alone_make_no_other_configuration(book: Path, reads: list[Path]) -> None:
    first, _ = config_and_facts(book)
    reads.clear()
    for words in ("# One\n\nOther words.\n", "# One\n\nAnd others again.\n"):
        (book / "chapters" / "one.md").write_text(words)
        config, facts = config_and_facts(book)
        assert (config, reads) == (first, [])
        assert facts == unchanged.facts_of(files_read(config))


def test_all_else_is_followed(book: Path, reads: list[Path]) -> None:
    conf = book / "conf" / "book.toml"

    def change(path: Path, text: str | None) -> None:
        reads.clear()
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        config, _ = config_and_facts(book)
        assert reads
        assert config == load_config(book)

    config_and_facts(book)
    change(conf, conf.read_text() + "\n[check]\nline_length = 70\n")
    change(book / "chapters" / "references.bib", "")
    change(book / "chapters" / "references.bib", None)
    change(book / "chapters" / "new.md", "# New\n")
    change(book / "chapters" / "new.md", None)
    change(book / "frameworks" / "pytorch" / "framework.toml", 'title = "P"\nmodule = "torch"\n')


def test_what_is_wrong_is_told_again(book: Path) -> None:
    config_and_facts(book)
    (book / "conf" / "book.toml").write_text("[book]\nnothing = 1\n")
    for _ in range(2):
        with pytest.raises(ConfigError):
            config_and_facts(book)
    (book / "conf" / "book.toml").unlink()
    with pytest.raises(UsageError):
        config_and_facts(book)


def test_a_damaged_file_is_written_anew(book: Path, reads: list[Path]) -> None:
    config_and_facts(book)
    (kept,) = (cache_home() / "configurations").iterdir()
    for data in (b"", b"nothing", kept.read_bytes()[:-9]):
        kept.write_bytes(data)
        reads.clear()
        assert config_and_facts(book)[0] == load_config(book)
        assert reads
        reads.clear()
        config_and_facts(book)
        assert not reads


def test_links_to_folders_elsewhere_keep_nothing(book: Path, reads: list[Path]) -> None:
    (book.parent / "elsewhere").mkdir()
    (book / "frameworks").symlink_to(book.parent / "elsewhere")
    for _ in range(2):
        reads.clear()
        config_and_facts(book)
        assert reads


def test_no_configuration_reads_texts(book: Path) -> None:
    opened: list[str] = []
    looking = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if looking and event == "open":  # a hook stays for the life of the process
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    load_config(book)
    looking = False
    assert any(name.endswith(f"conf{os.sep}book.toml") for name in opened)
    assert not [name for name in opened if name.endswith(".md")]
