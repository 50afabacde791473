"""The check of a whole book."""

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.checking.book import check_book
from d2lbuild.checking.kept import KeptFindings, kept_findings
from d2lbuild.config import Text, load_config
from d2lbuild.model import Span
from tests.books import CONF, INDEX, rules, write_book

CELL = "```{{.python .input}}\n#@tab all\n{}\n```\n"
NODE = 'title = "Node.js"\nlanguage = "javascript"\n\n[kernel]\ncommand = ["node", "kernel.js", "{connection_file}"]\n'


@pytest.mark.parametrize("processors", [1, 2])
def test_many_sections_are_read_in_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    """With one processor in this one. The findings are those of a check that reads them one by one."""
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    names = [f"s{n}" for n in range(60)]
    files = {f"{name}.md": f"# {name}\n\n:numref:`lost_{name}`\n" for name in names}
    write_book(tmp_path, {"index.md": INDEX.replace("one\ntwo", "\n".join(names)), **files})
    config = load_config(tmp_path)
    memory = KeptFindings()
    found = check_book(config, memory)
    assert [one.rule for one in found] == ["undefined-label"] * 60
    assert check_book(config, memory) == found


def test_what_is_found_is_kept_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    config = load_config(write_book(tmp_path / "book", {"index.md": "# Book\n\nThe the.\n"}))
    memory = kept_findings(config)
    found = check_book(config, memory)
    memory.save()
    again = kept_findings(config)
    assert check_book(config, again) == found
    assert again.before.sections.keys() == {"index"}


def test_rules_that_do_not_exist(tmp_path: Path) -> None:
    conf = CONF + '\n[check.rules]\nundefined-lable = "off"\n'
    (one,) = check_book(load_config(write_book(tmp_path, {"index.md": "# Book\n"}, conf=conf)))
    assert (one.rule, one.message) == ("unknown-rule", "there is no rule 'undefined-lable'")


def test_frameworks_with_and_without_a_library(tmp_path: Path) -> None:
    """A library that is not Python has no names that notebooks could lack, nor has another language."""
    (tmp_path / "frameworks" / "node").mkdir(parents=True)
    (tmp_path / "frameworks" / "node" / "framework.toml").write_text(NODE, encoding="utf-8")
    (tmp_path / "frameworks" / "jax").mkdir(parents=True)
    (tmp_path / "frameworks" / "jax" / "framework.toml").write_text('title = "JAX"\nmodule = "jax"\n', encoding="utf-8")
    files = {
        "index.md": INDEX.replace("one\ntwo", "one"),
        "one.md": "# One\n\n"
        "```{.python .input}\n#@tab jax\ndef f():  #@save\n    !ls\n```\n\nText.\n\n"
        "```{.python .input}\n#@tab jax\nd2l.lost()\n```\n\nText.\n\n"
        "```{.javascript .input}\nd2l.lost()\n```\n",
    }
    conf = CONF.replace('["pytorch", "jax"]', '["jax", "node"]')
    found = check_book(load_config(write_book(tmp_path, files, conf=conf)))
    assert rules(found) == [("saved-magic", 5), ("unknown-library-name", 13)]


def test_a_library_that_is_not_python_has_no_names(tmp_path: Path) -> None:
    """What is wrong with its header has the header's place, and nothing is said of what notebooks use."""
    folder = tmp_path / "frameworks" / "jax"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text('title = "JAX"\nmodule = "jax"\n', encoding="utf-8")
    one = "# One\n\n```{.python .input}\n#@tab jax\nd2l.lost()\n```\n"
    files = {"index.md": INDEX.replace("one\ntwo", "one"), "one.md": one}
    config = load_config(write_book(tmp_path, files, conf=CONF.replace('["pytorch", "jax"]', '["jax"]')))
    (jax,) = config.frameworks
    header = Text("x = (\n", Span(PurePosixPath("frameworks/jax/header.py"), 1, 1))
    (found,) = check_book(replace(config, frameworks=(replace(jax, header=header),)))
    assert (found.rule, str(found.span)) == ("library-syntax", "frameworks/jax/header.py:1")
